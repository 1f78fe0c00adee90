package assertion

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// parseKeys returns those keys of a JWK Set that can check signatures. As RFC 7517 section 5 asks, keys that are not
// understood do no harm to the others.
func parseKeys(document []byte) []jose.JSONWebKey {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(document, &set) != nil {
		return nil
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys[:min(len(set.Keys), maxKeys)] {
		if key, ok := parseKey(raw); ok && (key.Use == "" || key.Use == "sig") && usable(key.Key) {
			keys = append(keys, jose.JSONWebKey{Key: key.Key, KeyID: key.KeyID, Algorithm: key.Algorithm})
		}
	}
	return keys
}

// needed are the members of a JWK that say what the key is and which tokens it is for. All others, such as the thumbprints
// of certificates, which some issuers write in a form of their own, are never looked at.
type needed struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv,omitempty"`
	N         octets `json:"n,omitempty"`
	E         octets `json:"e,omitempty"`
	X         octets `json:"x,omitempty"`
	Y         octets `json:"y,omitempty"`
	KeyID     text   `json:"kid,omitempty"`
	Use       text   `json:"use,omitempty"`
	Algorithm text   `json:"alg,omitempty"`
}

// parseKey reads a JWK, with the oddities that issuers in the field have.
func parseKey(raw []byte) (key jose.JSONWebKey, ok bool) {
	var k needed
	if json.Unmarshal(raw, &k) != nil {
		return key, false
	}
	if size := coordinate(k.Curve); size > 0 {
		k.X, k.Y = k.X.ofSize(size), k.Y.ofSize(size)
	}
	strict, err := json.Marshal(k)
	return key, err == nil && json.Unmarshal(strict, &key) == nil
}

// coordinate is how many bytes a coordinate on a curve has (RFC 7518 section 6.2.1.2), or 0 for other curves.
func coordinate(curve string) int {
	return map[string]int{"P-256": 32, "P-384": 48, "P-521": 66}[curve]
}

// text is a member that counts only if it is a text.
type text string

// UnmarshalJSON takes anything; what is no text counts as missing.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	}
	return nil
}

// octets is a number in base64url, also where it was written in another base64, as RFC 7515 does not allow.
type octets []byte

// anyBase64 turns the alphabet of base64 into that of base64url, and drops the padding.
var anyBase64 = strings.NewReplacer("+", "-", "/", "_", "=", "")

// UnmarshalJSON reads any sort of base64.
func (o *octets) UnmarshalJSON(raw []byte) error {
	var s string
	err := json.Unmarshal(raw, &s)
	if err == nil {
		*o, err = base64.RawURLEncoding.DecodeString(anyBase64.Replace(s))
	}
	return err
}

// MarshalJSON writes base64url.
func (o octets) MarshalJSON() ([]byte, error) {
	return json.Marshal(base64.RawURLEncoding.EncodeToString(o))
}

// ofSize returns the same number in size bytes: some issuers drop zeros at its beginning, or put one there for a sign.
func (o octets) ofSize(size int) octets {
	o = bytes.TrimLeft(o, "\x00")
	if len(o) == 0 || len(o) > size {
		return o
	}
	return append(make(octets, size-len(o)), o...)
}
