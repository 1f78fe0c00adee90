package assertion

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/auth"
)

// algorithms are the signatures that are accepted: asymmetric ones only, so that a public key can never be taken for a
// shared secret, and "none" is not among them.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// maxTries is how many keys are tried on a token that does not say which one signed it.
const maxTries = 20

// minRSA is the length below which RSA keys are not used, in bits.
const minRSA = 2048

// Keys returns the public keys that may have signed a token whose header names kid, "" if it names none. again asks for
// keys that are newer than those which did not fit, as far as there are any: an issuer may replace a key and keep its id.
type Keys func(ctx context.Context, kid string, again bool) ([]jose.JSONWebKey, error)

// open returns what a token says, once its signature is found good.
func open(ctx context.Context, jwt string, keys Keys) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(jwt, algorithms)
	var algorithm *jose.ErrUnexpectedSignatureAlgorithm
	if errors.As(err, &algorithm) {
		return nil, auth.Refuse("algorithm_not_allowed", "The JWT is signed with an algorithm that is not accepted. Sign with RS, PS or ES 256 to 512, or EdDSA.")
	}
	if err != nil {
		return nil, auth.Refuse("invalid_jwt", "This is not a well-formed signed JWT. Check that it was copied completely.")
	}
	for _, again := range []bool{false, true} {
		candidates, err := keys(ctx, jws.Signatures[0].Protected.KeyID, again)
		if err != nil {
			return nil, err
		}
		if payload, ok := verify(jws, candidates); ok {
			return payload, nil
		}
	}
	return nil, auth.Refuse("jwt_verification_failed", "The signature of the JWT does not match any of the issuer's keys. Check that it comes from the configured issuer.")
}

// verify returns the payload of a token that one of the keys has signed.
func verify(jws *jose.JSONWebSignature, candidates []jose.JSONWebKey) (payload []byte, ok bool) {
	for _, key := range candidates[:min(len(candidates), maxTries)] {
		if key.Algorithm != "" && key.Algorithm != jws.Signatures[0].Protected.Algorithm {
			continue
		}
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// usable reports whether a key may check signatures: public, of a kind that the algorithms need, and long enough.
func usable(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minRSA && k.N.BitLen() <= 8192 && k.E >= 3
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize >= 256
	case ed25519.PublicKey:
		return len(k) == ed25519.PublicKeySize
	}
	return false
}
