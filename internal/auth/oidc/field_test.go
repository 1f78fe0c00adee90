package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/auth/assertion/issuertest"
)

// answer is what an issuer answers at a path: headers and body as the real one sends them. In the body, URL, MODULUS
// and KID stand for what differs from run to run.
type answer struct {
	path, contentType, body string
	only                    string // the one media type that a request has to accept, as go-restful checks it; "" for any
}

// real is an issuer as it really answers.
type real struct {
	name                 string
	discovery, keys      answer
	kid                  string
	claims               string // JSON; URL, IAT and EXP stand for what differs
	discoveryURL, issuer string // URL stands for the server's
	bound                object
}

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"

// field are the issuers that machines really come from.
var field = []real{
	{
		name: "kube-apiserver", kid: "Ga5RYIkrJmAjTSJ4jzOJKJQPwxzAFRBvXTRxfZRkzbg",
		discovery: answer{path: "/.well-known/openid-configuration", contentType: "application/json", only: "application/json",
			body: `{"issuer":"https://kubernetes.default.svc.cluster.local","jwks_uri":"URL/openid/v1/jwks","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}`},
		keys: answer{path: "/openid/v1/jwks", contentType: "application/jwk-set+json", only: "application/jwk-set+json",
			body: `{"keys":[{"use":"sig","kty":"RSA","kid":"KID","alg":"RS256","n":"MODULUS","e":"AQAB"}]}`},
		claims: `{"aud":["sallyport"],"exp":EXP,"iat":IAT,"iss":"https://kubernetes.default.svc.cluster.local","jti":"6a7e3b0e-7c0d-4a4f-8f0e-5a1c4f6f3a10","kubernetes.io":{"namespace":"prod","node":{"name":"node-1","uid":"646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1"},"pod":{"name":"deploy-7d9","uid":"5e0bd49b-f040-43b0-99b7-22765a53f7f3"},"serviceaccount":{"name":"deploy","uid":"14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"}},"nbf":IAT,"sub":"system:serviceaccount:prod:deploy"}`,
		issuer: "https://kubernetes.default.svc.cluster.local",
		bound:  object{"boundSubject": "system:serviceaccount:prod:*", "boundClaims": object{"kubernetes.io.serviceaccount.name": "deploy"}},
	},
	{
		name: "Dex", kid: "f42b5ea5b0d4a4d4a8b6c3de1e2b1f9d4a0e7c55", discoveryURL: "URL/dex", issuer: "URL/dex",
		discovery: answer{path: "/dex/.well-known/openid-configuration", contentType: "application/json",
			body: "{\n  \"issuer\": \"URL/dex\",\n  \"authorization_endpoint\": \"URL/dex/auth\",\n  \"token_endpoint\": \"URL/dex/token\",\n  \"jwks_uri\": \"URL/dex/keys\",\n  \"id_token_signing_alg_values_supported\": [\n    \"RS256\"\n  ]\n}"},
		keys: answer{path: "/dex/keys", contentType: "application/json",
			body: "{\n  \"keys\": [\n    {\n      \"use\": \"sig\",\n      \"kty\": \"RSA\",\n      \"kid\": \"KID\",\n      \"alg\": \"RS256\",\n      \"n\": \"MODULUS\",\n      \"e\": \"AQAB\"\n    }\n  ]\n}"},
		claims: `{"iss":"URL/dex","sub":"CgVqb2huLRIFbG9jYWw","aud":"sallyport","exp":EXP,"iat":IAT,"at_hash":"g2qCEyZkGmBjBXTzHQtGZA","email":"ci@example.com","email_verified":true,"name":"ci"}`,
		bound:  object{"boundSubject": "CgVqb2huLRIFbG9jYWw", "boundClaims": object{"email_verified": "true"}},
	},
	{
		// Before version 9 every token has nbf 0.
		name: "Keycloak 8", kid: "xM2ZBzI0CQyYAkvDyvD_pHnRJSxRd9kGNbsa-WQfS6A", discoveryURL: "URL/auth/realms/ci", issuer: "URL/auth/realms/ci",
		discovery: answer{path: "/auth/realms/ci/.well-known/openid-configuration", contentType: "application/json",
			body: `{"issuer":"URL/auth/realms/ci","authorization_endpoint":"URL/auth/realms/ci/protocol/openid-connect/auth","jwks_uri":"URL/auth/realms/ci/protocol/openid-connect/certs","grant_types_supported":["client_credentials"]}`},
		keys: answer{path: "/auth/realms/ci/protocol/openid-connect/certs", contentType: "application/json",
			body: `{"keys":[{"kid":"KID","kty":"RSA","alg":"RS256","use":"sig","n":"MODULUS","e":"AQAB","x5c":["MIICmzCCAYMCBgFs"],"x5t":"odd","x5t#S256":"odd"}]}`},
		claims: `{"jti":"b4c5f0a1-3f1c-4d59-9c2e-2f8c1d6a7e90","exp":EXP,"nbf":0,"iat":IAT,"iss":"URL/auth/realms/ci","aud":["sallyport","account"],"sub":"f1e3c0b2-5d8a-4d0b-9d8a-3c1a5b6c7d8e","typ":"Bearer","azp":"ci","auth_time":0,"session_state":"0","acr":"1","realm_access":{"roles":["offline_access","deploy"]},"scope":"email profile"}`,
		bound:  object{"boundClaims": object{"azp": "ci", "realm_access.roles": "deploy"}},
	},
	{
		// Its thumbprint is the base64 of the hex of a SHA-256 under the name for a SHA-1; its discovery URL ends like a token endpoint.
		name: "WSO2", kid: "MDZhMzUwMjE2ZDQ5YjQ5ZQ_RS256", discoveryURL: "URL/oauth2/token", issuer: "URL/oauth2/token",
		discovery: answer{path: "/oauth2/token/.well-known/openid-configuration", contentType: "application/json;charset=UTF-8",
			body: `{"request_parameter_supported":true,"jwks_uri":"URL/oauth2/jwks","issuer":"URL/oauth2/token","id_token_signing_alg_values_supported":["RS256"]}`},
		keys: answer{path: "/oauth2/jwks", contentType: "application/json",
			body: `{"keys":[{"kty":"RSA","e":"AQAB","use":"sig","kid":"MDZhMzUwMjE2ZDQ5YjQ5ZQ","alg":"RS256","n":"MODULUS"},{"kty":"RSA","x5t":"OWM1ZjMxNmQ2NzQ3ZDk0ZTQ1YzQ2ZTQ5NTUzMmFiMzE0ZDE1MzM2ZDcyYzQxNjIxNmFlYzQ0YjZkYzI5MWE0Yg","e":"AQAB","use":"sig","kid":"KID","alg":"RS256","n":"MODULUS"}]}`},
		claims: `{"sub":"ci","aut":"APPLICATION","aud":"sallyport","nbf":IAT,"azp":"sallyport","scope":"default","iss":"URL/oauth2/token","exp":EXP,"iat":IAT,"jti":"5c1e1f9b-9a58-4a4f-8b5c-2a0f6f1f9b1d","client_id":"sallyport"}`,
		bound:  object{"boundSubject": "ci", "boundClaims": object{"aut": "APPLICATION"}},
	},
	{
		name: "GitHub", kid: "cc413527-173f-5a05-976e-9c52b1d7b431",
		discovery: answer{path: "/.well-known/openid-configuration", contentType: "application/json; charset=utf-8",
			body: `{"issuer":"URL","jwks_uri":"URL/.well-known/jwks","subject_types_supported":["public","pairwise"],"response_types_supported":["id_token"],"claims_supported":["sub","aud","exp","iat","iss","jti","nbf","ref","sha","repository","repository_id"],"id_token_signing_alg_values_supported":["RS256"],"scopes_supported":["openid"]}`},
		keys: answer{path: "/.well-known/jwks", contentType: "application/json; charset=utf-8",
			body: `{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"KID","n":"MODULUS","e":"AQAB"},{"n":"MODULUS","kty":"RSA","kid":"78167F727DEC5D801DD1C8784C704A1C880EC0E1","alg":"RS256","e":"AQAB","use":"sig","x5c":["MIIDrDCCApSgAwIBAgIQMPdKi0TFTMqmg1HHo6FfsDANBgkqhkiG9w0BAQsFADA2"],"x5t":"eBZ_cn3sXYAd0ch4THBKHIgOwOE"}]}`},
		claims: `{"jti":"example-id","sub":"repo:octocat-123456/my-repo-456789:ref:refs/heads/main","aud":"sallyport","ref":"refs/heads/main","sha":"example-sha","repository":"octocat/my-repo","repository_owner":"octocat","actor_id":"12","repository_visibility":"private","repository_id":"456789","repository_owner_id":"123456","run_id":"1","run_number":"10","run_attempt":"2","runner_environment":"github-hosted","actor":"octocat","workflow":"build","head_ref":"","base_ref":"","event_name":"push","ref_type":"branch","job_workflow_ref":"octocat/my-repo/.github/workflows/build.yml@refs/heads/main","iss":"URL","nbf":IAT,"exp":EXP,"iat":IAT}`,
		bound:  object{"boundClaims": object{"repository_id": "456789", "repository_owner_id": "123456", "ref": "refs/heads/main"}},
	},
	{
		name: "GitLab", kid: "4i3sFE7sxqNPOT7FdvcGA1ZVGGI_r-tsDXnEuYT4ZqE",
		discovery: answer{path: "/.well-known/openid-configuration", contentType: "application/json; charset=utf-8",
			body: `{"issuer":"URL","authorization_endpoint":"URL/oauth/authorize","token_endpoint":"URL/oauth/token","jwks_uri":"URL/oauth/discovery/keys","subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}`},
		keys: answer{path: "/oauth/discovery/keys", contentType: "application/json; charset=utf-8",
			body: `{"keys":[{"kty":"RSA","kid":"KID","e":"AQAB","n":"MODULUS","use":"sig","alg":"RS256"},{"kty":"RSA","kid":"kewiQq9jiC84CvSsJYOB-N6A8WFLSV20Mb-y7IlWDSQ","e":"AQAB","n":"MODULUS","use":"sig","alg":"RS256"}]}`},
		claims: `{"namespace_id":"72","namespace_path":"my-group","project_id":"20","project_path":"my-group/my-project","user_id":"1","user_login":"sample-user","user_identities":[{"provider":"github","extern_uid":"2435223452345"}],"pipeline_id":"574","job_id":"302","ref":"feature-branch-1","ref_type":"branch","ref_path":"refs/heads/feature-branch-1","ref_protected":"false","runner_environment":"self-hosted","iss":"URL","iat":IAT,"nbf":IAT,"exp":EXP,"sub":"project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1","aud":"sallyport","jti":"235b3a54-b797-45c7-ae9a-f72d7bc6ef5b"}`,
		bound:  object{"boundSubject": "project_path:my-group/my-project:ref_type:branch:ref:*", "boundClaims": object{"project_id": "20", "ref_protected": "false,true"}},
	},
	{
		// It answers for version 1 tokens from the host of version 2.
		name: "Entra, version 1", kid: "-KI3Q9nNR7bRofxmeZoXqbHZGew", discoveryURL: "URL/" + tenant, issuer: "https://sts.windows.net/" + tenant + "/",
		discovery: answer{path: "/" + tenant + "/.well-known/openid-configuration", contentType: "application/json; charset=utf-8",
			body: `{"token_endpoint":"URL/` + tenant + `/oauth2/token","jwks_uri":"URL/common/discovery/keys","issuer":"https://sts.windows.net/` + tenant + `/"}`},
		keys: answer{path: "/common/discovery/keys", contentType: "application/json; charset=utf-8",
			body: `{"keys":[{"kty":"RSA","use":"sig","kid":"KID","x5t":"KID","n":"MODULUS","e":"AQAB","x5c":["MIIC/TCCAeWgAwIBAgIIUd7j"]}]}`},
		claims: `{"aud":"sallyport","iss":"https://sts.windows.net/` + tenant + `/","iat":IAT,"nbf":IAT,"exp":EXP,"aio":"E2ZgYA","appid":"11111111-1111-1111-1111-111111111111","idtyp":"app","oid":"22222222-2222-2222-2222-222222222222","sub":"22222222-2222-2222-2222-222222222222","tid":"` + tenant + `","ver":"1.0"}`,
		bound:  object{"boundClaims": object{"tid": tenant, "oid": "22222222-2222-2222-2222-222222222222"}},
	},
	{
		name: "Entra, for all tenants", kid: "kid-1", discoveryURL: "URL/common/v2.0", issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0",
		discovery: answer{path: "/common/v2.0/.well-known/openid-configuration", contentType: "application/json; charset=utf-8",
			body: `{"jwks_uri":"URL/common/discovery/v2.0/keys","issuer":"https://login.microsoftonline.com/{tenantid}/v2.0"}`},
		keys: answer{path: "/common/discovery/v2.0/keys", contentType: "application/json; charset=utf-8",
			body: `{"keys":[{"kty":"RSA","use":"sig","kid":"KID","x5t":"KID","n":"MODULUS","e":"AQAB","x5c":["MIIC"],"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0"}]}`},
		claims: `{"aud":"sallyport","iss":"https://login.microsoftonline.com/` + tenant + `/v2.0","iat":IAT,"nbf":IAT,"exp":EXP,"sub":"s","tid":"` + tenant + `","ver":"2.0"}`,
		bound:  object{"boundClaims": object{"tid": tenant}},
	},
}

