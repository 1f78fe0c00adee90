package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/base/seal"
)

// Claims returns what a JWT says, without looking at its signature.
func Claims(t testing.TB, jwt string) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("a JWT has three parts: %s", jwt)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	claims := map[string]any{}
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// NamedToken is a token and what is the matter with it.
type NamedToken struct{ Name, JWT string }

// DeadTokens returns tokens of every sort that no route may accept. Each but the malformed ones was made of the token
// of an administrator, so that nothing but its death keeps it out.
func (s *Server) DeadTokens(t testing.TB) []NamedToken {
	t.Helper()
	live := s.NewActor(t, "admin", nil).Token
	header, payload, signature := split(live)
	past := s.Clock.Now().Unix() - 60
	return []NamedToken{
		{"expired", s.Sign(t, live, map[string]any{"iat": past - 60, "exp": past})},
		{"expired this very second", s.Sign(t, live, map[string]any{"exp": s.Clock.Now().Unix()})},
		{"revoked", s.revoked(t)},
		{"cut off by a detach", s.detached(t)},
		{"of a deleted identity", s.orphan(t)},
		{"used up", s.usedUp(t)},
		{"not a JWT", "nonsense"},
		{"of two parts", header + "." + payload},
		{"of four parts", live + "." + signature},
		{"without a signature", header + "." + payload + "."},
		{"with another signature", header + "." + payload + "." + strings.Repeat("A", len(signature))},
		{"with a changed payload", header + "." + encode(t, changed(Claims(t, live), "identityName", "root")) + "." + signature},
		{"with algorithm none", encode(t, map[string]any{"alg": "none", "typ": "JWT"}) + "." + payload + "."},
		{"with an HMAC of the public key", s.confused(t, live)},
		{"signed by another key", s.forged(t, live)},
		{"of another type", s.Sign(t, live, map[string]any{"authTokenType": "refreshToken"})},
		{"without expiry", s.Sign(t, live, map[string]any{"exp": nil})},
		{"with an id that is none", s.Sign(t, live, map[string]any{"jti": "x", "identityAccessTokenId": "x"})},
		{"very long", strings.Repeat("A", 20_000)},
	}
}

func (s *Server) revoked(t testing.TB) string {
	a := s.NewActor(t, "admin", nil)
	s.Admin.Call(t, http.MethodPost, Tokens+a.TokenID+"/revoke", nil).Want(200)
	return a.Token
}

func (s *Server) detached(t testing.TB) string {
	a := s.NewActor(t, "admin", nil)
	s.Admin.Call(t, http.MethodDelete, TokenAuth+a.ID, nil).Want(200)
	return a.Token
}

func (s *Server) orphan(t testing.TB) string {
	a := s.NewActor(t, "admin", nil)
	s.Admin.Call(t, http.MethodDelete, Identities+"/"+a.ID, nil).Want(200)
	return a.Token
}

func (s *Server) usedUp(t testing.TB) string {
	a := s.NewActor(t, "admin", map[string]any{"accessTokenNumUsesLimit": 1})
	a.Call(t, http.MethodGet, Identities+"/details", nil).Want(200)
	return a.Token
}

// confused signs with HMAC, and the public key as its secret: the classic confusion of algorithms.
func (s *Server) confused(t testing.TB, jwt string) string {
	public := s.As("").Call(t, http.MethodGet, "/.well-known/jwks.json", nil).Want(200).Body
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: public},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", s.keyID(t)))
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, signer, Claims(t, jwt))
}

// forged signs with a key of our own under the id of the server's.
func (s *Server) forged(t testing.TB, jwt string) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, newSigner(t, key, s.keyID(t)), Claims(t, jwt))
}

func (s *Server) keyID(t testing.TB) string {
	return s.As("").Call(t, http.MethodGet, "/.well-known/jwks.json", nil).Want(200).Text("keys.0.kid")
}

// Sign returns a JWT that the server's own key signed over the claims of another one, changed as given; nil takes a
// claim away. It takes the key out of the database, as nobody without the root key can.
func (s *Server) Sign(t testing.TB, jwt string, changes map[string]any) string {
	t.Helper()
	claims := Claims(t, jwt)
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	id, key := s.signingKey(t)
	return sign(t, newSigner(t, key, id), claims)
}

func (s *Server) signingKey(t testing.TB) (id string, key any) {
	t.Helper()
	var sealed []byte
	if err := s.DB.QueryRow(`SELECT id, sealed FROM signing_keys ORDER BY created_at DESC, id DESC`).Scan(&id, &sealed); err != nil {
		t.Fatal(err)
	}
	c := s.options.Config
	root, _, err := seal.Root(c.RootKey, c.RootKeyFile, c.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	der, err := root.Open(sealed, "signing_keys", id)
	if err != nil {
		t.Fatal(err)
	}
	key, err = x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return id, key
}

func newSigner(t testing.TB, key any, id string) jose.Signer {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", id))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func sign(t testing.TB, signer jose.Signer, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
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

func split(jwt string) (header, payload, signature string) {
	parts := strings.Split(jwt, ".")
	return parts[0], parts[1], parts[2]
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func changed(claims map[string]any, name string, value any) map[string]any {
	claims[name] = value
	return claims
}
