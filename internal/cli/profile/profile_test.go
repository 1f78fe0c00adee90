package profile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/sallyport/sallyport/internal/cli/profile"
)

func load(t *testing.T, dir string) *profile.Profile {
	t.Helper()
	p, err := profile.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTokensWithoutAKeyringAreInAFileOfTheUser(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	dir := filepath.Join(t.TempDir(), "sallyport")
	p := load(t, dir)
	for _, name := range []string{"one", "two"} {
		if kept, err := p.Put(profile.Context{Name: name, URL: "https://" + name}, "token-"+name, true); err != nil || kept.Keyring {
			t.Fatalf("%+v, %v", kept, err)
		}
	}
	for _, name := range []string{"contexts.json", "tokens.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	p = load(t, dir)
	if p.Current != "two" {
		t.Errorf("current: %q", p.Current)
	}
	if token, err := p.Token(*p.Find("one")); err != nil || token != "token-one" {
		t.Errorf("%q, %v", token, err)
	}
	if err := p.Remove(*p.Find("")); err != nil {
		t.Fatal(err)
	}
	p = load(t, dir)
	if p.Find("") != nil || p.Find("two") != nil || p.Find("one") == nil {
		t.Errorf("after a removal: %+v", p)
	}
	text, err := os.ReadFile(p.TokensFile())
	if err != nil || strings.Contains(string(text), "token-two") {
		t.Errorf("the token is still in the file: %s, %v", text, err)
	}
}

func TestTokensGoToTheKeyring(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "mock")
	keyring.MockInit()
	dir := t.TempDir()
	p := load(t, dir)
	if kept, err := p.Put(profile.Context{Name: "one"}, "secret-token", true); err != nil || !kept.Keyring {
		t.Fatalf("%+v, %v", kept, err)
	}
	p = load(t, dir)
	if token, err := p.Token(*p.Find("one")); err != nil || token != "secret-token" {
		t.Errorf("%q, %v", token, err)
	}
	if _, err := os.Stat(p.TokensFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file of tokens: %v", err)
	}
	// Moving to a file leaves nothing behind in the keyring.
	if _, err := p.Put(profile.Context{Name: "one"}, "second", false); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Get("sallyport", "one"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("the keyring still has the token: %v", err)
	}
}

func TestAFailingKeyringIsNotUsed(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "mock")
	keyring.MockInitWithError(errors.New("locked"))
	p := load(t, t.TempDir())
	if kept, err := p.Put(profile.Context{Name: "one"}, "x", true); err != nil || kept.Keyring {
		t.Errorf("%+v, %v", kept, err)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	p := load(t, dir)
	if _, err := p.Put(profile.Context{Name: "../x"}, "x", false); err == nil {
		t.Error("a name with a slash was accepted")
	}
	if err := p.Use("nowhere"); err == nil || !strings.Contains(err.Error(), "context list") {
		t.Errorf("an unknown context: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "contexts.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := profile.Load(dir); err == nil || !strings.Contains(err.Error(), "contexts.json") {
		t.Errorf("a damaged file: %v", err)
	}
}
