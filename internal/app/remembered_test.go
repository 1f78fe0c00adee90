package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

// from tells how the site answers a request for the list of identities that the holder of a token sends from an address.
func (s *site) from(address, jwt string) int {
	r := httptest.NewRequest(http.MethodGet, "/api/v1/identities?orgId="+s.org, nil)
	r.Header.Set("Authorization", "Bearer "+jwt)
	r.RemoteAddr = address + ":1234"
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code
}

// TestEveryChangeTurnsWhatIsRemembered: what a check of a token came to is remembered, and each thing that the check looks at
// turns it, at once.
func TestEveryChangeTurnsWhatIsRemembered(t *testing.T) {
	const here, elsewhere = "192.0.2.1", "198.51.100.1"
	type worker struct{ identity, token, jwt, role string }
	tests := map[string]struct {
		change func(s *site, w worker)
		want   int
		at     string // the address to ask from afterwards; here if empty
	}{
		"refused/token revoked": {func(s *site, w worker) {
			s.call(200, http.MethodPost, "/api/v1/auth/token-auth/tokens/"+w.token+"/revoke", "")
		}, 401, ""},
		"refused/revoked by its holder": {func(s *site, w worker) {
			s.call(200, http.MethodPost, "/api/v1/auth/token/revoke", fmt.Sprintf(`{"accessToken":%q}`, w.jwt))
		}, 401, ""},
		"refused/all tokens of the identity revoked": {func(s *site, w worker) {
			s.call(200, http.MethodPost, "/api/v1/identities/"+w.identity+"/revoke-tokens", `{}`)
		}, 401, ""},
		"refused/method detached": {func(s *site, w worker) {
			s.call(200, http.MethodDelete, "/api/v1/auth/token-auth/identities/"+w.identity, "")
		}, 401, ""},
		"refused/identity deleted": {func(s *site, w worker) {
			s.call(200, http.MethodDelete, "/api/v1/identities/"+w.identity, "")
		}, 401, ""},
		"refused/membership ended": {func(s *site, w worker) {
			s.call(200, http.MethodDelete, "/api/v1/organization/identity-memberships/"+w.identity, "")
		}, 401, ""},
		"refused/another role": {func(s *site, w worker) {
			s.call(200, http.MethodPatch, "/api/v1/identities/"+w.identity, `{"role":"no-access"}`)
		}, 403, ""},
		"refused/the role's rules changed": {func(s *site, w worker) {
			s.call(200, http.MethodPatch, "/api/v1/organization/roles/"+w.role, `{"permissions":[{"subject":"role","action":"read"}]}`)
		}, 403, ""},
		"refused/trusted addresses changed": {func(s *site, w worker) {
			s.call(200, http.MethodPatch, "/api/v1/auth/token-auth/identities/"+w.identity, `{"accessTokenTrustedIps":[{"ipAddress":"203.0.113.0/24"}]}`)
		}, 403, ""},
		"refused/another address":      {func(*site, worker) {}, 403, elsewhere},
		"refused/expired":              {func(s *site, _ worker) { s.now = s.now.Add(time.Hour) }, 401, ""},
		"allowed/just before expiry":   {func(s *site, _ worker) { s.now = s.now.Add(time.Hour - time.Second) }, 200, ""},
		"allowed/a change that is not": {func(s *site, _ worker) { s.tokenWith(`{}`) }, 200, ""},
	}
	eachSite(t, func(t *testing.T, s *site) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				s.t = t
				var w worker
				role := s.call(200, http.MethodPost, "/api/v1/organization/roles", fmt.Sprintf(`{"slug":"r%d","name":"r","permissions":[{"subject":"identity","action":"read"}]}`, time.Now().UnixNano()))
				w.role = textAt(role, "role", "id")
				w.identity, w.token, w.jwt = s.tokenWith(`{"accessTokenTTL":3600,"accessTokenTrustedIps":[{"ipAddress":"` + here + `"}]}`)
				s.call(200, http.MethodPatch, "/api/v1/identities/"+w.identity, fmt.Sprintf(`{"role":%q}`, textAt(role, "role", "slug")))
				for range 2 {
					if got := s.from(here, w.jwt); got != 200 {
						t.Fatalf("a good token is answered %d", got)
					}
				}
				if !s.recalls(here, w.jwt) {
					t.Fatal("nothing is remembered of the token")
				}
				test.change(s, w)
				at := test.at
				if at == "" {
					at = here
				}
				for range 2 {
					if got := s.from(at, w.jwt); got != test.want {
						t.Errorf("after the change the token is answered %d, not %d", got, test.want)
					}
				}
				if test.want == 401 && s.recalls(at, w.jwt) {
					t.Error("a dead token is remembered as good")
				}
			})
		}
	})
}

// recalls reports whether a token would be answered from what is remembered.
func (s *site) recalls(address, jwt string) bool {
	actor, err := s.tokens.Recall(s.t.Context(), jwt, netip.MustParseAddr(address))
	return err == nil && actor != nil
}

// TestWhatIsNotRemembered: a token with a use limit is counted in the database each time, and rights that time changes are
// worked out each time.
func TestWhatIsNotRemembered(t *testing.T) {
	s := newSite(t)
	_, _, limited := s.tokenWith(`{"accessTokenNumUsesLimit":3}`)
	for i, want := range []int{200, 200, 200, 401} {
		if got := s.status(limited); got != want {
			t.Errorf("use %d is answered %d, not %d", i+1, got, want)
		}
	}
	if s.recalls("192.0.2.1", limited) {
		t.Error("a token with a use limit is remembered")
	}
	identityID, _, jwt := s.tokenWith(`{}`)
	s.call(200, http.MethodPatch, "/api/v1/organization/identity-memberships/"+identityID, fmt.Sprintf(
		`{"roles":[{"role":"no-access"},{"role":"admin","isTemporary":true,"temporaryMode":"relative","temporaryRange":"1h","temporaryAccessStartTime":%q}]}`,
		s.now.UTC().Format(time.RFC3339)))
	if got := s.from("192.0.2.1", jwt); got != 200 {
		t.Fatalf("a temporary role is answered %d", got)
	}
	s.now = s.now.Add(time.Hour)
	if got := s.from("192.0.2.1", jwt); got != 403 {
		t.Errorf("after its end a temporary role is answered %d", got)
	}
}
