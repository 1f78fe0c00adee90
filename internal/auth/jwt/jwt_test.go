package jwt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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
	base  = "/api/v1/auth/jwt-auth/identities/"
	login = "/api/v1/auth/jwt-auth/login"
)

// fixture is a server and an issuer.
type fixture struct {
	*harness.Server
	*issuertest.Issuer
}

func start(t *testing.T, options ...harness.Option) fixture {
	t.Helper()
	return fixture{harness.StartReady(t, options...), issuertest.Start(t)}
}

// jwks is a configuration that fetches the issuer's keys, changed as given.
func (f fixture) jwks(changes object) object {
	settings := object{"configurationType": "jwks", "jwksUrl": f.Issuer.URL + issuertest.JWKS, "jwksCaCert": f.CACert}
	maps.Copy(settings, changes)
	return settings
}

// attach makes an identity with JWT Auth.
func (f fixture) attach(t *testing.T, settings object) (identityID string) {
	t.Helper()
	identityID = f.NewIdentity(t, "no-access")
	f.Admin.Call(t, http.MethodPost, base+identityID, settings).Want(200)
	return identityID
}

// claims are those of a good token, changed as given; nil takes one away.
func (f fixture) claims(changes object) object {
	now := f.Clock.Now().Unix()
	claims := object{"iss": "https://ci.example", "sub": "repo:acme/site:ref:main", "aud": []string{"sallyport", "other"},
		"iat": now, "nbf": now, "exp": now + 600, "jti": "job-7", "env": object{"name": "prod"}, "groups": []string{"a", "deploy"}, "run": 17}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

func (f fixture) login(t *testing.T, identityID, jwt string) *harness.Answer {
	t.Helper()
	return f.As("").Call(t, http.MethodPost, login, object{"identityId": identityID, "jwt": jwt})
}

func (f fixture) sign(t *testing.T, changes object) string {
	t.Helper()
	return f.Sign(t, f.claims(changes))
}

// Sign tells the two apart that both can sign.
func (f fixture) Sign(t testing.TB, claims any) string { return f.Issuer.Sign(t, claims) }

// reasons returns the reason codes in the audit log, by the id of the request. It stops the server for a moment, so that
// nothing noted is still on its way.
func (f fixture) reasons(t *testing.T) map[string]string {
	t.Helper()
	f.Restart(t)
	a := f.Admin.Call(t, http.MethodGet, "/api/v1/organization/audit-logs?limit=1000&eventType=login-identity-jwt-auth-failed", nil).Want(200)
	codes := a.List("auditLogs", "event.metadata.reasonCode")
	found := map[string]string{}
	for i, request := range a.List("auditLogs", "reqId") {
		found[request] = codes[i]
	}
	return found
}

var bound = object{"boundIssuer": "https://ci.example", "boundSubject": "repo:acme/{site,shop}:ref:*", "boundAudiences": "sallyport,spare",
	"boundClaims": object{"env.name": "prod,stage", "groups": "deploy", "run": "17"}}

func TestLogin(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := sqldbtest.URL(t, engine)
			f := start(t, func(o *app.Options) { o.Config.DatabaseURL = url })
			for name, settings := range map[string]object{
				"with fetched keys": f.jwks(bound), "with keys at hand": merged(bound, object{"configurationType": "static", "publicKeys": []string{f.PublicKey(t)}}),
				"without bounds": f.jwks(nil),
			} {
				t.Run("accepted/"+name, func(t *testing.T) {
					id := f.attach(t, merged(settings, object{"accessTokenTTL": 60, "accessTokenMaxTTL": 120}))
					a := f.login(t, id, f.sign(t, nil)).Want(200)
					if a.Number("expiresIn") != 60 || a.Number("accessTokenMaxTTL") != 120 || a.Text("tokenType") != "Bearer" {
						t.Errorf("the login answered %s", a.Body)
					}
					c := f.As(a.Text("accessToken"))
					if !c.Works(t) {
						t.Error("the token does not work")
					}
					if got := harness.Claims(t, c.Token); got["identityId"] != id || got["authMethod"] != "jwt-auth" {
						t.Errorf("the token says %v", got)
					}
					f.login(t, id, f.sign(t, nil)).Want(200) // again: one token is good for several logins
					f.Admin.Call(t, http.MethodDelete, base+id, nil).Want(200)
					if c.Works(t) {
						t.Error("the token works after the method was detached")
					}
				})
			}
		})
	}
}

