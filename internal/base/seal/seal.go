// Package seal encrypts what must not be readable in the database, and finds the root key that does it. It does not
// store ciphertexts, nor decide who may open them.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// KeySize is the length of every key, in bytes: AES-256.
const KeySize = 32

// version is the first byte of each ciphertext, so that the format can change without guessing.
const version = 1

// ErrOpen says that a ciphertext does not belong to this key and binding, or was changed.
var ErrOpen = errors.New("seal: the ciphertext does not fit the key or its place")

// Key seals and opens with AES-256-GCM (NIST SP 800-38D), a random nonce for each message. While a key is rotated it
// stands for several: the first seals, all of them open.
type Key struct{ keys atomic.Pointer[[]single] }

// single is one key with the name that it goes by.
type single struct {
	id      string
	aead    cipher.AEAD
	deriver [sha256.Size]byte // makes codes; it does not give away the key
}

// NewKey makes a Key of 32 raw bytes each; the first seals.
func NewKey(raw ...[]byte) (*Key, error) {
	keys := make([]single, len(raw))
	for i, r := range raw {
		if len(r) != KeySize {
			return nil, fmt.Errorf("seal: a key has %d bytes, and this one has %d", KeySize, len(r))
		}
		block, err := aes.NewCipher(r)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		keys[i] = single{fingerprint(r), aead, [sha256.Size]byte(sum(r, "sallyport derived codes"))}
	}
	if len(keys) == 0 {
		return nil, errors.New("seal: no key was given")
	}
	return newKey(keys), nil
}

func newKey(keys []single) *Key {
	k := &Key{}
	k.keys.Store(&keys)
	return k
}

// fingerprint names a key without telling anything of it: 8 bytes of an HMAC under the key, in hex.
func fingerprint(raw []byte) string { return hex.EncodeToString(sum(raw, "sallyport key id")[:8]) }

// sum returns the HMAC-SHA-256 of a text under a key.
func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Code returns 32 bytes for a purpose that only holders of the key can compute, and that are the same for all of them. While
// a key is rotated they are those of the first key.
func (k *Key) Code(purpose string) []byte { return sum((*k.keys.Load())[0].deriver[:], purpose) }

// IDs returns the fingerprints of the keys, that of the one that seals first.
func (k *Key) IDs() []string {
	keys := *k.keys.Load()
	ids := make([]string, len(keys))
	for i, s := range keys {
		ids[i] = s.id
	}
	return ids
}

// Sealing returns a Key that seals with the one of a fingerprint, and opens with all; false if it is not among them.
func (k *Key) Sealing(id string) (*Key, bool) {
	keys := slices.Clone(*k.keys.Load())
	at := slices.IndexFunc(keys, func(s single) bool { return s.id == id })
	if at < 0 {
		return nil, false
	}
	keys[0], keys[at] = keys[at], keys[0]
	return newKey(keys), true
}

// Become makes k stand for the keys of another, for all who hold it.
func (k *Key) Become(other *Key) { k.keys.Store(other.keys.Load()) }

// Seal encrypts plain. The binding names the place it is stored at (table, row, column): Open asks for the same
// one, so that a ciphertext moved to another row does not open.
func (k *Key) Seal(plain []byte, binding ...string) []byte {
	return (*k.keys.Load())[0].aead.Seal([]byte{version}, nil, plain, associated(binding)) //nolint:gosec // the cipher draws its own nonce
}

// Open decrypts what Seal made under one of the keys and the same binding; else the error is ErrOpen.
func (k *Key) Open(sealed []byte, binding ...string) ([]byte, error) {
	plain, _, err := k.OpenedBy(sealed, binding...)
	return plain, err
}

// OpenedBy is Open that also tells the fingerprint of the key that fitted.
func (k *Key) OpenedBy(sealed []byte, binding ...string) (plain []byte, id string, err error) {
	if len(sealed) == 0 || sealed[0] != version {
		return nil, "", ErrOpen
	}
	place := associated(binding)
	for _, s := range *k.keys.Load() {
		if plain, err := s.aead.Open(nil, nil, sealed[1:], place); err == nil {
			return plain, s.id, nil
		}
	}
	return nil, "", ErrOpen
}

// associated joins the parts with their lengths before them, so that ("ab","c") and ("a","bc") differ.
func associated(parts []string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}