// peer is a real issuer that runs.
type peer struct {
	real
	url, ca string
	key     *rsa.PrivateKey
	fill    *strings.Replacer
}

func (r real) start(t *testing.T, f fixture, key *rsa.PrivateKey) *peer {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	now := f.server.Clock.Now().Unix()
	number := func(n int64) string { return big.NewInt(n).String() }
	p := &peer{real: r, url: s.URL, ca: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})), key: key,
		fill: strings.NewReplacer("URL", s.URL, "MODULUS", base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "KID", r.kid,
			"IAT", number(now), "EXP", number(now+300))}
	for _, a := range []answer{r.discovery, r.keys} {
		mux.HandleFunc("GET "+a.path, func(w http.ResponseWriter, request *http.Request) {
			if a.only != "" && !accepts(request, a.only) {
				http.Error(w, "406: Not Acceptable\n\nAvailable representations: "+a.only, http.StatusNotAcceptable)
				return
			}
			w.Header().Set("Content-Type", a.contentType)
			_, _ = w.Write([]byte(p.fill.Replace(a.body)))
		})
	}
	return p
}

// accepts reports whether a request takes a media type, as go-restful decides it.
func accepts(r *http.Request, mediaType string) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept"), ","), func(part string) bool {
		named, _, err := mime.ParseMediaType(strings.TrimSpace(part))
		return err == nil && (named == mediaType || named == "*/*")
	})
}

