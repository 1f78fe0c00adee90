package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/seal"
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

// TestRootIsMadeOnceByManyAtOnce: servers that start together end up with one key, and one of them says that it made it.
func TestRootIsMadeOnceByManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	keys, made := make([]*seal.Key, 16), make([]string, 16)
	var group sync.WaitGroup
	for n := range keys {
		group.Go(func() {
			var err error
			if keys[n], made[n], err = seal.Root("", "", dir); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	sealed, makers := keys[0].Seal([]byte("x")), 0
	for n, key := range keys {
		if _, err := key.Open(sealed); err != nil {
			t.Errorf("server %d has another key", n)
		}
		if made[n] != "" {
			makers++
		}
	}
	if makers != 1 {
		t.Errorf("%d servers say that they made the key", makers)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v; want the key alone", files, err)
	}
}

// TestRootOfACrash: a server that died while it made the key left a file beside it, and nothing that looks like the key.
func TestRootOfACrash(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, seal.RootFile+".new-1"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, made, err := seal.Root("", "", dir); err != nil || made == "" {
		t.Errorf("made %q, %v", made, err)
	}
}

// TestRootIsNeverMadeOverAnother: a file that holds no key is an error, not a reason to make one.
func TestRootIsNeverMadeOverAnother(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "half": "AAAA", "of another program": "-----BEGIN KEY-----"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, seal.RootFile)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, made, err := seal.Root("", "", dir); err == nil || made != "" || !strings.Contains(err.Error(), path) {
				t.Errorf("made %q, %v; want an error that names the file", made, err)
			}
			if left, _ := os.ReadFile(path); string(left) != text {
				t.Error("the file was overwritten")
			}
		})
	}
}

// TestRootSources: what is set wins over the file that is named, and that over the data folder.
func TestRootSources(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "key")
	text := func(fill byte) string {
		return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, seal.KeySize))
	}
	for path, fill := range map[string]byte{file: 2, filepath.Join(dir, seal.RootFile): 3} {
		if err := os.WriteFile(path, []byte(" "+text(fill)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		value, path string
		fill        byte
	}{"value": {text(1), file, 1}, "file": {"", file, 2}, "folder": {"", "", 3}} {
		t.Run(name, func(t *testing.T) {
			key, made, err := seal.Root(c.value, c.path, dir)
			if err != nil || made != "" {
				t.Fatalf("made %q, %v", made, err)
			}
			if _, err := key.Open(newKey(t, c.fill).Seal([]byte("x"))); err != nil {
				t.Error("another key was taken")
			}
		})
	}
}

// TestSeveralKeys: the first seals, all open; the one that is asked for becomes the first.
func TestSeveralKeys(t *testing.T) {
	raw := func(fill byte) []byte { return bytes.Repeat([]byte{fill}, seal.KeySize) }
	both, err := seal.NewKey(raw(1), raw(2))
	if err != nil {
		t.Fatal(err)
	}
	one, two := newKey(t, 1), newKey(t, 2)
	if ids := both.IDs(); ids[0] != one.IDs()[0] || ids[1] != two.IDs()[0] || ids[0] == ids[1] {
		t.Errorf("the fingerprints are %v", ids)
	}
	if _, err := one.Open(both.Seal([]byte("x"), "b"), "b"); err != nil {
		t.Error("the first key does not seal")
	}
	second, held := both.Sealing(two.IDs()[0])
	if _, err := two.Open(second.Seal([]byte("x"), "b"), "b"); !held || err != nil {
		t.Error("the chosen key does not seal")
	}
	for _, k := range []*seal.Key{one, two} {
		plain, by, err := second.OpenedBy(k.Seal([]byte("x"), "b"), "b")
		if err != nil || string(plain) != "x" || by != k.IDs()[0] {
			t.Errorf("opened %q by %s, %v", plain, by, err)
		}
	}
	if _, held := both.Sealing(newKey(t, 3).IDs()[0]); held {
		t.Error("a key that was not given seals")
	}
	if _, err := seal.NewKey(); err == nil {
		t.Error("no key at all was accepted")
	}
	one.Become(two)
	if _, err := one.Open(two.Seal([]byte("x"), "b"), "b"); err != nil {
		t.Error("it did not become the other")
	}
}

// TestKeyFileIsChangedWhole: a new key goes before those of a file; later one is kept. Nothing is lost on a mistake.
func TestKeyFileIsChangedWhole(t *testing.T) {
	dir := t.TempDir()
	first, path, err := seal.Root("", "", dir)
	if err != nil {
		t.Fatal(err)
	}
	both, err := seal.AddRoot(path)
	if err != nil || len(both.IDs()) != 2 || both.IDs()[1] != first.IDs()[0] {
		t.Fatalf("added: %v, %v", both, err)
	}
	if _, err := seal.KeepRoot(path, "0000000000000000"); err == nil {
		t.Error("kept a key that is not there")
	}
	if again, err := seal.ReadRoot(path); err != nil || len(again.IDs()) != 2 {
		t.Fatalf("after the mistake the file holds %v, %v", again, err)
	}
	kept, err := seal.KeepRoot(path, both.IDs()[0])
	if err != nil || len(kept.IDs()) != 1 || kept.IDs()[0] != both.IDs()[0] {
		t.Fatalf("kept: %v, %v", kept, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v; want the key alone", files, err)
	}
}
