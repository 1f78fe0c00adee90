package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sallyport/sallyport/internal/base/id"
)

// testRing is a keyring of one key, with what an attacker knows of it and a signer that knows all.
type testRing struct {
	*keyring
	kid     string
	public  *ecdsa.PublicKey
	private *ecdsa.PrivateKey
}

func newRing(t testing.TB) *testRing {
	t.Helper()
	root := rootKey(t, 7)
	key, err := newSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	row := key.sealed(root)
	ring, err := openKeys([]keyRow{row}, root)
	if err != nil {
		t.Fatal(err)
	}
	r := &testRing{keyring: ring, kid: row.ID, public: ring.public[row.ID]}
	if r.private, err = openKey(row, root); err != nil {
		t.Fatal(err)
	}
	return r
}

// goodClaims are claims as Mint makes them.
func goodClaims() *Claims {
	c := &Claims{ID: id.New(), Type: Type, IdentityID: id.New(), IdentityName: "robot", Method: TokenAuth, OrgID: id.New(),
		IssuedAt: 1_790_000_000, ExpiresAt: 1_790_003_600, TTL: 3600, MaxTTL: 86400, CreatedAt: 1_790_000_000, Born: 3}
	c.TokenID = c.ID
	return c
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sign makes a compact JWS of any payload with any key and header.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, payload []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, &jose.SignerOptions{ExtraHeaders: header})
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (r *testRing) signed(t testing.TB, payload []byte) string {
	t.Helper()
	return sign(t, jose.ES256, r.private, map[jose.HeaderKey]any{"kid": r.kid}, payload)
}

func newECDSA(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestParseAcceptsWhatSignMade(t *testing.T) {
	ring, c := newRing(t), goodClaims()
	jwt, err := ring.sign(c, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	got, err := parse(ring.keyring, jwt)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, got, cmpopts.IgnoreUnexported(Claims{})); diff != "" {
		t.Errorf("claims changed on the way:\n%s", diff)
	}
	if got.id.String() != c.ID || got.identity.String() != c.IdentityID || got.cuts != cutScopes(c) {
		t.Errorf("the parsed ids or cut-offs are not those of the claims")
	}
}

// TestClaimNames pins the claims that clients and other servers read.
func TestClaimNames(t *testing.T) {
	c := goodClaims()
	c.ClientSecretID, c.UsesLimit = id.New(), 5
	var claims map[string]any
	if err := json.Unmarshal(encode(t, c), &claims); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"jti": c.ID, "identityAccessTokenId": c.ID, "authTokenType": "identityAccessToken", "identityId": c.IdentityID,
		"identityName": "robot", "authMethod": "token-auth", "orgId": c.OrgID, "clientSecretId": c.ClientSecretID,
		"iat": 1.79e9, "exp": 1_790_003_600.0, "accessTokenTTL": 3600.0, "accessTokenMaxTTL": 86400.0, "accessTokenPeriod": 0.0,
		"creationEpoch": 1.79e9, "numUsesLimit": 5.0, "born": 3.0,
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefusesHeadersAndSignatures(t *testing.T) {
	ring := newRing(t)
	payload := encode(t, goodClaims())
	good := ring.signed(t, payload)
	parts := strings.Split(good, ".")
	kid := map[jose.HeaderKey]any{"kid": ring.kid}
	der, err := x509.MarshalPKIXPublicKey(ring.public)
	if err != nil {
		t.Fatal(err)
	}
	jwkText := encode(t, jose.JSONWebKey{Key: ring.public, KeyID: ring.kid, Algorithm: "ES256", Use: "sig"})
	stranger := newECDSA(t, elliptic.P256())
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	none := b64(encode(t, map[string]string{"alg": "none", "typ": "JWT", "kid": ring.kid}))
	changed := goodClaims()
	changed.UsesLimit = 0
	full, err := jose.ParseSignedCompact(good, algorithms)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ jwt, want string }{
		"accepted":                                 {good, ""},
		"refused/empty":                            {"", "malformed"},
		"refused/not a jwt":                        {"st.abc.def", "malformed"},
		"refused/two parts":                        {parts[0] + "." + parts[1], "malformed"},
		"refused/four parts":                       {good + ".", "malformed"},
		"refused/five parts, as encrypted":         {good + "..", "malformed"},
		"refused/padded base64":                    {parts[0] + "=." + parts[1] + "." + parts[2], "malformed"},
		"refused/detached payload":                 {parts[0] + ".." + parts[2], "signature"},
		"refused/json serialization":               {full.FullSerialize(), "malformed"},
		"refused/header is no json":                {b64([]byte("{")) + "." + parts[1] + "." + parts[2], "malformed"},
		"refused/nul bytes":                        {"\x00.\x00.\x00", "malformed"},
		"refused/too long":                         {good + strings.Repeat("A", maxJWT), "malformed"},
		"refused/algorithm none":                   {none + "." + parts[1] + ".", "algorithm"},
		"refused/algorithm none with signature":    {none + "." + parts[1] + "." + parts[2], "algorithm"},
		"refused/hs256 with public key, der":       {sign(t, jose.HS256, der, kid, payload), "algorithm"},
		"refused/hs256 with public key, jwk":       {sign(t, jose.HS256, jwkText, kid, payload), "algorithm"},
		"refused/es384":                            {sign(t, jose.ES384, newECDSA(t, elliptic.P384()), kid, payload), "algorithm"},
		"refused/rs256":                            {sign(t, jose.RS256, rsaKey, kid, payload), "algorithm"},
		"refused/another key under our kid":        {sign(t, jose.ES256, stranger, kid, payload), "signature"},
		"refused/wrong kid":                        {sign(t, jose.ES256, ring.private, map[jose.HeaderKey]any{"kid": id.New()}, payload), "signature"},
		"refused/no kid":                           {sign(t, jose.ES256, ring.private, nil, payload), "signature"},
		"refused/key in the header":                {embedded(t, stranger, payload), "signature"},
		"refused/critical header that is not ours": {sign(t, jose.ES256, ring.private, map[jose.HeaderKey]any{"kid": ring.kid, "crit": []string{"exp"}}, payload), "signature"},
		"refused/changed payload":                  {parts[0] + "." + b64(encode(t, changed)) + "." + parts[2], "signature"},
		"refused/changed header":                   {b64(encode(t, map[string]string{"alg": "ES256", "kid": ring.kid, "x": "y"})) + "." + parts[1] + "." + parts[2], "signature"},
		"refused/no signature":                     {parts[0] + "." + parts[1] + ".", "signature"},
		"refused/signature cut":                    {good[:len(good)-4], "signature"},
		"refused/signature of zeros":               {parts[0] + "." + parts[1] + "." + b64(make([]byte, 64)), "signature"},
		"refused/signature of another token":       {parts[0] + "." + parts[1] + "." + strings.Split(ring.signed(t, encode(t, changed)), ".")[2], "signature"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(ring.keyring, c.jwt)
			want(t, err, c.want)
		})
	}
}

