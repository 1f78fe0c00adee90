package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestIssuerIsOneText: what the metadata calls the issuer is, to the letter, what tokens carry as iss and what
// introspection answers, whatever form the public URL was given in.
func TestIssuerIsOneText(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://sp.example.com": "https://sp.example.com", "https://sp.example.com/": "https://sp.example.com", "https://sp.example.com//": "https://sp.example.com",
		"https://example.com/sallyport": "https://example.com/sallyport", "https://example.com/a/b/": "https://example.com/a/b", "": "http://127.0.0.1:8080",
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			s := harness.StartReady(t, func(o *app.Options) { o.Config.PublicURL = given })
			user := s.As("").Call(t, http.MethodPost, "/api/v3/auth/login", map[string]any{"email": "admin@example.com", "password": "correct horse"}).Want(200)
			worker := s.NewActor(t, "no-access", nil)
			said := map[string]any{"a token of the bootstrap": harness.Claims(t, s.Admin.Token)["iss"], "a token": harness.Claims(t, worker.Token)["iss"],
				"a user's token": harness.Claims(t, user.Text("accessToken"))["iss"], "introspection": introspect(t, s, worker.Token)}
			paths := []string{"/.well-known/oauth-authorization-server"}
			if u, err := url.Parse(given); err == nil && strings.Trim(u.Path, "/") != "" {
				paths = append(paths, paths[0]+"/"+strings.Trim(u.Path, "/")) // RFC 8414 section 3.1
			}
			for _, path := range paths {
				said["metadata at "+path] = s.As("").Call(t, http.MethodGet, path, nil).Want(200).Text("issuer")
			}
			for where, got := range said {
				if got != want {
					t.Errorf("%s: the issuer is %v, want %s", where, got, want)
				}
			}
		})
	}
}

func introspect(t *testing.T, s *harness.Server, token string) any {
	t.Helper()
	return s.Admin.Call(t, http.MethodPost, "/api/v1/oauth/introspect", map[string]any{"token": token}).Want(200).At("iss")
}
