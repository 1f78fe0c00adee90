package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/id"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// keyring holds the signing keys. The newest one signs; all of them verify.
type keyring struct {
	now atomic.Pointer[keys]
}

type keys struct {
	signer jose.Signer
	public map[string]*ecdsa.PublicKey
	set    []jwk
}

// public returns the key of an id, or nil.
func (r *keyring) public(kid string) *ecdsa.PublicKey { return r.now.Load().public[kid] }

// sign makes the compact JWT of claims.
func (r *keyring) sign(c *Claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	jws, err := r.now.Load().signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

// loadKeys reads the signing keys, and makes the first one in a new database.
func (s *Service) loadKeys(ctx context.Context) error {
	rows, err := signingKeys(ctx, s.DB)
	if err == nil && len(rows) == 0 {
		if err = s.DB.Write(ctx, func(tx *sqldb.Tx) error { return makeFirstKey(ctx, tx, s.Root) }); err == nil {
			rows, err = signingKeys(ctx, s.DB)
		}
	}
	if err != nil {
		return err
	}
	k, err := openKeys(rows, s.Root)
	if err == nil {
		s.keys.now.Store(k)
	}
	return err
}

func openKeys(rows []keyRow, root *seal.Key) (*keys, error) {
	k := &keys{public: map[string]*ecdsa.PublicKey{}}
	for _, row := range rows {
		private, err := openKey(row, root)
		if err != nil {
			return nil, err
		}
		k.public[row.ID] = &private.PublicKey
		var public jwk
		if err := json.Unmarshal([]byte(row.Public), &public); err != nil {
			return nil, err
		}
		k.set = append(k.set, public)
		options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", row.ID)
		if k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, options); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func openKey(row keyRow, root *seal.Key) (*ecdsa.PrivateKey, error) {
	der, err := root.Open(row.Sealed, "signing_keys", row.ID)
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

// makeKey makes a P-256 key pair, sealed for its row.
func makeKey(root *seal.Key) (keyRow, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyRow{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return keyRow{}, err
	}
	row := keyRow{ID: id.New()}
	row.Sealed = root.Seal(der, "signing_keys", row.ID)
	public, err := json.Marshal(jose.JSONWebKey{Key: &private.PublicKey, KeyID: row.ID, Algorithm: string(jose.ES256), Use: "sig"})
	row.Public = string(public)
	return row, err
}

// signingKeys returns the keys, oldest first.
func signingKeys(ctx context.Context, db *sqldb.DB) (rows []keyRow, err error) {
	return rows, db.Select(ctx, &rows, `SELECT id, sealed, public FROM signing_keys ORDER BY created_at, id`)
}

// makeFirstKey makes a key unless another replica was quicker. Updating the instance row first makes them queue.
func makeFirstKey(ctx context.Context, tx *sqldb.Tx, root *seal.Key) error {
	if _, err := tx.Exec(ctx, `UPDATE instance SET id = id`); err != nil {
		return err
	}
	var n int64
	if err := tx.Get(ctx, &n, `SELECT count(*) FROM signing_keys`); err != nil || n > 0 {
		return err
	}
	row, err := makeKey(root)
	if err == nil {
		_, err = tx.Exec(ctx, `INSERT INTO signing_keys (id, sealed, public, created_at) VALUES ($1, $2, $3, $4)`,
			row.ID, row.Sealed, row.Public, tx.Now().UnixMilli())
	}
	return err
}
