// Package id makes identifiers and random secrets. It does not store or check them.
package id

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// New returns a UUIDv7 (RFC 9562 section 5.7) as text: unique, and sorted by the time it was made.
func New() string { return uuid.Must(uuid.NewV7()).String() }

// Credible reports whether New may have made s: a UUIDv7 that is not from the future. slack is by how much the clocks of
// replicas may differ. No id is too old: it may name a token that is renewed for years.
func Credible(s string, slack time.Duration) bool {
	at, ok := made(s)
	now, _ := made(New()) // by the very clock that ids are made by
	return ok && !at.After(now.Add(slack))
}

// made returns when a UUIDv7 was made, to the millisecond; ok is false for every other text.
func made(s string) (at time.Time, ok bool) {
	u, ok := Parse(s)
	if !ok || u.Version() != 7 || u.Variant() != uuid.RFC4122 {
		return time.Time{}, false
	}
	var ms int64
	for _, b := range u[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC(), true
}

// Valid reports whether s is a UUID in its 36-character text form, in lower case as New makes it.
func Valid(s string) bool {
	_, ok := Parse(s)
	return ok
}

// Parse returns the 16 bytes of a UUID in the text form that New makes, and whether s is one. It is on the path of every
// revocation that is loaded at start, so it does not go by way of uuid.Parse, which takes other forms too.
func Parse(s string) (u uuid.UUID, ok bool) {
	if len(s) != 36 {
		return uuid.UUID{}, false
	}
	n := 0 // hex digits so far
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return uuid.UUID{}, false
			}
			continue
		}
		v := digits[s[i]]
		if v == 0 {
			return uuid.UUID{}, false
		}
		u[n/2] = u[n/2]<<4 | (v - 1)
		n++
	}
	return u, true
}

// digits holds one more than the value of each hex digit in lower case, and 0 for no expiryy other byte. Looking up is quicker
// than comparing: what comes next in a random id cannot be guessed.
var digits = [256]byte{
	'0': 1, '1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8, '8': 9, '9': 10,
	'a': 11, 'b': 12, 'c': 13, 'd': 14, 'e': 15, 'f': 16,
}

// Secret returns n random bytes as lower-case hex, for credentials that someone must not guess.
func Secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

const requestAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Request returns a request id: `req-` and 14 alphanumeric characters (docs/reference/identity.md section 5.1).
func Request() string {
	b := make([]byte, 14)
	_, _ = rand.Read(b)
	for i, c := range b {
		b[i] = requestAlphabet[int(c)%len(requestAlphabet)]
	}
	return "req-" + string(b)
}
