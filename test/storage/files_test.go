package storage

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// newToken returns the token that a command printed.
func newToken(out string) string {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "eyJ") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// change changes the content of a file.
func change(t *testing.T, path string, fn func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, fn(content), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// flip flips one bit in every place where a text stands.
func flip(t *testing.T, content, text []byte) []byte {
	t.Helper()
	wrong := bytes.Clone(text)
	wrong[0] ^= 1
	if !bytes.Contains(content, text) {
		t.Fatalf("%q is not there", text)
	}
	return bytes.ReplaceAll(content, text, wrong)
}

// sql changes the database of a stopped server behind its back.
func (s *site) sql(statement string) error {
	db, err := sql.Open("sqlite", s.file())
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}

// runs runs a program of PostgreSQL that must succeed.
func (s *site) runs(program string, args ...string) {
	s.t.Helper()
	path, err := exec.LookPath(program)
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program); err != nil && len(found) > 0 { // where Debian has it
		path = found[len(found)-1]
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: %s", program, err, out)
	}
}
