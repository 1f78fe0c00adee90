package console

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// visitor is a browser without a screen, that follows no redirect.
func visitor(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// post sends a form, with headers in pairs, and returns the answer with its text.
func post(t *testing.T, c *http.Client, to string, form url.Values, headers ...string) (*http.Response, string) {
	t.Helper()
	return send(t, c, http.MethodPost, to, strings.NewReader(form.Encode()), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

func send(t *testing.T, c *http.Client, method, to string, body io.Reader, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

var credentials = url.Values{"email": {email}, "password": {password}}

// signedIn is a visitor who has signed in.
func signedIn(t *testing.T, s *harness.Server) *http.Client {
	t.Helper()
	c := visitor(t)
	if answer, text := post(t, c, s.URL+"/login", credentials); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing in: %d %s", answer.StatusCode, text)
	}
	return c
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	c := signedIn(t, s)
	for name, headers := range map[string][]string{
		"another site":      {"Sec-Fetch-Site", "cross-site"},
		"a site next to it": {"Sec-Fetch-Site", "same-site"},
		"an old browser":    {"Origin", "https://evil.example"},
		"a hidden origin":   {"Origin", "null"},
		"another port":      {"Origin", "http://127.0.0.1:1"},
	} {
		for _, path := range []string{"/login", "/logout", "/account/sessions/end-all", "/cli-redirect", "/setup", "/link/x"} {
			if answer, text := post(t, c, s.URL+path, url.Values{"callback_port": {"4711"}}, headers...); answer.StatusCode != http.StatusForbidden || !strings.Contains(text, "another site") {
				t.Errorf("%s: %s answers %d", name, path, answer.StatusCode)
			}
		}
	}
	if answer, _ := send(t, c, http.MethodGet, s.URL+"/account", http.NoBody); answer.StatusCode != http.StatusOK {
		t.Errorf("the session did not survive: %d", answer.StatusCode)
	}
	if answer, _ := post(t, c, s.URL+"/logout", nil, "Origin", s.URL); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the console's own form: %d", answer.StatusCode)
	}
}

func TestNextLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\t/evil.example", "///evil.example", "http:evil.example", " //evil.example", "/%0a/evil"} {
		form := url.Values{"next": {next}}
		for name, values := range credentials {
			form[name] = values
		}
		answer, _ := post(t, visitor(t), s.URL+"/login", form)
		to, err := url.Parse(answer.Header.Get("Location"))
		if err != nil || to.Host != "" || to.Scheme != "" || !strings.HasPrefix(to.Path, "/") || strings.HasPrefix(to.Path, "//") {
			t.Errorf("next=%q leads to %q", next, answer.Header.Get("Location"))
		}
		resumed := url.Values{"resume_to": {next}, "resume_form": {"a=b"}}
		for name, values := range credentials {
			resumed[name] = values
		}
		if _, text := post(t, visitor(t), s.URL+"/login", resumed); strings.Contains(text, "evil.example") {
			t.Errorf("resume_to=%q makes a form that leads away", next)
		}
	}
}

// TestSessionsCannotBeFixed: a cookie that somebody else chose, and one that a browser had before, are worth nothing after
// signing in; and a cookie that was changed is none.
func TestSessionsCannotBeFixed(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := visitor(t)
	c.Jar.SetCookies(base, []*http.Cookie{{Name: "sallyport", Value: "chosen", Path: "/"}})
	post(t, c, s.URL+"/login", credentials)
	first := c.Jar.Cookies(base)[0].Value
	post(t, c, s.URL+"/login", credentials)
	second := c.Jar.Cookies(base)[0].Value
	if first == "chosen" || first == second {
		t.Error("the cookie outlived signing in")
	}
	for name, value := range map[string]string{"changed": second[:len(second)-2] + "AA", "cut": second[:50], "empty": "", "of another kind": "e30"} {
		other := visitor(t)
		other.Jar.SetCookies(base, []*http.Cookie{{Name: "sallyport", Value: value, Path: "/"}})
		if answer, _ := send(t, other, http.MethodGet, s.URL+"/account", http.NoBody); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("a cookie that is %s: %d", name, answer.StatusCode)
		}
	}
	post(t, c, s.URL+"/logout", nil)
	stolen := visitor(t)
	stolen.Jar.SetCookies(base, []*http.Cookie{{Name: "sallyport", Value: second, Path: "/"}})
	if answer, _ := send(t, stolen, http.MethodGet, s.URL+"/account", http.NoBody); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("a cookie works after signing out: %d", answer.StatusCode)
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ step, total time.Duration }{"idle": {13 * time.Hour, 13 * time.Hour}, "in use": {11 * time.Hour, 8 * 24 * time.Hour}} {
		s := harness.StartReady(t)
		c := signedIn(t, s)
		last := 0
		for past := time.Duration(0); past < test.total; past += test.step {
			s.Clock.Advance(test.step)
			answer, _ := send(t, c, http.MethodGet, s.URL+"/account", http.NoBody)
			if last = answer.StatusCode; past+test.step <= 7*24*time.Hour && name == "in use" && last != http.StatusOK {
				t.Errorf("%s: after %v: %d", name, past, last)
			}
		}
		if last != http.StatusSeeOther {
			t.Errorf("%s: the session lives on: %d", name, last)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	c := signedIn(t, s)
	for _, path := range []string{"/", "/login", "/account", "/nothing", "/o/nothing", "/assets/x/console.css", "/link/x"} {
		answer, _ := send(t, c, http.MethodGet, s.URL+path, http.NoBody)
		for name, want := range map[string]string{"Content-Security-Policy": "frame-ancestors 'none'", "Referrer-Policy": "same-origin",
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-Request-Id": "req-"} {
			if got := answer.Header.Get(name); path != "/nothing" && !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if policy := answer.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
	}
	answer, _ := post(t, visitor(t), s.URL+"/login", credentials)
	cookie := answer.Header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie lacks %s: %s", want, cookie)
		}
	}
	if len(answer.Header.Values("Set-Cookie")) != 1 || strings.Contains(cookie, "eyJ") {
		t.Error("the cookie shows a token, or is not alone")
	}
}

// TestTheAPIDoesNotKnowTheCookie: a session of the console opens no route of the API.
func TestTheAPIDoesNotKnowTheCookie(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	if answer, _ := send(t, signedIn(t, s), http.MethodGet, s.URL+"/api/v2/users/me", http.NoBody); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("the API answers %d to the cookie", answer.StatusCode)
	}
}

// TestALinkCannotPrepareAForm: only a form that this server kept is sent again, not one that a link brings along.
func TestALinkCannotPrepareAForm(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	query := url.Values{"resume_to": {"/account/sessions/end-all"}, "resume_form": {"a=b"}}.Encode()
	if _, text := send(t, visitor(t), http.MethodGet, s.URL+"/login?"+query, http.NoBody); strings.Contains(text, "end-all") {
		t.Error("a link prepares a form")
	}
	if _, text := post(t, visitor(t), s.URL+"/login?"+query, credentials); strings.Contains(text, "end-all") {
		t.Error("the address of a form prepares another one")
	}
}

func TestLargeFormsAreRefused(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	if answer, _ := post(t, visitor(t), s.URL+"/login", url.Values{"email": {strings.Repeat("a", 3<<20)}}); answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 3 MB: %d", answer.StatusCode)
	}
	if answer, _ := send(t, visitor(t), http.MethodPost, s.URL+"/login", io.MultiReader(strings.NewReader("a=b")), "Content-Type", "application/x-www-form-urlencoded"); answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form without a length: %d", answer.StatusCode)
	}
}