func merged(maps_ ...object) object {
	all := object{}
	for _, m := range maps_ {
		maps.Copy(all, m)
	}
	return all
}

func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.jwks(bound))
	now := f.Clock.Now().Unix()
	other := issuertest.Start(t)
	parts := strings.Split(f.sign(t, nil), ".")
	want := map[string]string{}
	for name, c := range map[string]struct {
		jwt    string
		status int
		code   string
	}{
		"refused/expired":                           {f.sign(t, object{"exp": now - 1}), 401, "expired"},
		"refused/expired this very second":          {f.sign(t, object{"exp": now}), 401, "expired"},
		"refused/without expiry":                    {f.sign(t, object{"exp": nil}), 401, "missing_expiry"},
		"refused/not valid yet":                     {f.sign(t, object{"nbf": now + 31}), 401, "not_yet_valid"},
		"accepted/clock a little ahead":             {f.sign(t, object{"nbf": now + 29, "iat": now + 29}), 200, ""},
		"refused/issued in the future":              {f.sign(t, object{"iat": now + 31}), 401, "not_yet_valid"},
		"refused/of another issuer":                 {f.sign(t, object{"iss": "https://ci.example/"}), 403, "issuer_mismatch"},
		"refused/without issuer":                    {f.sign(t, object{"iss": nil}), 403, "issuer_mismatch"},
		"refused/of another subject":                {f.sign(t, object{"sub": "repo:acme/blog:ref:main"}), 403, "subject_not_allowed"},
		"refused/star does not cross a slash":       {f.sign(t, object{"sub": "repo:acme/site:ref:a/b"}), 403, "subject_not_allowed"},
		"refused/without subject":                   {f.sign(t, object{"sub": nil}), 401, "missing_subject"},
		"refused/for another audience":              {f.sign(t, object{"aud": "SALLYPORT"}), 401, "audience_not_allowed"},
		"accepted/for a spare audience":             {f.sign(t, object{"aud": "spare"}), 200, ""},
		"refused/without audience":                  {f.sign(t, object{"aud": nil}), 401, "missing_audience"},
		"refused/for no audience":                   {f.sign(t, object{"aud": []string{}}), 401, "missing_audience"},
		"refused/without a claim":                   {f.sign(t, object{"env": nil}), 401, "missing_claim"},
		"refused/with a null claim":                 {f.sign(t, object{"env": object{"name": nil}}), 401, "missing_claim"},
		"refused/with another claim":                {f.sign(t, object{"env": object{"name": "dev"}}), 401, "claim_mismatch"},
		"refused/with an object as a claim":         {f.sign(t, object{"env": object{"name": object{"prod": 1}}}), 401, "claim_mismatch"},
		"refused/with a list without the value":     {f.sign(t, object{"groups": []string{"a", "b"}}), 401, "claim_mismatch"},
		"refused/with another number":               {f.sign(t, object{"run": 170}), 401, "claim_mismatch"},
		"refused/expiry of a text":                  {f.sign(t, object{"exp": "2100-01-01"}), 401, "invalid_jwt"},
		"refused/expiry beyond all time":            {f.sign(t, object{"exp": 1e300}), 401, "invalid_jwt"},
		"refused/issuer that is a number":           {f.sign(t, object{"iss": 7}), 401, "invalid_jwt"},
		"refused/claims that are a list":            {f.Sign(t, []int{1}), 401, "invalid_jwt"},
		"refused/not a JWT":                         {"nonsense", 401, "invalid_jwt"},
		"refused/of two parts":                      {parts[0] + "." + parts[1], 401, "invalid_jwt"},
		"refused/algorithm none":                    {issuertest.Unsigned(t, f.claims(nil)), 401, "algorithm_not_allowed"},
		"refused/HMAC with the public key":          {issuertest.Sign(t, jose.HS256, []byte(f.PublicKey(t)), "first", f.claims(nil)), 401, "algorithm_not_allowed"},
		"refused/without signature":                 {parts[0] + "." + parts[1] + ".", 401, "jwt_verification_failed"},
		"refused/with another's payload":            {parts[0] + "." + strings.Split(f.sign(t, object{"run": 1}), ".")[1] + "." + parts[2], 401, "jwt_verification_failed"},
		"refused/signed by another under our kid":   {other.Sign(t, f.claims(nil)), 401, "jwt_verification_failed"},
		"refused/signed by another under its kid":   {issuertest.Sign(t, jose.ES256, newEC(t), "second", f.claims(nil)), 401, "unknown_key"},
		"refused/signed by another without kid":     {issuertest.Sign(t, jose.ES256, newEC(t), "", f.claims(nil)), 401, "jwt_verification_failed"},
		"refused/with a key of its own in its head": {embedded(t, f.claims(nil)), 401, "jwt_verification_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.login(t, id, c.jwt)
			if c.status == 200 {
				a.Want(200)
				return
			}
			a.WantError(c.status, map[int]string{401: "UnauthorizedError", 403: "ForbiddenError"}[c.status])
			want[a.Text("reqId")] = c.code
			if strings.Contains(string(a.Body), c.jwt) {
				t.Error("the answer repeats the JWT")
			}
		})
	}
	if diff := cmp.Diff(want, f.reasons(t)); diff != "" {
		t.Errorf("the reason codes in the audit log, by request: %s", diff)
	}
}