func (p *peer) sign(t *testing.T) string {
	t.Helper()
	return issuertest.Sign(t, jose.RS256, p.key, p.kid, json.RawMessage(p.fill.Replace(p.claims)))
}

// settings are those of OIDC Auth for the issuer.
func (p *peer) settings() object {
	from := func(text string) string {
		if text == "" {
			text = "URL"
		}
		return p.fill.Replace(text)
	}
	settings := object{"oidcDiscoveryUrl": from(p.discoveryURL), "caCert": p.ca, "boundIssuer": from(p.issuer), "boundAudiences": "sallyport"}
	for name, value := range p.bound {
		settings[name] = value
	}
	return settings
}

// TestIssuersInTheField logs in with a token of each issuer as it really answers, by OIDC Auth and by JWT Auth.
func TestIssuersInTheField(t *testing.T) {
	t.Parallel()
	f := start(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range field {
		t.Run(r.name, func(t *testing.T) {
			p := r.start(t, f, key)
			f.login(t, f.attach(t, p.settings()), p.sign(t)).Want(200)
			id := f.NewIdentity(t)
			settings := p.settings()
			delete(settings, "oidcDiscoveryUrl")
			settings["configurationType"], settings["jwksUrl"], settings["jwksCaCert"] = "jwks", p.url+p.keys.path, p.ca
			f.server.Admin.Call(t, http.MethodPost, "/api/v1/auth/jwt-auth/identities/"+id, settings).Want(200)
			f.server.As("").Call(t, http.MethodPost, "/api/v1/auth/jwt-auth/login", object{"identityId": id, "jwt": p.sign(t)}).Want(200)
			settings = p.settings()
			settings["boundIssuer"] = settings["boundIssuer"].(string) + "x"
			refused := f.login(t, f.attach(t, settings), p.sign(t)).WantError(400, "BadRequest")
			if !strings.Contains(refused.Text("message"), "boundIssuer") {
				t.Errorf("an issuer that is another one is refused by %s", refused.Body)
			}
		})
	}
}

// TestSubjectsOfGitHub: who is bound by name and comes with ids is told so, and what to bind instead.
func TestSubjectsOfGitHub(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.settings(object{"boundSubject": "repo:octocat/my-repo:ref:refs/heads/main", "boundClaims": object{}}))
	claims := f.claims(object{"sub": "repo:octocat-123456/my-repo-456789:ref:refs/heads/main", "repository_id": "456789", "repository_owner_id": "123456"})
	message := f.login(t, id, f.issuer.Sign(t, claims)).WantError(403, "ForbiddenError").Text("message")
	for _, part := range []string{"repo:OWNER/REPOSITORY:", "has the form repo:OWNER-OWNER_ID/REPOSITORY-REPOSITORY_ID:", "repository_id", "repository_owner_id"} {
		if !strings.Contains(message, part) {
			t.Errorf("the message %q does not speak of %s", message, part)
		}
	}
	byID := object{"boundSubject": "", "boundClaims": object{"repository_id": "456789", "repository_owner_id": "123456"}}
	for name, sub := range map[string]string{"by name": "repo:octocat/my-repo:ref:refs/heads/main", "by id": "repo:octocat-123456/my-repo-456789:ref:refs/heads/main"} {
		t.Run("accepted/"+name, func(t *testing.T) {
			claims["sub"] = sub
			f.login(t, f.attach(t, f.settings(byID)), f.issuer.Sign(t, claims)).Want(200)
		})
	}
}

// TestKeysThatKeepTheirID: an issuer replaces its key and names the new one like the old one, or names none.
func TestKeysThatKeepTheirID(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, kid := range []string{"same", ""} {
		t.Run("kid "+kid, func(t *testing.T) {
			f.issuer = issuertest.Start(t)
			f.issuer.Rotate(t, kid)
			id := f.attach(t, f.settings(nil))
			old := f.issuer.Sign(t, f.claims(nil))
			f.login(t, id, old).Want(200)
			f.issuer.Rotate(t, kid)
			fresh := f.issuer.Sign(t, f.claims(nil))
			f.login(t, id, fresh).Want(401) // the keys were fetched this very second
			f.server.Clock.Advance(5 * time.Second)
			f.login(t, id, fresh).Want(200)
			f.login(t, id, old).Want(401)
			if got := f.issuer.Fetches.Load(); got != 2 {
				t.Errorf("the keys were fetched %d times, want 2", got)
			}
		})
	}
}
