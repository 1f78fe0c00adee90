// Package issuertest runs an OpenID Connect issuer over real TLS inside a test: discovery, keys and signatures. It holds
// no expectations: those are the tests'.
package issuertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Paths of an issuer.
const (
	JWKS      = "/keys"
	Discovery = "/.well-known/openid-configuration"
)

// Issuer is a running issuer with one key.
type Issuer struct {
	URL     string
	CACert  string       // PEM
	Fetches atomic.Int64 // answers of JWKS so far

	mu       sync.Mutex
	kid      string
	key      *ecdsa.PrivateKey
	replaced map[string]http.HandlerFunc
}

// Start starts an issuer that ends with the test.
func Start(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{replaced: map[string]http.HandlerFunc{}}
	i.Rotate(t, "first")
	path := "/" + rand.Text() // unlike that of any other issuer, whose port this one may get while its keys are still remembered
	s := httptest.NewUnstartedServer(http.StripPrefix(path, http.HandlerFunc(i.serve)))
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	i.URL = s.URL + path
	i.CACert = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return i
}

// Replace has a path answered otherwise; nil answers as before.
func (i *Issuer) Replace(path string, handler http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.replaced[path] = handler
}

// Rotate replaces the key.
func (i *Issuer) Rotate(t testing.TB, kid string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.kid, i.key = kid, key
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	handler, kid, key := i.replaced[r.URL.Path], i.kid, i.key
	i.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case handler != nil:
		handler(w, r)
	case r.URL.Path == JWKS:
		i.Fetches.Add(1)
		_ = json.NewEncoder(w).Encode(Set(key.Public(), kid))
	case r.URL.Path == Discovery:
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + JWKS})
	default:
		http.NotFound(w, r)
	}
}

// Set is a JWK Set of one key.
func Set(public crypto.PublicKey, kid string) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: kid, Use: "sig"}}}
}

// PublicKey returns the present key as PEM.
func (i *Issuer) PublicKey(t testing.TB) string {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	return PEM(t, i.key.Public())
}

// PEM returns a public key as PEM.
func PEM(t testing.TB, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Sign returns a JWT over claims, signed with the present key.
func (i *Issuer) Sign(t testing.TB, claims any) string {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	return Sign(t, jose.ES256, i.key, i.kid, claims)
}

// Sign returns a JWT over claims, signed as given; a kid of "" is left out.
func Sign(t testing.TB, algorithm jose.SignatureAlgorithm, key any, kid string, claims any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options = options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Unsigned returns a JWT over claims with algorithm none.
func Unsigned(t testing.TB, claims any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(payload) + "."
}
