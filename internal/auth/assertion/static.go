package assertion

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// Static returns keys that were given as PEM. They have no ids: each is tried, whatever key a token names.
func Static(pems []string) Keys {
	return func(_ context.Context, _ string, again bool) ([]jose.JSONWebKey, error) {
		if again {
			return nil, nil // there are no newer ones
		}
		keys := make([]jose.JSONWebKey, 0, len(pems))
		for _, text := range pems {
			// A text that is no key was refused when the method was attached.
			if key := parsePublicKey(text); usable(key) {
				keys = append(keys, jose.JSONWebKey{Key: key})
			}
		}
		return keys, nil
	}
}

// CheckPublicKey refuses, as Validation at the field, text that is not one public key in PEM that can be used.
func CheckPublicKey(field, text string) error {
	if !usable(parsePublicKey(text)) {
		return fault.Invalid("invalid_string", "Expected one public key or certificate in PEM in each text: RSA of 2048 to 8192 bits, an elliptic curve P-256, P-384 or P-521, or Ed25519. Do not send private keys.", field)
	}
	return nil
}

// parsePublicKey reads the one key of a PEM text, or returns nil.
func parsePublicKey(text string) any {
	block, rest := pem.Decode([]byte(strings.TrimSpace(text)))
	if block == nil || len(strings.TrimSpace(string(rest))) > 0 {
		return nil
	}
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = certificate.PublicKey
		}
	}
	if err != nil {
		return nil
	}
	return key
}
