package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/seal"
)

// KeyActivation is how long a new signing key is published before it signs: replicas and services that check tokens
// by our JWKS know it by then.
const KeyActivation = time.Minute

// keyring is the signing keys as they were read at one moment. It does not change; a newer one takes its place.
type keyring struct {
	signers []signer // oldest first
	public  map[string]*ecdsa.PublicKey
	set     []jwk
}

// signer signs from a time on.
type signer struct {
	jose.Signer
	from time.Time
}

// openKeys opens the rows, oldest first, with the root key.
func openKeys(rows []keyRow, root *seal.Key) (*keyring, error) {
	k := &keyring{public: map[string]*ecdsa.PublicKey{}, set: []jwk{}}
	for _, row := range rows {
		private, err := openKey(row, root)
		if err != nil {
			return nil, err
		}
		options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", row.ID)
		sign, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, options)
		if err != nil {
			return nil, err
		}
		var public jwk
		if err := json.Unmarshal([]byte(row.Public), &public); err != nil {
			return nil, err
		}
		k.signers = append(k.signers, signer{sign, time.UnixMilli(row.CreatedAt).Add(KeyActivation)})
		k.public[row.ID] = &private.PublicKey
		k.set = append(k.set, public)
	}
	return k, nil
}

// sign makes the compact JWT of claims with the newest key that has been published for long enough. Where none has,
// as on a new instance, the oldest signs.
func (k *keyring) sign(claims any, now time.Time) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	with := k.signers[0]
	for _, s := range k.signers {
		if !now.Before(s.from) {
			with = s
		}
	}
	jws, err := with.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

func openKey(row keyRow, root *seal.Key) (*ecdsa.PrivateKey, error) {
	der, err := root.Open(row.Sealed, KeyPlace(row.ID)...)
	if err != nil {
		return nil, fmt.Errorf("the root key does not open this database: it was made with another one; start with the root key that it was made with: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("signing key %s is not an ECDSA key", row.ID)
	}
	return private, nil
}

// jwk is a public key as a JSON Web Key (RFC 7517, RFC 7518 section 6.2). Its fields are spelled out for OpenAPI.
type jwk struct {
	KeyID     string `json:"kid"`
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
}

// KeyPlace is what a sealed signing key is bound to.
func KeyPlace(keyID string) []string { return []string{"signing_keys", keyID} }

// signingKey is a key pair that is about to be stored.
type signingKey struct {
	row     keyRow // not sealed yet
	private []byte // PKCS #8
}

// sealed returns the row, sealed with a root key.
func (k signingKey) sealed(root *seal.Key) keyRow {
	k.row.Sealed = root.Seal(k.private, KeyPlace(k.row.ID)...)
	return k.row
}

// newSigningKey makes a P-256 key pair.
func newSigningKey() (signingKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return signingKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return signingKey{}, err
	}
	row := keyRow{ID: id.New()}
	public, err := json.Marshal(jose.JSONWebKey{Key: &private.PublicKey, KeyID: row.ID, Algorithm: string(jose.ES256), Use: "sig"})
	row.Public = string(public)
	return signingKey{row, der}, err
}

// PublicKeys returns the keys by which others verify the tokens that live.
func (s *Service) PublicKeys(ctx context.Context) ([]jwk, error) {
	keys, err := s.keyring(ctx)
	if err != nil {
		return nil, err
	}
	return keys.set, nil
}
