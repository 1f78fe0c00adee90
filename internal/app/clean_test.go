package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/config"
)

// site is an app with a clock that the test moves.
type site struct {
	*App
	t     *testing.T
	now   time.Time
	admin string
	org   string
}

func newSite(t *testing.T) *site { return newSiteOn(t, "") }

// newSiteOn uses a database; "" makes a new SQLite file.
func newSiteOn(t *testing.T, url string) *site {
	t.Helper()
	s := &site{t: t, now: time.UnixMilli(1_800_000_000_000)}
	c := config.Defaults()
	c.DataDir, c.DatabaseURL, c.SetupCode = t.TempDir(), url, "none"
	a, err := New(t.Context(), Options{Config: c, Version: "test", Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("closing the app: %v", err)
		}
	})
	s.App = a
	setup := s.call(200, http.MethodPost, "/api/v1/admin/bootstrap", `{"email":"a@example.com","password":"correct horse","organization":"Acme"}`)
	s.admin = textAt(setup, "identity", "credentials", "token")
	s.org = textAt(setup, "organization", "id")
	return s
}

// call makes a request as the administrator and returns the body of the answer.
func (s *site) call(status int, method, path, body string) map[string]any {
	s.t.Helper()
	r := httptest.NewRequest(method, path, bytes.NewReader([]byte(body)))
	r.Header.Set("Authorization", "Bearer "+s.admin)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != status {
		s.t.Fatalf("%s %s answered %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// tokenWith makes an identity with Token Auth and a token of it.
func (s *site) tokenWith(settings string) (identityID, tokenID, jwt string) {
	s.t.Helper()
	made := s.call(200, http.MethodPost, "/api/v1/identities", fmt.Sprintf(`{"name":"worker","organizationId":%q}`, s.org))
	identityID = textAt(made, "identity", "id")
	s.call(200, http.MethodPost, "/api/v1/auth/token-auth/identities/"+identityID, settings)
	token := s.call(200, http.MethodPost, "/api/v1/auth/token-auth/identities/"+identityID+"/tokens", "")
	return identityID, textAt(token, "tokenData", "id"), textAt(token, "accessToken")
}

func textAt(v any, place ...string) string {
	for _, name := range place {
		v = v.(map[string]any)[name]
	}
	return v.(string)
}

func TestCleaningKeepsTheRowOfARenewedTokenAsLongAsItLives(t *testing.T) {
	s := newSite(t)
	identityID, tokenID, jwt := s.tokenWith(`{"accessTokenTTL":100000,"accessTokenMaxTTL":300000}`)
	listed := func() float64 {
		s.clean(t.Context())
		return s.call(200, http.MethodGet, "/api/v1/auth/token-auth/identities/"+identityID+"/tokens", "")["totalCount"].(float64)
	}
	born := s.now
	s.now = born.Add(99_000 * time.Second)
	s.call(200, http.MethodPost, "/api/v1/auth/token/renew", fmt.Sprintf(`{"accessToken":%q}`, jwt)) // now until 199,000 s
	s.now = born.Add(198_000 * time.Second)                                                          // more than a day after the first JWT expired
	if listed() != 1 {
		t.Fatal("the row is gone while the token lives: nobody could revoke it by its id")
	}
	s.now = born.Add(199_000*time.Second + 23*time.Hour)
	if listed() != 1 {
		t.Error("the row is gone within a day of the token's end")
	}
	s.now = born.Add(199_000*time.Second + 25*time.Hour)
	if listed() != 0 {
		t.Error("the row is still there more than a day after the token's end")
	}
	s.call(404, http.MethodGet, "/api/v1/auth/token-auth/tokens/"+tokenID, "")
}

func TestCleaningForgetsNoRevocationOfATokenThatHasNotExpired(t *testing.T) {
	s := newSite(t)
	_, tokenID, jwt := s.tokenWith(`{"accessTokenTTL":100000,"accessTokenMaxTTL":0}`)
	s.call(200, http.MethodPost, "/api/v1/auth/token-auth/tokens/"+tokenID+"/revoke", "")
	for _, age := range []time.Duration{0, time.Hour, 99_999 * time.Second, 200_000 * time.Second} {
		s.now = time.UnixMilli(1_800_000_000_000).Add(age)
		s.clean(t.Context())
		r := httptest.NewRequest(http.MethodGet, "/api/v1/identities/details", nil)
		r.Header.Set("Authorization", "Bearer "+jwt)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("after %v the revoked token was answered %d", age, w.Code)
		}
	}
	if n, _ := s.tokens.Revocations(); n != 0 {
		t.Errorf("%d revocations are remembered of tokens that have expired", n)
	}
}

func TestUsesAreListedOnceTheyAreWritten(t *testing.T) {
	s := newSite(t)
	_, tokenID, jwt := s.tokenWith(`{}`)
	admin := s.admin
	s.admin = jwt
	for range 3 {
		s.now = s.now.Add(time.Second)
		s.call(200, http.MethodGet, "/api/v1/identities/details", "")
	}
	s.admin = admin
	if err := s.tokens.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	row := s.call(200, http.MethodGet, "/api/v1/auth/token-auth/tokens/"+tokenID, "")["token"].(map[string]any)
	if row["accessTokenNumUses"] != 3.0 || row["accessTokenLastUsedAt"] != s.now.UTC().Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("the token reads %v", row)
	}
}
