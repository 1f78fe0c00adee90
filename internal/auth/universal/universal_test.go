package universal_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

type object = map[string]any

const (
	base  = "/api/v1/auth/universal-auth/identities/"
	login = "/api/v1/auth/universal-auth/login"
)

// client is an identity with Universal Auth.
type client struct {
	*harness.Server
	t              *testing.T
	id, clientID   string
	base, identity string // paths
}

func each(t *testing.T, fn func(t *testing.T, s *harness.Server)) {
	t.Helper()
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := sqldbtest.URL(t, engine)
			fn(t, harness.StartReady(t, func(o *app.Options) { o.Config.DatabaseURL = url }))
		})
	}
}

func attach(t *testing.T, s *harness.Server) *client {
	t.Helper()
	c := &client{Server: s, t: t, id: s.NewIdentity(t, "no-access")}
	c.base, c.identity = base+c.id, "/api/v1/identities/"+c.id
	c.attach()
	return c
}

func (c *client) attach() {
	c.t.Helper()
	c.clientID = c.Admin.Call(c.t, http.MethodPost, c.base, object{}).Want(200).Text("identityUniversalAuth.clientId")
}

// secret makes a client secret.
func (c *client) secret(body object) (plain, id string) {
	c.t.Helper()
	a := c.Admin.Call(c.t, http.MethodPost, c.base+"/client-secrets", body).Want(200)
	return a.Text("clientSecret"), a.Text("clientSecretData.id")
}

func (c *client) login(secret string) *harness.Answer {
	c.t.Helper()
	return c.As("").Call(c.t, http.MethodPost, login, object{"clientId": c.clientID, "clientSecret": secret})
}

func (c *client) revoke(id string) {
	c.t.Helper()
	c.Admin.Call(c.t, http.MethodPost, c.base+"/client-secrets/"+id+"/revoke", nil).Want(200)
}

// TestEndedSecretsAreTold: a secret that was revoked, has expired or is used up is told as revoked, and no list has it.
func TestEndedSecretsAreTold(t *testing.T) {
	each(t, func(t *testing.T, s *harness.Server) {
		c := attach(t, s)
		for name, step := range map[string]struct {
			body object
			end  func(plain, id string)
		}{
			"revoked":                   {object{}, func(_, id string) { c.revoke(id) }},
			"expired":                   {object{"ttl": 60}, func(string, string) { s.Clock.Advance(time.Minute) }},
			"used up":                   {object{"numUsesLimit": 2}, func(plain, _ string) { c.login(plain).Want(200); c.login(plain).Want(200) }},
			"used up before it expires": {object{"numUsesLimit": 1, "ttl": 3600}, func(plain, _ string) { c.login(plain).Want(200) }},
			"expired and revoked":       {object{"ttl": 60}, func(_, id string) { s.Clock.Advance(time.Hour); c.revoke(id) }},
		} {
			plain, id := c.secret(step.body)
			told := func() (revoked any, listed bool) {
				revoked = c.Admin.Call(t, http.MethodGet, c.base+"/client-secrets/"+id, nil).Want(200).At("clientSecretData.isClientSecretRevoked")
				list := c.Admin.Call(t, http.MethodGet, c.base+"/client-secrets", nil).Want(200).List("clientSecretData", "id")
				return revoked, slices.Contains(list, id)
			}
			if revoked, listed := told(); revoked != false || !listed {
				t.Errorf("%s: before it is told as revoked: %v, listed: %v", name, revoked, listed)
			}
			step.end(plain, id)
			c.login(plain).Want(401)
			if revoked, listed := told(); revoked != true || listed {
				t.Errorf("%s: it is told as revoked: %v, listed: %v", name, revoked, listed)
			}
		}
	})
}

// TestOnlyGuessesLockOut: machines that still have a secret which ended do not lock out those behind the same address that
// have a good one. Whoever guesses is locked out.
func TestOnlyGuessesLockOut(t *testing.T) {
	each(t, func(t *testing.T, s *harness.Server) {
		c := attach(t, s)
		revoked, id := c.secret(object{})
		c.revoke(id)
		spent, _ := c.secret(object{"numUsesLimit": 1})
		c.login(spent).Want(200)
		expired, _ := c.secret(object{"ttl": 1})
		s.Clock.Advance(2 * time.Second)
		good, _ := c.secret(object{})
		for _, old := range []string{revoked, spent, expired} {
			for range 5 {
				c.login(old).Want(401)
			}
			c.login(good).Want(200)
		}
		for range 3 {
			c.login("wrong").Want(401)
		}
		c.login(good).Want(401)
	})
}

// TestLockoutsAreTold wherever an identity is shown, until they end: by time, by an act, or with the method.
func TestLockoutsAreTold(t *testing.T) {
	each(t, func(t *testing.T, s *harness.Server) {
		c := attach(t, s)
		good, _ := c.secret(object{})
		project := s.Admin.Call(t, http.MethodPost, "/api/v1/projects", object{"projectName": "P"}).Want(200).Text("project.id")
		member := "/api/v1/projects/" + project + "/memberships/identities/" + c.id
		s.Admin.Call(t, http.MethodPost, member, object{"role": "viewer"}).Want(200)
		lock := func() {
			for range 3 {
				c.login("wrong").Want(401)
			}
		}
		told := func(want ...string) {
			t.Helper()
			for path, at := range map[string]string{c.identity: "identity.identity", member: "identityMembership.identity"} {
				got, _ := s.Admin.Call(t, http.MethodGet, path, nil).Want(200).At(at + ".activeLockoutAuthMethods").([]any)
				same := len(got) == len(want)
				for i := range want {
					same = same && got[i] == want[i]
				}
				if !same {
					t.Errorf("GET %s tells of the lockouts %v, want %v", path, got, want)
				}
			}
		}
		told()
		lock()
		told("universal-auth")
		s.Clock.Advance(5 * time.Minute)
		told()
		c.login(good).Want(200)
		lock()
		if got := s.Admin.Call(t, http.MethodPost, c.base+"/clear-lockouts", nil).Want(200).Number("deleted"); got != 1 {
			t.Errorf("%v lockouts were cleared, want 1", got)
		}
		told()
		lock()
		s.Admin.Call(t, http.MethodDelete, c.base, nil).Want(200)
		told()
		c.attach()
		again, _ := c.secret(object{})
		c.login(again).Want(200)
	})
}

// TestUsesAreTrueWhenRead: a login is told at once by the replica that let it in.
func TestUsesAreTrueWhenRead(t *testing.T) {
	each(t, func(t *testing.T, s *harness.Server) {
		c := attach(t, s)
		plain, id := c.secret(object{})
		for n := range int64(3) {
			s.As("").Call(t, http.MethodPost, login, object{"clientId": c.clientID, "clientSecret": plain}).Want(200)
			path := c.base + "/client-secrets/" + id
			if got := s.Admin.Call(t, http.MethodGet, path, nil).Want(200).Number("clientSecretData.clientSecretNumUses"); got != n+1 {
				t.Errorf("after login %d: %d uses", n+1, got)
			}
		}
		revoked := s.Admin.Call(t, http.MethodPost, c.base+"/client-secrets/"+id+"/revoke", nil).Want(200)
		if got := revoked.Number("clientSecretData.clientSecretNumUses"); got != 3 {
			t.Errorf("the revoke tells %d uses; want 3", got)
		}
	})
}
