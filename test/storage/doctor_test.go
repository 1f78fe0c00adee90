package storage

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/pgserver"
)

// TestDoctor: a sound installation passes, with its server running, stopped in order, and killed; and nothing of it is
// changed.
func TestDoctor(t *testing.T) {
	t.Parallel()
	s, live, dead := revoked(t, func(*site) {})
	if out := s.does(s.Data, "doctor"); strings.Contains(out, "WRONG") || !strings.Contains(out, "a server runs") {
		t.Errorf("beside a server doctor says\n%s", out)
	}
	for name, stop := range map[string]func(){"killed": s.Kill, "stopped": s.Stop} {
		if !s.Running() {
			s.serve()
		}
		stop()
		before := s.prints()
		if out := s.does(s.Data, "doctor"); strings.Contains(out, "WRONG") || !strings.Contains(out, "no server runs") {
			t.Errorf("after a server was %s doctor says\n%s", name, out)
		}
		if after := s.prints(); after != before {
			t.Errorf("doctor changed files of a server that was %s:\n%s\n%s", name, before, after)
		}
	}
	s.serve()
	s.wants(401, "revoked", dead.jwt)
	s.wants(200, "live", live.jwt)
}

// prints sums up the files that hold something.
func (s *site) prints() (all string) {
	s.t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.Data, "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		if !strings.HasSuffix(path, "-shm") { // SQLite's scratch pad
			all += fmt.Sprintf("%s %x\n", path, sha256.Sum256(content))
		}
	}
	return all
}

// TestDoctorFinds: each finding says what to do, and the status is 1.
func TestDoctorFinds(t *testing.T) {
	t.Parallel()
	s, _, _ := revoked(t, (*site).stopInOrder)
	for _, c := range []struct {
		name, words string
		spoil, mend func() error
	}{
		{"folder open to others", "chmod 700", func() error { return os.Chmod(s.Data, 0o755) }, func() error { return os.Chmod(s.Data, 0o700) }},
		{"database open to others", "chmod 600", func() error { return os.Chmod(s.file(), 0o644) }, func() error { return os.Chmod(s.file(), 0o600) }},
		{"leftover of a restore", "delete it", func() error { return os.Mkdir(filepath.Join(s.Data, "restoring-1"), 0o700) },
			func() error { return os.Remove(filepath.Join(s.Data, "restoring-1")) }},
		{"clock that is behind", "by NTP", func() error { return s.sql(`UPDATE audit_logs SET created_at = created_at + 600000`) },
			func() error { return s.sql(`UPDATE audit_logs SET created_at = created_at - 600000`) }},
		{"newer schema", "a program that is at least as new", func() error {
			return errors.Join(s.sql(`INSERT INTO sallyport_versions (version_id, is_applied) VALUES (9999, TRUE)`), s.sql(`UPDATE feed_head SET oldest = oldest + 9000`))
		}, func() error {
			return errors.Join(s.sql(`DELETE FROM sallyport_versions WHERE version_id = 9999`), s.sql(`UPDATE feed_head SET oldest = oldest - 9000`))
		}},
		{"log beyond its head", "restore a backup", func() error { return s.sql(`UPDATE feed_head SET seq = seq - 1`) },
			func() error { return s.sql(`UPDATE feed_head SET seq = seq + 1`) }},
		{"signing key that does not open", "does not open", func() error { return s.sql(`UPDATE signing_keys SET sealed = zeroblob(100)`) }, func() error { return nil }},
	} {
		t.Run("found/"+c.name, func(t *testing.T) {
			in := *s
			in.t = t
			if err := c.spoil(); err != nil {
				t.Fatal(err)
			}
			in.refuses(c.words, s.Data, "doctor")
			if err := c.mend(); err != nil {
				t.Fatal(err)
			}
		})
	}
	s.refuses("data-dir", s.path("nowhere"), "doctor")
}

// TestPostgres: doctor reads the register, backup names the tools of PostgreSQL, and the log of revocations is written once
// the servers have gone.
func TestPostgres(t *testing.T) {
	t.Parallel()
	p, err := pgserver.Start(pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	s := start(t, p)
	after, kept := s.mint(), s.mint()
	restored := s.dump(p)
	s.revoke(after)
	late := s.mint()
	url := "--database-url=postgres://postgres@" + s.Link.Addr + "/" + s.Database + "?sslmode=disable"
	if out := s.does(s.Data, "doctor", url); !strings.Contains(out, "1, all alive") {
		t.Errorf("beside a server doctor says\n%s", out)
	}
	log := s.path("revocations")
	s.refuses("pg_dump", s.Data, "backup", url, "--to", s.path("backup.db"))
	s.refuses("stop every server", s.Data, "backup", url, "--revocations", log)
	s.Kill()
	s.refuses("no sign of life", s.Data, "doctor", url)
	s.does(s.Data, "backup", url, "--revocations", log)

	other := "postgres://postgres@" + s.Link.Addr + "/" + restored + "?sslmode=disable"
	s.does(s.Data, "recover", "--database-url="+other, "--revocations", log)
	s.SetEnv("SALLYPORT_DATABASE_URL=" + other)
	s.serve()
	s.wants(401, "revoked after", after.jwt)
	s.wants(200, "kept", kept.jwt)
	s.wants(200, "late", late.jwt)
}

// dump restores a dump of the database, taken by PostgreSQL's own tools while the server serves, to a database of its own.
func (s *site) dump(p *pgserver.Server) (restored string) {
	s.t.Helper()
	restored, err := p.NewDatabase(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	host, port, _ := strings.Cut(s.Link.Addr, ":")
	at := []string{"-h", host, "-p", port, "-U", "postgres"}
	s.runs("pg_dump", append(at, "-Fc", "-f", s.path("dump"), s.Database)...)
	s.runs("pg_restore", append(at, "-d", restored, s.path("dump"))...)
	return restored
}
