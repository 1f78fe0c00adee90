package e2e

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// refresh shows a refresh token.
func refresh(t *testing.T, s *harness.Server, cookie string) *harness.Answer {
	t.Helper()
	return s.As("").With("Cookie", "theme=dark; jid="+cookie).Call(t, http.MethodPost, refreshPath, nil)
}

func TestRefreshTurnsTheCookie(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	x := login(t, s, adminEmail)
	s.Clock.Advance(time.Hour)
	first := refresh(t, s, x.Cookie).Want(200)
	second := cookieOf(t, first)
	if first.Text("organizationId") != s.OrgID || second.Value == x.Cookie {
		t.Errorf("the answer is %s with the cookie %v", first.Body, second)
	}
	if !s.As(first.Text("token")).Works(t) || !x.Works(t) {
		t.Error("a token of the session does not work")
	}
	if got := eventsOf(t, s, s.Admin, first); len(got) != 1 || got[0].Type != "refresh-user-session" || got[0].ActorID != x.UserID || got[0].OrgID != s.OrgID {
		t.Errorf("it leaves %+v", got)
	}
	s.Clock.Advance(30 * time.Second)
	refresh(t, s, x.Cookie).Want(200)
	third := cookieOf(t, refresh(t, s, second.Value).Want(200))
	s.Clock.Advance(31 * time.Second)
	refresh(t, s, second.Value).WantError(401, "TokenError")
	refresh(t, s, third.Value).WantError(401, "TokenError")
	if x.Works(t) || s.As(first.Text("token")).Works(t) {
		t.Error("the session outlived the use of an old refresh token")
	}
}

func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	x := login(t, shared, adminEmail)
	for name, c := range map[string]struct{ cookie, error string }{
		"refused/an access token": {x.Token, "TokenError"}, "refused/an identity's token": {shared.Admin.Token, "TokenError"},
		"refused/nonsense": {"nonsense", "TokenError"}, "refused/an empty cookie": {"", "UnauthorizedError"},
		"refused/very long": {strings.Repeat("A", 20_000), "TokenError"},
		"refused/forged":    {x.Cookie[:strings.LastIndexByte(x.Cookie, '.')+1] + strings.Repeat("A", 86), "TokenError"},
	} {
		t.Run(name, func(t *testing.T) {
			a := refresh(t, shared, c.cookie).WantError(401, c.error)
			if a.Header.Get("Set-Cookie") != "" {
				t.Error("a refusal sets a cookie")
			}
		})
	}
	t.Run("refused/no cookie, whatever the header says", func(t *testing.T) {
		x.Call(t, http.MethodPost, refreshPath, nil).WantError(401, "UnauthorizedError")
		shared.As(x.Cookie).Call(t, http.MethodPost, refreshPath, nil).WantError(401, "UnauthorizedError")
	})
}

