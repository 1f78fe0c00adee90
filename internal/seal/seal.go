// Package seal encrypts what must not be readable in the database, and finds the root key that does it. It does not
// store ciphertexts, nor decide who may open them.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
)

// KeySize is the length of every key, in bytes: AES-256.
const KeySize = 32

// version is the first byte of each ciphertext, so that the format can change without guessing.
const version = 1

// ErrOpen says that a ciphertext does not belong to this key and binding, or was changed.
var ErrOpen = errors.New("seal: the ciphertext does not fit the key or its place")

// Key seals and opens with AES-256-GCM (NIST SP 800-38D), a random nonce for each message.
type Key struct{ aead cipher.AEAD }

// NewKey makes a Key of 32 raw bytes.
func NewKey(raw []byte) (*Key, error) {
	if len(raw) != KeySize {
		return nil, fmt.Errorf("seal: a key has %d bytes, this one has %d", KeySize, len(raw))
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Key{aead}, nil
}

// Seal encrypts plain. The binding names the place it is stored at (table, row, column): Open asks for the same
// one, so that a ciphertext moved to another row does not open.
func (k *Key) Seal(plain []byte, binding ...string) []byte {
	return k.aead.Seal([]byte{version}, nil, plain, associated(binding))
}

// Open decrypts what Seal made under the same key and binding; else the error is ErrOpen.
func (k *Key) Open(sealed []byte, binding ...string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != version {
		return nil, ErrOpen
	}
	plain, err := k.aead.Open(nil, nil, sealed[1:], associated(binding))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
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