func newEC(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// embedded is a token that brings the key of its own signature along.
func embedded(t *testing.T, claims any) string {
	t.Helper()
	key := newEC(t)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"exp":4000000000}`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestLoginsTellNothingOfIdentities(t *testing.T) {
	t.Parallel()
	f := start(t)
	bare := f.NewIdentity(t, "no-access")
	want := f.login(t, "00000000-0000-7000-8000-000000000000", f.sign(t, nil)).WantError(401, "UnauthorizedError").At("message")
	for name, id := range map[string]string{"without the method": bare, "that is no id": "x"} {
		t.Run("refused/identity "+name, func(t *testing.T) {
			if got := f.login(t, id, f.sign(t, nil)).WantError(401, "UnauthorizedError").At("message"); got != want {
				t.Errorf("it is answered %q, an unknown identity %q", got, want)
			}
		})
	}
}

func TestBadLoginBodies(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.jwks(nil))
	for name, c := range map[string]struct {
		body   any
		status int
	}{
		"nothing":                {nil, 422},
		"no JWT":                 {object{"identityId": id}, 422},
		"an empty JWT":           {object{"identityId": id, "jwt": ""}, 422},
		"no identity":            {object{"jwt": "x"}, 422},
		"an empty identity":      {object{"identityId": "", "jwt": "x"}, 422},
		"a JWT of 1 MB":          {object{"identityId": id, "jwt": strings.Repeat("a", 1<<20)}, 413},
		"an identity of 1 MB":    {object{"identityId": strings.Repeat("a", 1<<20), "jwt": "x"}, 413},
		"a JWT with NUL":         {object{"identityId": id, "jwt": "a\x00b"}, 422},
		"a JWT that is a list":   {object{"identityId": id, "jwt": []string{"x"}}, 422},
		"another organization":   {object{"identityId": id, "jwt": f.sign(t, nil), "organizationSlug": "elsewhere"}, 404},
		"the longest of nothing": {object{"identityId": id, "jwt": strings.Repeat(".", 16384)}, 401},
	} {
		t.Run("refused/"+name, func(t *testing.T) { f.As("").Call(t, http.MethodPost, login, c.body).Want(c.status) })
	}
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	f := start(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	id := f.attach(t, object{"configurationType": "static", "publicKeys": []string{issuertest.PEM(t, newEC(t).Public()),
		issuertest.PEM(t, rsaKey.Public()), issuertest.PEM(t, ed.Public()), issuertest.PEM(t, p384.Public()), issuertest.PEM(t, p521.Public())}})
	for algorithm, key := range map[jose.SignatureAlgorithm]any{
		jose.RS256: rsaKey, jose.RS384: rsaKey, jose.RS512: rsaKey, jose.PS256: rsaKey, jose.PS384: rsaKey, jose.PS512: rsaKey,
		jose.ES384: p384, jose.ES512: p521, jose.EdDSA: ed,
	} {
		t.Run("accepted/"+string(algorithm), func(t *testing.T) {
			f.login(t, id, issuertest.Sign(t, algorithm, key, "any", f.claims(nil))).Want(200)
		})
	}
	for _, algorithm := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
		t.Run("refused/"+string(algorithm), func(t *testing.T) {
			secret := []byte(issuertest.PEM(t, rsaKey.Public()))
			f.login(t, id, issuertest.Sign(t, algorithm, secret, "any", f.claims(nil))).Want(401)
		})
	}
}

func TestOneTimeAssertions(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := sqldbtest.URL(t, engine)
			f := start(t, func(o *app.Options) { o.Config.DatabaseURL = url })
			id := f.attach(t, f.jwks(object{"oneTimeAssertions": true}))
			jwt := f.sign(t, nil)
			const callers = 20
			var all sync.WaitGroup
			var in atomic.Int64
			for range callers {
				all.Go(func() {
					a, err := f.As("").Do(http.MethodPost, login, object{"identityId": id, "jwt": jwt})
					if err == nil && a.Status == 200 {
						in.Add(1)
					} else if err != nil || a.Status != 401 {
						t.Errorf("a replay is answered %v %v", a, err)
					}
				})
			}
			all.Wait()
			if in.Load() != 1 {
				t.Errorf("%d of %d logins at once got in with one token, want 1", in.Load(), callers)
			}
			f.Restart(t)
			again := f.login(t, id, jwt).Want(401)
			if got := f.reasons(t)[again.Text("reqId")]; got != "replayed_assertion" {
				t.Errorf("a replay after a restart is refused as %v", got)
			}
			f.login(t, id, f.sign(t, object{"jti": nil})).Want(401)
			const month = 30 * 24 * 3600
			f.login(t, id, f.sign(t, object{"jti": "long", "exp": f.Clock.Now().Unix() + month})).Want(200)
			f.login(t, id, f.sign(t, object{"jti": "too long", "exp": f.Clock.Now().Unix() + month + 1})).Want(401) // it would be remembered for longer
			f.login(t, id, f.sign(t, object{"jti": "job-8"})).Want(200)
			f.login(t, f.attach(t, f.jwks(object{"oneTimeAssertions": true})), jwt).Want(200) // another identity
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	f := start(t)
	pick := func(a *harness.Answer) object {
		all := a.Want(200).At("identityJwtAuth").(object)
		got := object{}
		for _, name := range []string{"configurationType", "jwksUrl", "jwksCaCert", "publicKeys", "boundIssuer", "boundAudiences",
			"boundClaims", "boundSubject", "oneTimeAssertions"} {
			got[name] = all[name]
		}
		return got
	}
	id := f.NewIdentity(t, "no-access")
	key := f.PublicKey(t)
	empty := object{"boundIssuer": "", "boundAudiences": "", "boundClaims": object{}, "boundSubject": "", "oneTimeAssertions": false}
	fetched := object{"configurationType": "jwks", "jwksUrl": f.Issuer.URL + issuertest.JWKS, "jwksCaCert": f.CACert, "publicKeys": []any{}}
	static := object{"configurationType": "static", "jwksUrl": "", "jwksCaCert": "", "publicKeys": []any{key}}
	for _, step := range []struct {
		name, method string
		body, want   object
	}{
		{"defaults", http.MethodPost, f.jwks(nil), merged(empty, fetched)},
		{"audiences in normal form, the rest kept", http.MethodPatch, object{"configurationType": "jwks", "boundAudiences": " a,b ,, c"},
			merged(empty, fetched, object{"boundAudiences": "a, b, c"})},
		{"nulls change nothing", http.MethodPatch, object{"configurationType": "jwks", "boundAudiences": nil, "jwksUrl": nil},
			merged(empty, fetched, object{"boundAudiences": "a, b, c"})},
		{"the other type clears the first", http.MethodPatch, object{"configurationType": "static", "publicKeys": []string{key}, "boundClaims": object{"a.b": "x"}},
			merged(empty, static, object{"boundAudiences": "a, b, c", "boundClaims": object{"a.b": "x"}})},
		{"an empty map clears", http.MethodPatch, object{"configurationType": "static", "boundClaims": object{}, "boundAudiences": ""}, merged(empty, static)},
	} {
		t.Run("accepted/"+step.name, func(t *testing.T) {
			if diff := cmp.Diff(step.want, pick(f.Admin.Call(t, step.method, base+id, step.body))); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(step.want, pick(f.Admin.Call(t, http.MethodGet, base+id, nil))); diff != "" {
				t.Errorf("it reads differently: %s", diff)
			}
		})
	}
}

func TestRefusedSettings(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.NewIdentity(t, "no-access")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	many := object{}
	for i := range 51 {
		many[strings.Repeat("k", i+1)] = "v"
	}
	static := func(keys ...string) object { return object{"configurationType": "static", "publicKeys": keys} }
	for name, body := range map[string]any{
		"nothing":                   nil,
		"no type":                   object{"jwksUrl": "https://example.com"},
		"another type":              object{"configurationType": "oidc"},
		"no URL":                    object{"configurationType": "jwks"},
		"plain http":                f.jwks(object{"jwksUrl": "http://example.com/keys"}),
		"a file":                    f.jwks(object{"jwksUrl": "file:///etc/passwd"}),
		"no host":                   f.jwks(object{"jwksUrl": "https://"}),
		"a URL with a password":     f.jwks(object{"jwksUrl": "https://a:b@example.com"}),
		"a private address":         f.jwks(object{"jwksUrl": "https://10.0.0.1/keys"}),
		"a mapped private address":  f.jwks(object{"jwksUrl": "https://[::ffff:10.0.0.1]/keys"}),
		"the metadata service":      f.jwks(object{"jwksUrl": "https://169.254.169.254/"}),
		"a loopback of IPv6":        f.jwks(object{"jwksUrl": "https://[::1]/"}),
		"a CA that is none":         f.jwks(object{"jwksCaCert": "secret"}),
		"a CA followed by garbage":  f.jwks(object{"jwksCaCert": f.CACert + "x"}),
		"no keys":                   static(),
		"an empty key":              static(""),
		"a key that is none":        static("ssh-ed25519 AAAA"),
		"a key of 1024 bits":        static(issuertest.PEM(t, small.Public())),
		"two keys in one text":      static(f.PublicKey(t) + f.PublicKey(t)),
		"21 keys":                   static(make([]string, 21)...),
		"a subject that is no glob": f.jwks(object{"boundSubject": "a["}),
		"a claim without a value":   f.jwks(object{"boundClaims": object{"a": " , "}}),
		"a claim without a name":    f.jwks(object{"boundClaims": object{"": "x"}}),
		"a claim that is no glob":   f.jwks(object{"boundClaims": object{"a": "{x"}}),
		"a claim with NUL":          f.jwks(object{"boundClaims": object{"a": "\x00"}}),
		"a claim of a number":       f.jwks(object{"boundClaims": object{"a": 1}}),
		"51 claims":                 f.jwks(object{"boundClaims": many}),
		"a glob of 3 KB":            f.jwks(object{"boundClaims": object{"a": strings.Repeat("a", 3000)}}),
		"braces without end":        f.jwks(object{"boundSubject": strings.Repeat("{a,b}", 100)}),
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			f.Admin.Call(t, http.MethodPost, base+id, body).WantError(422, "ValidationFailure")
			f.Admin.Call(t, http.MethodGet, base+id, nil).Want(404)
		})
	}
}

func TestPrivateAddressesAreRefusedByDefault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open, err := harness.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := open.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	f := fixture{open, issuertest.Start(t)}
	id := f.attach(t, f.jwks(nil))
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	byDefault := func(o *app.Options) { o.Config.PrivateNets = nil }
	if f.Server, err = harness.New(dir, byDefault); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	f.Admin = f.As(open.Admin.Token)
	f.Admin.Call(t, http.MethodPatch, base+id, f.jwks(nil)).WantError(422, "ValidationFailure")
	// What is configured is not enough: the address is checked when it is dialled, wherever it came from.
	refused := f.login(t, id, f.sign(t, nil)).WantError(400, "BadRequest")
	if got := f.reasons(t)[refused.Text("reqId")]; got != "private_address" {
		t.Errorf("the refusal has the reason %v", got)
	}
	if f.Fetches.Load() != 0 {
		t.Error("the endpoint was called")
	}
}

func TestEndpointsThatFail(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.jwks(nil))
	for name, answer := range map[string]http.HandlerFunc{
		"answers 500":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"answers nonsense": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"hangs up":         func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run("unavailable/"+name, func(t *testing.T) {
			f.Replace(issuertest.JWKS, answer)
			a := f.login(t, id, f.sign(t, nil)).WantError(503, "ServiceUnavailable")
			if !strings.Contains(a.Text("message"), "JWKS endpoint") || a.Header.Get("Retry-After") == "" {
				t.Errorf("it is answered %s %s, want the endpoint's name and Retry-After", a.Header, a.Body)
			}
		})
	}
	f.Replace(issuertest.JWKS, nil)
	f.login(t, id, f.sign(t, nil)).Want(200) // nothing was kept of the failures
}
