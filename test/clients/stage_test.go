// Package clients has no code: its tests run the clients that people already use, unmodified, against the server.
package clients

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

type object = map[string]any

// stage is a server with a project, and the credentials of a workload that is a member of it.
type stage struct {
	*harness.Server
	projectID, projectSlug string
	identityID             string
	clientID, secret       string
	secretID               string
}

// onEach runs a test against a server on each engine.
func onEach(t *testing.T, fn func(t *testing.T, s *stage)) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			url := sqldbtest.URL(t, engine)
			fn(t, setUp(t, harness.StartReady(t, func(o *app.Options) { o.Config.DatabaseURL, o.Now = url, time.Now })))
		})
	}
}

// setUp does what an administrator does before a workload can read its secrets.
func setUp(t *testing.T, server *harness.Server) *stage {
	t.Helper()
	s := &stage{Server: server}
	made := s.Admin.Call(t, "POST", "/api/v1/projects", object{"projectName": "Shop", "slug": "shop-clients"}).Want(200)
	s.projectID, s.projectSlug = made.Text("project.id"), made.Text("project.slug")
	s.identityID = s.NewIdentity(t, "member")
	s.Admin.Call(t, "POST", "/api/v2/workspace/"+s.projectID+"/identity-memberships/"+s.identityID, object{"role": "admin"}).Want(200)
	at := "/api/v1/auth/universal-auth/identities/" + s.identityID
	s.clientID = s.Admin.Call(t, "POST", at, object{}).Want(200).Text("identityUniversalAuth.clientId")
	secret := s.Admin.Call(t, "POST", at+"/client-secrets", object{}).Want(200)
	s.secret, s.secretID = secret.Text("clientSecret"), secret.Text("clientSecretData.id")
	return s
}

// revokeSecret takes the workload's client secret back, and with it every token that it was given.
func (s *stage) revokeSecret(t *testing.T) {
	t.Helper()
	s.Admin.Call(t, "POST", "/api/v1/auth/universal-auth/identities/"+s.identityID+"/client-secrets/"+s.secretID+"/revoke", nil).Want(200)
}