func TestCookieIsForThisSiteAlone(t *testing.T) {
	t.Parallel()
	for url, secure := range map[string]bool{"": false, "http://example.com": false, "https://example.com": true} {
		s := harness.StartReady(t, func(o *app.Options) { o.Config.PublicURL = url })
		a := s.As("").Call(t, http.MethodPost, loginPath, object{"email": adminEmail, "password": adminPassword}).Want(200)
		c := cookieOf(t, a)
		if c.Name != "jid" || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteStrictMode || c.Secure != secure {
			t.Errorf("with the URL %q the cookie is %v", url, c)
		}
		out := s.As(a.Text("accessToken")).Call(t, http.MethodPost, logoutPath, nil).Want(200)
		if gone := cookieOf(t, out); gone.Value != "" || gone.MaxAge >= 0 || gone.Path != "/" || gone.Secure != secure {
			t.Errorf("logging out sets the cookie %v", gone)
		}
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	first, second, third := login(t, s, adminEmail), login(t, s, adminEmail), login(t, s, adminEmail)
	list := first.Call(t, http.MethodGet, sessionsPath, nil).Want(200)
	sessions, _ := list.JSON().([]any)
	var ids []string
	for _, entry := range sessions {
		ids = append(ids, entry.(map[string]any)["id"].(string))
	}
	if diff := cmp.Diff([]string{third.ID, second.ID, first.ID}, ids); diff != "" {
		t.Fatal(diff)
	}
	for place, want := range map[string]any{"2.userId": first.UserID, "2.ip": "127.0.0.1", "2.userAgent": "Go-http-client/1.1", "2.isCurrent": true, "1.isCurrent": false} {
		if got := list.At(place); got != want {
			t.Errorf("%s is %v, want %v", place, got, want)
		}
	}
	first.Call(t, http.MethodDelete, sessionsPath+"/"+second.ID, nil).Want(200)
	first.Call(t, http.MethodDelete, sessionsPath+"/"+second.ID, nil).WantError(404, "NotFound")
	if second.Works(t) || !first.Works(t) || !third.Works(t) {
		t.Error("ending one session ends another one, or not that one")
	}
	first.Call(t, http.MethodDelete, sessionsPath, nil).Want(200)
	if first.Works(t) || third.Works(t) {
		t.Error("a session outlived the end of all")
	}
	refresh(t, s, third.Cookie).WantError(401, "TokenError")
	if !login(t, s, adminEmail).Works(t) {
		t.Error("a later login does not work")
	}
}

// TestSessionsEndOnEveryReplica at the moment of the answer.
func TestSessionsEndOnEveryReplica(t *testing.T) {
	t.Parallel()
	url, root := sqldbtest.URL(t, sqldb.Postgres), base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	onPostgres := func(o *app.Options) { o.Config.DatabaseURL, o.Config.RootKey = url, root }
	one, other := harness.StartReady(t, onPostgres), harness.Start(t, onPostgres)
	for name, end := range map[string]func(x session){
		"logout": func(x session) { x.Call(t, http.MethodPost, logoutPath, nil).Want(200) },
		"one":    func(x session) { x.Call(t, http.MethodDelete, sessionsPath+"/"+x.ID, nil).Want(200) },
		"all":    func(x session) { x.Call(t, http.MethodDelete, sessionsPath, nil).Want(200) },
		"all, by an administrator": func(x session) {
			one.Admin.Call(t, http.MethodPost, "/api/v1/users/"+x.UserID+"/revoke-sessions", nil).Want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := login(t, one, adminEmail)
			there := other.As(x.Token)
			if !there.Works(t) {
				t.Fatal("the session does not work on the other replica")
			}
			end(x)
			if there.Works(t) || x.Works(t) {
				t.Error("the session outlived its end")
			}
			refresh(t, other, x.Cookie).WantError(401, "TokenError")
			other.As(x.Plain.Token).Call(t, http.MethodPost, selectPath, object{"organizationId": one.OrgID}).WantError(401, "TokenError")
		})
	}
}

func TestLoginIsLockedOutForAWhile(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.TrustProxies("127.0.0.1"))
	from := func(ip, password string) *harness.Answer {
		return s.As("").With("X-Forwarded-For", ip).Call(t, http.MethodPost, loginPath, object{"email": adminEmail, "password": password})
	}
	for range 5 {
		from("192.0.2.1", "wrong").WantError(400, "BadRequest")
	}
	from("192.0.2.1", adminPassword).WantError(400, "BadRequest")
	from("192.0.2.2", adminPassword).Want(200)
	s.Clock.Advance(5 * time.Minute)
	from("192.0.2.1", adminPassword).Want(200)
}

// TestLoginsAtOnce are all let in, or told to come again: never anything else.
func TestLoginsAtOnce(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	answers := make([]*harness.Answer, 12)
	atOnce(len(answers), func(i int) {
		answers[i] = s.As("").Call(t, http.MethodPost, loginPath, object{"email": adminEmail, "password": adminPassword})
	})
	let := map[string]bool{}
	for _, a := range answers {
		switch a.Status {
		case 200:
			let[harness.Claims(t, a.Text("accessToken"))["tokenVersionId"].(string)] = true
		default:
			if a.WantError(429, "RateLimitExceeded"); a.Header.Get("Retry-After") == "" {
				t.Error("it does not say when to come again")
			}
			let[id.New()] = true
		}
	}
	if len(let) != len(answers) {
		t.Errorf("%d logins have %d sessions", len(answers), len(let))
	}
}
