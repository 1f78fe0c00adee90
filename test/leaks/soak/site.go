package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/sallyport/sallyport/test/cluster"
)

// site is the server and what callers work with on it.
type site struct {
	*cluster.Replica
	admin, identity        string
	clientID, clientSecret string
	project                string
	answers                atomic.Int64
}

const secrets = 50 // that are read and changed

// furnish makes an identity with two ways to log in, and a project with secrets.
func furnish(ctx context.Context, c *cluster.Cluster) (*site, error) {
	s := &site{Replica: c.Replicas[0], admin: c.Admin}
	made, err := s.must(ctx, http.MethodPost, "/api/v1/identities", map[string]any{"name": "worker", "organizationId": c.OrgID, "role": "admin"})
	if err != nil {
		return nil, err
	}
	s.identity = made.Text("identity.id")
	short := map[string]any{"accessTokenTTL": 60, "accessTokenMaxTTL": 3600}
	for path, take := range map[string]func(*cluster.Answer){
		tokenAuth + s.identity:     func(*cluster.Answer) {},
		universalAuth + s.identity: func(a *cluster.Answer) { s.clientID = a.Text("identityUniversalAuth.clientId") },
	} {
		if made, err = s.must(ctx, http.MethodPost, path, short); err != nil {
			return nil, err
		}
		take(made)
	}
	if made, err = s.must(ctx, http.MethodPost, universalAuth+s.identity+"/client-secrets", map[string]any{}); err != nil {
		return nil, err
	}
	s.clientSecret = made.Text("clientSecret")
	return s, s.stock(ctx)
}

// stock makes the project and its secrets.
func (s *site) stock(ctx context.Context) error {
	made, err := s.must(ctx, http.MethodPost, "/api/v1/projects", map[string]any{"projectName": "Soak"})
	if err != nil {
		return err
	}
	s.project = made.Text("project.id")
	if _, err := s.must(ctx, http.MethodPost, "/api/v1/projects/"+s.project+"/memberships/identities/"+s.identity, map[string]any{"role": "admin"}); err != nil {
		return err
	}
	for n := range secrets {
		if _, err := s.must(ctx, http.MethodPost, secretPath(n), s.value("first")); err != nil {
			return err
		}
	}
	return nil
}

// value is the body of a request that writes a secret.
func (s *site) value(text string) map[string]any {
	return map[string]any{"projectId": s.project, "environment": "dev", "secretPath": "/", "secretValue": text}
}

func secretPath(n int) string { return fmt.Sprintf("/api/v4/secrets/SECRET_%d", n) }

// must calls as the administrator, and returns an error unless the answer is 200.
func (s *site) must(ctx context.Context, method, path string, body any) (*cluster.Answer, error) {
	a, err := s.Call(ctx, method, path, s.admin, body)
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("%s %s answered %d %s", method, path, a.Status, a.Body)
	}
	return a, err
}

const (
	tokenAuth     = "/api/v1/auth/token-auth/identities/"
	universalAuth = "/api/v1/auth/universal-auth/identities/"
)
