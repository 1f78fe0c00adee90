package oidc_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/auth/assertion/issuertest"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

type object = map[string]any

const (
	base  = "/api/v1/auth/oidc-auth/identities/"
	login = "/api/v1/auth/oidc-auth/login"
)

type fixture struct {
	server *harness.Server
	issuer *issuertest.Issuer
}

func start(t *testing.T, options ...harness.Option) fixture {
	t.Helper()
	return fixture{harness.StartReady(t, options...), issuertest.Start(t)}
}

func (f fixture) settings(changes object) object {
	settings := object{"oidcDiscoveryUrl": f.issuer.URL, "caCert": f.issuer.CACert, "boundIssuer": f.issuer.URL, "boundAudiences": "sallyport",
		"boundSubject": "repo:acme/*", "boundClaims": object{"ref": "refs/heads/main, refs/tags/*"}}
	maps.Copy(settings, changes)
	return settings
}

func (f fixture) attach(t *testing.T, settings object) (identityID string) {
	t.Helper()
	identityID = f.server.NewIdentity(t, "no-access")
	f.server.Admin.Call(t, http.MethodPost, base+identityID, settings).Want(200)
	return identityID
}

func (f fixture) claims(changes object) object {
	now := f.server.Clock.Now().Unix()
	claims := object{"iss": f.issuer.URL, "sub": "repo:acme/site", "aud": "sallyport", "iat": now, "exp": now + 300, "jti": "1",
		"ref": "refs/heads/main", "job": object{"id": 7, "runner": "linux"}}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

func (f fixture) login(t *testing.T, identityID, jwt string) *harness.Answer {
	t.Helper()
	return f.server.As("").Call(t, http.MethodPost, login, object{"identityId": identityID, "jwt": jwt})
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := sqldbtest.URL(t, engine)
			f := start(t, func(o *app.Options) { o.Config.DatabaseURL = url })
			for name, discovery := range map[string]string{"by the issuer's URL": f.issuer.URL, "with a slash": f.issuer.URL + "/",
				"by the document's URL": f.issuer.URL + issuertest.Discovery} {
				t.Run("accepted/"+name, func(t *testing.T) {
					id := f.attach(t, f.settings(object{"oidcDiscoveryUrl": discovery,
						"claimMetadataMapping": object{"runner": "job.runner", "job": "job.id"}}))
					jwt := f.login(t, id, f.issuer.Sign(t, f.claims(nil))).Want(200).Text("accessToken")
					if !f.server.As(jwt).Works(t) {
						t.Error("the token does not work")
					}
					got, _ := json.Marshal(harness.Claims(t, jwt)["identityAuth"])
					if diff := cmp.Diff(`{"oidc":{"claims":{"job":7,"runner":"linux"}}}`, string(got)); diff != "" {
						t.Errorf("the token says of the login: %s", diff)
					}
					renewed := f.server.As("").Call(t, http.MethodPost, "/api/v1/auth/token/renew", object{"accessToken": jwt}).Want(200)
					again, _ := json.Marshal(harness.Claims(t, renewed.Text("accessToken"))["identityAuth"])
					if diff := cmp.Diff(string(got), string(again)); diff != "" {
						t.Errorf("a renewal changes what the token says of the login: %s", diff)
					}
				})
			}
		})
	}
}

func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.settings(object{"claimMetadataMapping": object{"runner": "job.runner"}}))
	now := f.server.Clock.Now().Unix()
	other := issuertest.Start(t)
	for name, c := range map[string]struct {
		jwt    string
		status int
		word   string // of the message
	}{
		"expired":                   {f.issuer.Sign(t, f.claims(object{"exp": now})), 401, "expired"},
		"not valid yet":             {f.issuer.Sign(t, f.claims(object{"nbf": now + 60})), 401, "not valid yet"},
		"another issuer":            {f.issuer.Sign(t, f.claims(object{"iss": other.URL})), 403, "issuer"},
		"another subject":           {f.issuer.Sign(t, f.claims(object{"sub": "repo:evil/site"})), 403, "subject"},
		"another audience":          {f.issuer.Sign(t, f.claims(object{"aud": "vault"})), 401, "audience"},
		"another claim":             {f.issuer.Sign(t, f.claims(object{"ref": "refs/heads/dev"})), 401, "ref"},
		"without a mapped claim":    {f.issuer.Sign(t, f.claims(object{"job": nil})), 401, "job.runner"},
		"signed by another":         {other.Sign(t, f.claims(nil)), 401, "signature"},
		"algorithm none":            {issuertest.Unsigned(t, f.claims(nil)), 401, "algorithm"},
		"HMAC with the public key":  {issuertest.Sign(t, jose.HS256, []byte(f.issuer.PublicKey(t)), "first", f.claims(nil)), 401, "algorithm"},
		"a claim too long to carry": {f.issuer.Sign(t, f.claims(object{"job": object{"runner": strings.Repeat("x", 3000)}})), 401, "bytes"},
		"a mangled header":          {strings.Replace(f.issuer.Sign(t, f.claims(nil)), "eyJ", "eyJ0", 1), 401, "JWT"},
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			a := f.login(t, id, c.jwt).Want(c.status)
			if !strings.Contains(a.Text("message"), c.word) {
				t.Errorf("the message %q does not speak of %q", a.Text("message"), c.word)
			}
		})
	}
	t.Run("refused/empty", func(t *testing.T) { f.login(t, id, "").Want(422) })
	t.Run("refused/of 32 KB", func(t *testing.T) { f.login(t, id, strings.Repeat("a", 32<<10)).Want(422) })
	t.Run("refused/of 1 MB", func(t *testing.T) { f.login(t, id, strings.Repeat("a", 1<<20)).Want(413) })
}

