// Package oauth has no code: its test checks tokens as a service would that knows nothing of Sallyport, with the OAuth
// libraries that such services use. They are in a module of their own, so that they add nothing to the server's.
package oauth

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/zitadel/oidc/v3/pkg/client"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// issuer is where the service believes the server to be. Its HTTP client knows better.
const issuer = "https://sallyport.example"

// service is one that receives tokens: what it found out about the server, and the token it authenticates with itself.
type service struct {
	http     *http.Client
	metadata *oidc.DiscoveryConfiguration
	own      string
}

// The service is the resource server of RFC 7662, and the caller of RFC 7009.
func (s *service) IntrospectionURL() string  { return s.metadata.IntrospectionEndpoint }
func (s *service) TokenEndpoint() string     { return s.metadata.TokenEndpoint }
func (s *service) GetRevokeEndpoint() string { return s.metadata.RevocationEndpoint }
func (s *service) HttpClient() *http.Client  { return s.http }

// AuthFn authenticates the service at the introspection endpoint.
func (s *service) AuthFn() (any, error) {
	return httphelper.RequestAuthorization(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.own) }), nil
}

// redirect sends every request to the server that the test runs.
type redirect struct{ to *url.URL }

func (r redirect) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.URL.Scheme, request.URL.Host = r.to.Scheme, r.to.Host
	return http.DefaultTransport.RoundTrip(request)
}

// start starts a server, and a service that has read its metadata (RFC 8414).
func start(t *testing.T) (*harness.Server, *service) {
	t.Helper()
	server := harness.StartReady(t, func(o *app.Options) { o.Config.PublicURL = issuer })
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{http: &http.Client{Transport: redirect{at}}, own: server.Admin.Token}
	if s.metadata, err = client.Discover(t.Context(), issuer, s.http, issuer+"/.well-known/oauth-authorization-server"); err != nil {
		t.Fatal(err)
	}
	return server, s
}

// workload makes an identity and returns its id with an access token of it.
func workload(t *testing.T, s *harness.Server) (identityID, jwt string) {
	t.Helper()
	identityID = s.Admin.Call(t, "POST", "/api/v1/identities", map[string]any{"name": "billing", "organizationId": s.OrgID}).Want(200).Text("identity.id")
	s.Admin.Call(t, "POST", "/api/v1/auth/token-auth/identities/"+identityID, map[string]any{}).Want(200)
	made := s.Admin.Call(t, "POST", "/api/v1/auth/token-auth/identities/"+identityID+"/tokens", map[string]any{}).Want(200)
	return identityID, made.Text("accessToken")
}

// TestIntrospection follows a token through its life by introspection (RFC 7662) and ends it by revocation (RFC 7009).
func TestIntrospection(t *testing.T) {
	server, s := start(t)
	identityID, jwt := workload(t, server)
	found, err := rs.Introspect[*oidc.IntrospectionResponse](t.Context(), s, jwt)
	if err != nil {
		t.Fatal(err)
	}
	if !found.Active || found.Subject != identityID || found.Username != "billing" || found.Issuer != issuer || found.TokenType != oidc.BearerToken {
		t.Errorf("introspection says %+v; want the active token of %s", found, identityID)
	}
	if err := client.CallRevokeEndpoint(t.Context(), client.RevokeRequest{Token: jwt}, nil, s); err != nil {
		t.Fatal(err)
	}
	if found, err = rs.Introspect[*oidc.IntrospectionResponse](t.Context(), s, jwt); err != nil || found.Active {
		t.Errorf("after the revoke, introspection says %+v, %v; want inactive", found, err)
	}
}

// TestIntrospectionNeedsAToken: a stranger learns nothing.
func TestIntrospectionNeedsAToken(t *testing.T) {
	server, s := start(t)
	_, jwt := workload(t, server)
	s.own = "nobody"
	if found, err := rs.Introspect[*oidc.IntrospectionResponse](t.Context(), s, jwt); err == nil {
		t.Errorf("introspection says %+v to a stranger", found)
	}
}

// TestSignature checks tokens without asking the server about each: by its published keys (RFC 7517).
func TestSignature(t *testing.T) {
	server, s := start(t)
	_, jwt := workload(t, server)
	ctx := gooidc.ClientContext(t.Context(), s.http)
	verify := func(ctx context.Context, jwt, issuer string) error {
		keys := gooidc.NewRemoteKeySet(ctx, s.metadata.JwksURI)
		_, err := gooidc.NewVerifier(issuer, keys, &gooidc.Config{SkipClientIDCheck: true, Now: server.Clock.Now,
			SupportedSigningAlgs: []string{gooidc.ES256}}).Verify(ctx, jwt)
		return err
	}
	if err := verify(ctx, jwt, issuer); err != nil {
		t.Errorf("the token is refused: %v", err)
	}
	if verify(ctx, jwt, "https://elsewhere.example") == nil {
		t.Error("the token is accepted as that of another issuer")
	}
	if forged := jwt[:len(jwt)-10] + "AAAAAAAAAA"; verify(ctx, forged, issuer) == nil {
		t.Error("a forged signature is accepted")
	}
}
