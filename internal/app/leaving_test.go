package app

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/token"
)

// eachSite runs do on a site on each engine.
func eachSite(t *testing.T, do func(t *testing.T, s *site)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) { do(t, newSiteOn(t, sqldbtest.URL(t, engine))) })
	}
}

// TestATokenFromOutsideStaysDead: a token that was minted while its identity was not a member, by an older version, does
// not come to life when the identity joins again.
func TestATokenFromOutsideStaysDead(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		identityID, _, _ := s.tokenWith(`{}`)
		membership := "/api/v1/organization/identity-memberships/" + identityID
		s.call(200, http.MethodDelete, membership, "")
		outside, err := s.tokens.Mint(t.Context(), token.Grant{IdentityID: identityID, OrgID: s.org, Method: token.TokenAuth, Limits: token.Limits{TTL: 3600, MaxTTL: 3600}, Born: s.tokens.Birth()})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.status(outside.AccessToken); got != 401 {
			t.Errorf("a token of a former member is answered %d", got)
		}
		s.call(200, http.MethodPost, membership, `{"roles":[{"role":"no-access"}]}`)
		if got := s.status(outside.AccessToken); got != 401 {
			t.Errorf("the token came to life: %d", got)
		}
		fresh := s.call(200, http.MethodPost, "/api/v1/auth/token-auth/identities/"+identityID+"/tokens", "")
		if got := s.status(textAt(fresh, "accessToken")); got != 200 {
			t.Errorf("a new token is answered %d", got)
		}
	})
}

// TestWhatIsGivenWhileSomebodyLeavesIsRefused: the membership is asked again by the transaction that gives something. Here it
// goes behind the server's back, so that everything the server remembers says that it is there.
func TestWhatIsGivenWhileSomebodyLeavesIsRefused(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		identityID, _, _ := s.tokenWith(`{}`)
		universal := "/api/v1/auth/universal-auth/identities/" + identityID
		s.call(200, http.MethodPost, universal, `{}`)
		s.call(200, http.MethodPost, universal+"/client-secrets", `{}`)
		project := textAt(s.call(200, http.MethodPost, "/api/v1/projects", `{"projectName":"x"}`), "project", "id")
		s.change(`DELETE FROM memberships WHERE scope = 'organization' AND identity_id = '` + identityID + `'`)
		s.call(400, http.MethodPost, universal+"/client-secrets", `{}`)
		s.call(400, http.MethodPost, "/api/v1/projects/"+project+"/memberships/identities/"+identityID, `{"role":"viewer"}`)
	})
}

// TestThePanicButtonKillsEverything that belongs to the organization, whoever presses it: what identities hold, that of the
// instance administrator too, and what users hold. Whoever has credentials logs in again.
func TestThePanicButtonKillsEverything(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		identityID, _, worker := s.tokenWith(`{}`)
		s.call(200, http.MethodPatch, "/api/v1/identities/"+identityID, `{"role":"admin"}`)
		_, _, other := s.tokenWith(`{"accessTokenNumUsesLimit":10}`)
		plain := textAt(s.call(200, http.MethodPost, "/api/v3/auth/login", firstUser), "accessToken")
		choose := fmt.Sprintf(`{"organizationId":%q}`, s.org)
		root := s.admin
		s.admin = plain
		chosen := textAt(s.call(200, http.MethodPost, "/api/v3/auth/select-organization", choose), "token")
		slug := textAt(s.as(root, 200, http.MethodGet, "/api/v1/identities/details", ""), "identityDetails", "organization", "slug")

		s.as(worker, 200, http.MethodPost, "/api/v1/organization/revoke-tokens", fmt.Sprintf(`{"organizationSlug":%q}`, slug))
		for name, jwt := range map[string]string{"who pressed it": worker, "the instance administrator": root, "another identity": other, "a user": chosen} {
			if got := s.status(jwt); got != 401 {
				t.Errorf("the token of %s is answered %d", name, got)
			}
		}
		s.as(root, 401, http.MethodPost, "/api/v1/auth/token/renew", fmt.Sprintf(`{"accessToken":%q}`, root))
		s.as(plain, 401, http.MethodPost, "/api/v3/auth/select-organization", choose) // the session chose no organization, and cannot choose this one
		plain = textAt(s.call(200, http.MethodPost, "/api/v3/auth/login", firstUser), "accessToken")
		chosen = textAt(s.as(plain, 200, http.MethodPost, "/api/v3/auth/select-organization", choose), "token")
		s.as(chosen, 200, http.MethodGet, "/api/v1/admin/user-management/users", "") // its owner administers the instance again
	})
}

// as is call as the holder of another token.
func (s *site) as(jwt string, status int, method, path, body string) map[string]any {
	s.t.Helper()
	before := s.admin
	defer func() { s.admin = before }()
	s.admin = jwt
	return s.call(status, method, path, body)
}
