package seal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/seal"
)

func TestSealOpens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := newKey(t, 1)
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		binding := rapid.SliceOf(rapid.String()).Draw(t, "binding")
		got, err := key.Open(key.Seal(plain, binding...), binding...)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %q, %v; want %q", got, err, plain)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	key := newKey(t, 1)
	sealed := key.Seal([]byte("value"), "table", "row")
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another row":       func() ([]byte, error) { return key.Open(sealed, "table", "other") },
		"shifted binding":   func() ([]byte, error) { return key.Open(sealed, "tabl", "erow") },
		"another key":       func() ([]byte, error) { return newKey(t, 2).Open(sealed, "table", "row") },
		"changed":           func() ([]byte, error) { return key.Open(flipped, "table", "row") },
		"empty":             func() ([]byte, error) { return key.Open(nil, "table", "row") },
		"cut off":           func() ([]byte, error) { return key.Open(sealed[:10], "table", "row") },
		"of another format": func() ([]byte, error) { return key.Open(append([]byte{9}, sealed[1:]...), "table", "row") },
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := open(); !errors.Is(err, seal.ErrOpen) {
				t.Fatalf("Open = %q, %v; want ErrOpen", got, err)
			}
		})
	}
}

func TestRootIsMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	first, made, err := seal.Root("", "", dir)
	if err != nil || made != filepath.Join(dir, seal.RootFile) {
		t.Fatalf("made %q, %v", made, err)
	}
	if info, _ := os.Stat(made); info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v; want 0600", info.Mode().Perm())
	}
	second, made, err := seal.Root("", "", dir)
	if err != nil || made != "" {
		t.Fatalf("second start made %q, %v", made, err)
	}
	if _, err := second.Open(first.Seal([]byte("x"), "b"), "b"); err != nil {
		t.Fatal(err)
	}
}

func TestRootRefusesWhatIsNoKey(t *testing.T) {
	for _, value := range []string{"short", strings.Repeat("A", 64), "%%%"} {
		if _, _, err := seal.Root(value, "", t.TempDir()); err == nil || strings.Contains(err.Error(), value) {
			t.Errorf("Root(%q) error = %v; want one that does not show the value", value, err)
		}
	}
	if _, _, err := seal.Root("", filepath.Join(t.TempDir(), "missing"), ""); err == nil {
		t.Error("a missing key file was accepted")
	}
}

func newKey(t interface{ Fatal(...any) }, fill byte) *seal.Key {
	key, err := seal.NewKey(bytes.Repeat([]byte{fill}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
