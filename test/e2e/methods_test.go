package e2e

import (
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport/sallyport/internal/auth/assertion/issuertest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// externals are the requests of those methods, and of users, by the tag of their routes.
var externals = map[string]map[string]func(*testing.T, *harness.Server) request{
	"JWT Auth":        externalRequests("jwt-auth", prepareJWT),
	"OIDC Auth":       externalRequests("oidc-auth", prepareOIDC),
	"Kubernetes Auth": externalRequests("kubernetes-auth", prepareKubernetes),
	"Users":           userRequests,
	"Secrets":         secretRequests,
	"Secret imports":  importRequests,
	"Keys":            keyRequests,
}

// externalRequests returns the requests of the five routes of a login method that trusts what others signed. prepare
// starts those others, and returns settings that trust them and what they signed.
func externalRequests(slug string, prepare func(*testing.T, *harness.Server) (settings object, jwt string)) map[string]func(*testing.T, *harness.Server) request {
	path := "/api/v1/auth/" + slug
	route := func(attached bool, make func(id string, settings object, jwt string) request) func(*testing.T, *harness.Server) request {
		return func(t *testing.T, s *harness.Server) request {
			id := s.NewIdentity(t, "no-access")
			own, jwt := prepare(t, s)
			all := maps.Clone(settings)
			maps.Copy(all, own)
			if attached {
				s.Admin.Call(t, http.MethodPost, path+"/identities/"+id, all).Want(200)
			}
			return make(id, all, jwt)
		}
	}
	with := func(id string, settings object, _ string) request {
		return request{path + "/identities/" + id, settings}
	}
	without := func(id string, _ object, _ string) request { return request{path + "/identities/" + id, nil} }
	return map[string]func(*testing.T, *harness.Server) request{
		"attach-" + slug: route(false, with), "update-" + slug: route(true, with),
		"get-" + slug: route(true, without), "detach-" + slug: route(true, without),
		"login-" + slug: route(true, func(id string, _ object, jwt string) request {
			return request{path + "/login", object{"identityId": id, "jwt": jwt, "organizationSlug": ""}}
		}),
	}
}

// needed are fields that an attach needs and a PATCH does not. One schema serves both, so it does not require them.
var needed = map[string][]string{"attach-jwt-auth": {"publicKeys"}, "attach-oidc-auth": {"oidcDiscoveryUrl", "boundIssuer"},
	"attach-kubernetes-auth": {"kubernetesHost"}}

// claimsNow are those of a token of an issuer that has just been made.
func claimsNow(s *harness.Server, issuer string) object {
	now := s.Clock.Now().Unix()
	return object{"iss": issuer, "sub": "job", "aud": "sallyport", "iat": now, "exp": now + 600, "ref": "main"}
}

func prepareJWT(t *testing.T, s *harness.Server) (object, string) {
	i := issuertest.Start(t)
	return object{"configurationType": "static", "publicKeys": []string{i.PublicKey(t)}, "jwksUrl": "", "jwksCaCert": "", "boundIssuer": i.URL, "boundAudiences": "sallyport",
		"boundSubject": "job", "boundClaims": object{"ref": "main"}, "oneTimeAssertions": false}, i.Sign(t, claimsNow(s, i.URL))
}

func prepareOIDC(t *testing.T, s *harness.Server) (object, string) {
	i := issuertest.Start(t)
	return object{"oidcDiscoveryUrl": i.URL, "caCert": i.CACert, "boundIssuer": i.URL, "boundAudiences": "sallyport", "boundSubject": "job",
		"boundClaims": object{"ref": "main"}, "claimMetadataMapping": object{"ref": "ref"}, "oneTimeAssertions": false}, i.Sign(t, claimsNow(s, i.URL))
}

func prepareKubernetes(t *testing.T, _ *harness.Server) (object, string) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"kind":"TokenReview","status":{"authenticated":true,"user":{"username":"system:serviceaccount:prod:deploy"},"audiences":["sallyport"]}}`))
	}))
	t.Cleanup(s.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return object{"kubernetesHost": s.URL, "caCert": ca, "tokenReviewerJwt": "reviewer", "tokenReviewMode": "api", "gatewayId": "", "verifyTlsCertificate": true,
		"allowedNamespaces": "prod", "allowedNames": "deploy", "allowedAudience": "sallyport"}, "service-account-token"
}
