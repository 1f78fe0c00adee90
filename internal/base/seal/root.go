package seal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// RootFile is the name of the key file that the server makes in its data directory when it was given no root key.
const RootFile = "root.key"

// Root finds the root key: value (base64) if it is set, else the file at path if it is set, else RootFile in dir,
// which is made there when it is missing. While the root key is rotated, value or file hold several, with white space
// between them: the newest first. made is the path of a file that this call made, or "".
func Root(value, path, dir string) (key *Key, made string, err error) {
	switch {
	case value != "":
		key, err = parseRoot(value, "SALLYPORT_ROOT_KEY")
	case path != "":
		key, err = ReadRoot(path)
	default:
		path = filepath.Join(dir, RootFile)
		key, err = ReadRoot(path)
		if errors.Is(err, fs.ErrNotExist) {
			key, err = makeRoot(path)
			made = path
		}
		if errors.Is(err, fs.ErrExist) { // another server that starts now was quicker
			key, err = ReadRoot(path)
			made = ""
		}
	}
	return key, made, err
}

func parseRoot(text, from string) (*Key, error) {
	words := strings.Fields(text)
	keys := make([][]byte, len(words))
	for i, word := range words {
		raw, err := base64.StdEncoding.DecodeString(word)
		if err != nil || len(raw) != KeySize {
			which := "the root key"
			if len(words) > 1 {
				which = fmt.Sprintf("root key %d of the %d", i+1, len(words))
			}
			return nil, fmt.Errorf("%s in %s is not %d bytes in base64; make one with: head -c %d /dev/urandom | base64", which, from, KeySize, KeySize)
		}
		keys[i] = raw
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("there is no root key in %s; create one with: head -c %d /dev/urandom | base64", from, KeySize)
	}
	return NewKey(keys...)
}

// ReadRoot reads the root keys in a file, the newest first.
func ReadRoot(path string) (*Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the root key: %w", err)
	}
	return parseRoot(string(text), path)
}

// AddRoot puts a new key before those in a file, and returns them all. After a crash the file is as it was, or has the
// new key.
func AddRoot(path string) (*Key, error) {
	if _, err := ReadRoot(path); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = writeRoot(path, freshRoot()+string(text), os.Rename)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot add a root key to %s: %w", path, err)
	}
	return ReadRoot(path)
}

// KeepRoot leaves in a file only the key of a fingerprint, and returns it. The error tells if it is not there: then the
// file is left alone.
func KeepRoot(path, id string) (*Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the root key: %w", err)
	}
	for _, word := range strings.Fields(string(text)) {
		key, err := parseRoot(word, path)
		if err != nil {
			return nil, err
		}
		if key.IDs()[0] == id {
			return key, writeRoot(path, word+"\n", os.Rename)
		}
	}
	return nil, fmt.Errorf("the file %s does not hold the root key %s", path, id)
}

// makeRoot writes a new key by a link, which fails where there is a file: two servers that start at once must not
// overwrite each other's key.
func makeRoot(path string) (*Key, error) {
	text := freshRoot()
	if err := writeRoot(path, text, os.Link); err != nil {
		return nil, fmt.Errorf("cannot write the root key; create one by hand and name it with --root-key-file: %w", err)
	}
	return parseRoot(text, path)
}

// freshRoot returns a new key as files have it.
func freshRoot() string {
	raw := make([]byte, KeySize)
	_, _ = rand.Read(raw) // never fails
	return base64.StdEncoding.EncodeToString(raw) + "\n"
}

// writeRoot writes a key file for the owner alone, and syncs it and its directory: a key lost in a crash would take
// everything that it sealed with it. place gives the file its name once it is whole, so that no crash leaves half a key.
func writeRoot(path, text string, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), RootFile+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		crashpoint.Reach(crashpoint.RootKeyWritten)
		err = place(f.Name(), path)
	}
	crashpoint.Reach(crashpoint.RootKeyPlaced)
	return errors.Join(err, syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
