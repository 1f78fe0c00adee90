package universal_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestARememberedSecretEnds: a client secret that logins found in memory is refused once it has ended, in each way there is, and
// stays refused after the server has forgotten the cutoff.
func TestARememberedSecretEnds(t *testing.T) {
	t.Parallel()
	call := func(c *client, method, path string, body any) {
		c.t.Helper()
		c.Admin.Call(c.t, method, path, body).Want(200)
	}
	for name, end := range map[string]func(c *client, secretID string){
		"revoked":          func(c *client, secretID string) { c.revoke(secretID) },
		"method detached":  func(c *client, _ string) { call(c, http.MethodDelete, c.base, nil) },
		"identity deleted": func(c *client, _ string) { call(c, http.MethodDelete, c.identity, nil) },
		"left and joined again": func(c *client, _ string) {
			member := "/api/v1/organization/identity-memberships/" + c.id
			call(c, http.MethodDelete, member, nil)
			call(c, http.MethodPost, member, object{"roles": []object{{"role": "no-access"}}})
		},
		"expired": func(c *client, _ string) { c.Clock.Advance(48 * time.Hour) },
	} {
		for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
			t.Run(name+"/"+string(engine), func(t *testing.T) {
				url := sqldbtest.URL(t, engine)
				c := attach(t, harness.StartReady(t, func(o *app.Options) {
					o.Config.DatabaseURL, o.Config.MaxTokenAge, o.CleanEvery = url, time.Hour, time.Millisecond
				}))
				plain, id := c.secret(object{"ttl": 48 * 3600})
				for range 3 {
					c.login(plain).Want(200)
				}
				end(c, id)
				c.login(plain).Want(401)
				c.Clock.Advance(25 * time.Hour)
				for range 50 { // meanwhile the cutoff goes
					c.login(plain).Want(401)
				}
			})
		}
	}
}

// TestARememberedSecretStays: revoking all tokens of an identity leaves its client secrets good.
func TestARememberedSecretStays(t *testing.T) {
	each(t, func(t *testing.T, s *harness.Server) {
		c := attach(t, s)
		plain, _ := c.secret(object{})
		for range 3 {
			made := c.login(plain).Want(200).Text("accessToken")
			s.Admin.Call(t, http.MethodPost, "/api/v1/identities/"+c.id+"/revoke-tokens", object{}).Want(200)
			if s.As(made).Works(t) {
				t.Error("a revoked token works")
			}
		}
	})
}
