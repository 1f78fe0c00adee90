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
)

// RootFile is the name of the key file that the server makes in its data directory when it was given no root key.
const RootFile = "root.key"

// Root finds the root key: value (base64) if it is set, else the file at path if it is set, else RootFile in dir,
// which is made there when it is missing. made is the path of a file that this call made, or "".
func Root(value, path, dir string) (key *Key, made string, err error) {
	switch {
	case value != "":
		key, err = parseRoot(value, "SALLYPORT_ROOT_KEY")
	case path != "":
		key, err = readRoot(path)
	default:
		path = filepath.Join(dir, RootFile)
		key, err = readRoot(path)
		if errors.Is(err, fs.ErrNotExist) {
			key, err = makeRoot(path)
			made = path
		}
		if errors.Is(err, fs.ErrExist) { // another server that starts now was quicker
			key, err = readRoot(path)
			made = ""
		}
	}
	return key, made, err
}

func parseRoot(text, from string) (*Key, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != KeySize {
		return nil, fmt.Errorf("the root key in %s is not %d bytes in base64; make one with: head -c %d /dev/urandom | base64",
			from, KeySize, KeySize)
	}
	return NewKey(raw)
}

func readRoot(path string) (*Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the root key: %w", err)
	}
	return parseRoot(string(text), path)
}

// makeRoot writes a new key for the owner alone, and syncs it and its directory: a key lost in a crash would take
// everything that it sealed with it. The file gets its name once it is whole, so that no crash leaves half a key, and by
// a link, which fails where there is one: two servers that start at once must not overwrite each other's key.
func makeRoot(path string) (*Key, error) {
	raw := make([]byte, KeySize)
	_, _ = rand.Read(raw)
	f, err := os.CreateTemp(filepath.Dir(path), RootFile+".new-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("cannot make a root key: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(raw) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), path)
	}
	if err = errors.Join(err, syncDir(filepath.Dir(path))); err != nil {
		return nil, fmt.Errorf("cannot write the root key; make one by hand and name it with --root-key-file: %w", err)
	}
	return NewKey(raw)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
