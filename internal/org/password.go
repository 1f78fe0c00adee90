package org

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a password hash: argon2id with the parameters of RFC 9106 section 4 for constrained memory.
const (
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 4
	argonKey     = 32
	argonSalt    = 16
)

var base64Raw = base64.RawStdEncoding.Strict()

// hashPassword returns the argon2id hash of a password in the PHC string format, which names its own parameters.
func hashPassword(password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	return argonPrefix() + base64Raw.EncodeToString(salt) + "$" + base64Raw.EncodeToString(derive(password, salt)), nil
}

func argonPrefix() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, argonMemory, argonTime, argonThreads)
}

func derive(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
}

// CheckPassword reports whether a stored hash is that of a password. It takes as long whether it is or not, also for a
// user that does not exist: pass "" for the hash then. It costs 64 MiB and much time, so bound how many run at once. A
// hash of another make is an error.
func CheckPassword(hash, password string) (bool, error) {
	salt, key := make([]byte, argonSalt), make([]byte, argonKey)
	if hash != "" {
		var err error
		if salt, key, err = parseHash(hash); err != nil {
			return false, err
		}
	}
	same := subtle.ConstantTimeCompare(derive(password, salt), key) == 1
	return same && hash != "", nil
}

// parseHash takes a hash of hashPassword apart.
func parseHash(hash string) (salt, key []byte, err error) {
	rest, ours := strings.CutPrefix(hash, argonPrefix())
	saltText, keyText, ok := strings.Cut(rest, "$")
	if salt, err = base64Raw.DecodeString(saltText); err == nil {
		key, err = base64Raw.DecodeString(keyText)
	}
	if !ours || !ok || err != nil || len(salt) != argonSalt || len(key) != argonKey {
		return nil, nil, fmt.Errorf("a stored password hash is not one of ours")
	}
	return salt, key, nil
}