func TestRotatedKeys(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.settings(nil))
	f.login(t, id, f.issuer.Sign(t, f.claims(nil))).Want(200)
	f.issuer.Rotate(t, "second")
	f.login(t, id, f.issuer.Sign(t, f.claims(nil))).Want(401) // the keys were fetched this very second
	f.server.Clock.Advance(6 * time.Second)
	f.login(t, id, f.issuer.Sign(t, f.claims(nil))).Want(200)
	for range 5 {
		f.login(t, id, f.issuer.Sign(t, f.claims(nil))).Want(200)
	}
	if got := f.issuer.Fetches.Load(); got != 2 {
		t.Errorf("the keys were fetched %d times, want 2", got)
	}
}

func TestEndpointsThatFail(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.settings(nil))
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
	}
	for name, c := range map[string]struct {
		path   string
		answer http.HandlerFunc
		which  string
	}{
		"discovery is gone":               {issuertest.Discovery, http.NotFound, "discovery endpoint"},
		"discovery has no jwks_uri":       {issuertest.Discovery, text(`{}`), "discovery endpoint"},
		"discovery leads to plain http":   {issuertest.Discovery, text(`{"issuer":"` + f.issuer.URL + `","jwks_uri":"http://127.0.0.1/"}`), "discovery endpoint"},
		"discovery redirects":             {issuertest.Discovery, http.RedirectHandler("/keys", http.StatusFound).ServeHTTP, "discovery endpoint"},
		"discovery has 2 MB":              {issuertest.Discovery, text(strings.Repeat(" ", 2<<20)), "discovery endpoint"},
		"the keys are gone":               {issuertest.JWKS, http.NotFound, "JWKS endpoint"},
		"there are no keys":               {issuertest.JWKS, text(`{"keys":[]}`), "JWKS endpoint"},
		"there are only keys for secrets": {issuertest.JWKS, text(`{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"first"}]}`), "JWKS endpoint"},
	} {
		t.Run("unavailable/"+name, func(t *testing.T) {
			f.issuer.Replace(c.path, c.answer)
			defer f.issuer.Replace(c.path, nil)
			a := f.login(t, id, f.issuer.Sign(t, f.claims(nil))).WantError(503, "ServiceUnavailable")
			if !strings.Contains(a.Text("message"), c.which) {
				t.Errorf("the message %q does not speak of the %s", a.Text("message"), c.which)
			}
		})
	}
	t.Run("refused/discovery leads to a private network", func(t *testing.T) {
		f.issuer.Replace(issuertest.Discovery, text(`{"issuer":"`+f.issuer.URL+`","jwks_uri":"https://127.0.0.2/keys"}`))
		defer f.issuer.Replace(issuertest.Discovery, nil)
		f.login(t, id, f.issuer.Sign(t, f.claims(nil))).WantError(400, "BadRequest")
	})
	f.login(t, id, f.issuer.Sign(t, f.claims(nil))).Want(200) // nothing was kept of the failures
}

func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.settings(object{"caCert": ""}))
	a := f.login(t, id, f.issuer.Sign(t, f.claims(nil))).WantError(503, "ServiceUnavailable")
	if !strings.Contains(a.Text("message"), "certificate") {
		t.Errorf("the message is %q", a.Text("message"))
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.NewIdentity(t)
	for name, body := range map[string]any{
		"nothing":              nil,
		"no URL":               object{"boundIssuer": "x"},
		"no issuer":            f.settings(object{"boundIssuer": ""}),
		"a private address":    f.settings(object{"oidcDiscoveryUrl": "https://192.168.0.1"}),
		"plain http":           f.settings(object{"oidcDiscoveryUrl": "http://example.com"}),
		"a mapping of nothing": f.settings(object{"claimMetadataMapping": object{"a": ""}}),
		"a mapping with NUL":   f.settings(object{"claimMetadataMapping": object{"a\x00": "b"}}),
		"a CA that is none":    f.settings(object{"caCert": "x"}),
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			f.server.Admin.Call(t, http.MethodPost, base+id, body).WantError(422, "ValidationFailure")
		})
	}
	f.server.Admin.Call(t, http.MethodPost, base+id, f.settings(nil)).Want(200)
	a := f.server.Admin.Call(t, http.MethodPatch, base+id, object{"claimMetadataMapping": object{"a": "b"}}).Want(200)
	if a.Text("identityOidcAuth.boundIssuer") != f.issuer.URL || a.Text("identityOidcAuth.claimMetadataMapping.a") != "b" {
		t.Errorf("a PATCH answered %s", a.Body)
	}
}

// NewIdentity makes an identity without rights.
func (f fixture) NewIdentity(t *testing.T) string { return f.server.NewIdentity(t, "no-access") }
