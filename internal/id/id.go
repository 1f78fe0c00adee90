// Package id makes identifiers and random secrets. It does not store or check them.
package id

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/google/uuid"
)

// New returns a UUIDv7 (RFC 9562 section 5.7) as text: unique, and sorted by the time it was made.
func New() string { return uuid.Must(uuid.NewV7()).String() }

// Valid reports whether s is a UUID in its 36-character text form, in lower case as New makes it.
func Valid(s string) bool {
	_, ok := Parse(s)
	return ok
}

// Parse returns the 16 bytes of a UUID in the text form that New makes, and whether s is one.
func Parse(s string) (uuid.UUID, bool) {
	if len(s) != 36 {
		return uuid.UUID{}, false
	}
	u, err := uuid.Parse(s)
	return u, err == nil && u.String() == s
}

// Secret returns n random bytes as lower-case hex, for credentials that somebody must not guess.
func Secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

const requestAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Request returns a request id: `req-` and 14 alphanumeric characters (identity.md section 5.1).
func Request() string {
	b := make([]byte, 14)
	_, _ = rand.Read(b)
	for i, c := range b {
		b[i] = requestAlphabet[int(c)%len(requestAlphabet)]
	}
	return "req-" + string(b)
}
