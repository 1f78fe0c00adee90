package e2e

import (
	"net/http"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// pile collects JWTs from several goroutines.
type pile struct {
	mu   sync.Mutex
	jwts []string
}

// add keeps the JWT of an answer, if it is one.
func (p *pile) add(a *harness.Answer) {
	if a.Status == http.StatusOK {
		p.mu.Lock()
		p.jwts = append(p.jwts, a.Text("accessToken"))
		p.mu.Unlock()
	}
}

// TestNoSurvivor revokes while up to 1,000 renewals and logins race with it: none of the JWTs that they were ever given works
// once the revoke was answered. Who logs in after it is another matter, unless the credentials are gone too.
func TestNoSurvivor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		racing int
		logins bool // may go on during the revoke: afterwards there are none
		revoke func(u universal) (path string, body any)
	}{
		"client secret": {1000, true, func(u universal) (string, any) {
			return universalPath + u.ID + "/client-secrets/" + u.SecretID + "/revoke", nil
		}},
		"tokens of a client secret": {100, false, func(u universal) (string, any) {
			return universalPath + u.ID + "/client-secrets/" + u.SecretID + "/revoke-tokens", nil
		}},
		"tokens of an identity": {1000, false, func(u universal) (string, any) { return harness.Identities + "/" + u.ID + "/revoke-tokens", object{} }},
		"tokens of a method": {100, false, func(u universal) (string, any) {
			return harness.Identities + "/" + u.ID + "/revoke-tokens", object{"authMethod": "universal-auth"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUniversal(t, shared)
			login := func() *harness.Answer {
				return shared.As("").Call(t, http.MethodPost, "/api/v1/auth/universal-auth/login", object{"clientId": u.ClientID, "clientSecret": u.Secret})
			}
			first, all := login().Want(200).Text("accessToken"), pile{}
			path, body := c.revoke(u)
			atOnce(c.racing+1, func(i int) {
				switch {
				case i == c.racing/2:
					shared.Admin.Call(t, http.MethodPost, path, body).Want(200)
				case i%2 == 0 && c.logins:
					all.add(login())
				default:
					all.add(renew(t, shared, first))
				}
			})
			for _, jwt := range append(all.jwts, first) {
				if shared.As(jwt).Works(t) {
					t.Fatal("a token survived")
				}
			}
			t.Logf("%d tokens were made meanwhile", len(all.jwts))
		})
	}
}