// embedded signs with a key that the header itself brings along.
func embedded(t *testing.T, key *ecdsa.PrivateKey, payload []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestParseRefusesClaims signs each payload with the right key, so that only the claims can be at fault.
func TestParseRefusesClaims(t *testing.T) {
	ring := newRing(t)
	var base map[string]any
	if err := json.Unmarshal(encode(t, goodClaims()), &base); err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) []byte {
		claims := maps.Clone(base)
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
		return encode(t, claims)
	}
	for name, c := range map[string]struct {
		payload []byte
		want    string
	}{
		"accepted":                         {with("jti", base["jti"]), ""},
		"accepted/unknown claim":           {with("aud", "somebody"), ""},
		"refused/other type, refresh":      {with("authTokenType", RefreshType), "type"},
		"refused/a user's, of an identity": {with("authTokenType", UserType), "claims"},
		"refused/other type, empty":        {with("authTokenType", ""), "type"},
		"refused/other type, missing":      {with("authTokenType", nil), "type"},
		"refused/claims missing, jti":      {with("jti", nil), "claims"},
		"refused/claims missing, identity": {with("identityId", nil), "claims"},
		"refused/claims missing, iat":      {with("iat", nil), "claims"},
		"refused/claims missing, exp":      {with("exp", nil), "claims"},
		"refused/jti is no uuid":           {with("jti", "1"), "claims"},
		"refused/jti in capitals":          {with("jti", strings.ToUpper(base["jti"].(string))), "claims"},
		"refused/identity is no uuid":      {with("identityId", strings.Repeat("x", 36)), "claims"},
		"refused/exp is text":              {with("exp", "never"), "claims"},
		"refused/exp is a fraction":        {with("exp", 1.5), "claims"},
		"refused/born beyond 64 bits":      {with("born", 1e30), "claims"},
		"refused/payload is empty":         {nil, "claims"},
		"refused/payload is null":          {[]byte("null"), "type"},
		"refused/payload is a list":        {[]byte("[]"), "claims"},
		"refused/payload is two documents": {append(with("jti", base["jti"]), "{}"...), "claims"},
		"refused/payload is no json":       {[]byte("exp=1"), "claims"},
		"refused/payload is nested deeply": {[]byte(strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500)), "type"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(ring.keyring, ring.signed(t, c.payload))
			want(t, err, c.want)
		})
	}
}

// TestTooLongIsRefusedEvenWhenSigned: the bound is checked before anything is computed.
func TestTooLongIsRefusedEvenWhenSigned(t *testing.T) {
	ring, c := newRing(t), goodClaims()
	for name, size := range map[string]struct {
		name int
		want string
	}{"accepted/below the bound": {5000, ""}, "refused/above the bound": {maxJWT, "malformed"}} {
		t.Run(name, func(t *testing.T) {
			c.IdentityName = strings.Repeat("n", size.name)
			jwt, err := ring.sign(c, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			_, err = parse(ring.keyring, jwt)
			want(t, err, size.want)
		})
	}
}
