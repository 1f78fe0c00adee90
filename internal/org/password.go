package org

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Cost is what a password hash costs, in the parameters of argon2id (RFC 9106 section 3.1). The zero value stands for those
// that section 4 recommends where memory is short: 3 passes over 64 MiB in 4 lanes.
type Cost struct {
	Passes, KiB uint32
	Lanes       uint8
}

func (c Cost) orRecommended() Cost {
	switch {
	case c == (Cost{}) && crashpoint.Hurried():
		return Cost{Passes: 1, KiB: 64, Lanes: 1}
	case c == (Cost{}):
		return Cost{Passes: 3, KiB: 64 << 10, Lanes: 4}
	}
	return c
}

// Bytes of a hash.
const (
	argonKey  = 32
	argonSalt = 16
)

var base64Raw = base64.RawStdEncoding.Strict()

// hash returns the argon2id hash of a password in the PHC string format, which names its own parameters.
func (c Cost) hash(password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	return c.prefix() + base64Raw.EncodeToString(salt) + "$" + base64Raw.EncodeToString(c.derive(password, salt)), nil
}

func (c Cost) prefix() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, c.KiB, c.Passes, c.Lanes)
}

func (c Cost) derive(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, c.Passes, c.KiB, c.Lanes, argonKey)
}

// CheckNewPassword refuses, as Validation, a new password that is too short, or that is easy to guess for someone who knows the
// user's e-mail address and the names around the user.
func (s *Service) CheckNewPassword(password, email string, names ...string) error {
	local, _, _ := strings.Cut(email, "@")
	return s.checkNew(password, append([]string{local, email}, names...)...)
}

// HashPassword returns the hash of a new password. It costs 64 MiB and much time, so bound how many run at once.
func (s *Service) HashPassword(password string) (string, error) { return s.cost.hash(password) }

// CheckPassword reports whether a stored hash is that of a password. It takes as long whether it is or not, also for a
// user that does not exist: pass "" for the hash then. It costs 64 MiB and much time, so bound how many run at once. A
// hash of another make, or of another cost, is an error.
func (s *Service) CheckPassword(hash, password string) (bool, error) {
	salt, key := make([]byte, argonSalt), make([]byte, argonKey)
	if hash != "" {
		var err error
		if salt, key, err = s.cost.parse(hash); err != nil {
			return false, err
		}
	}
	same := subtle.ConstantTimeCompare(s.cost.derive(password, salt), key) == 1
	return same && hash != "", nil
}

// parse takes a hash apart.
func (c Cost) parse(hash string) (salt, key []byte, err error) {
	rest, ours := strings.CutPrefix(hash, c.prefix())
	saltText, keyText, ok := strings.Cut(rest, "$")
	if salt, err = base64Raw.DecodeString(saltText); err == nil {
		key, err = base64Raw.DecodeString(keyText)
	}
	if !ours || !ok || err != nil || len(salt) != argonSalt || len(key) != argonKey {
		return nil, nil, fmt.Errorf("a stored password hash has an unknown format")
	}
	return salt, key, nil
}
