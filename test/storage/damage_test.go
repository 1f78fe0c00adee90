package storage

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

const pageSize = 4096

// revoked returns a server with a token that lives and one that was revoked, stopped in order or killed.
func revoked(t *testing.T, stop func(*site)) (s *site, live, dead token) {
	t.Helper()
	s = start(t, nil)
	live, dead = s.mint(), s.mint()
	s.revoke(dead)
	stop(s)
	return s, live, dead
}

func (s *site) stopInOrder() { s.Stop() }
func (s *site) crash()       { s.Kill() }

// TestDamagedFile: a server neither starts nor answers on a file that SQLite cannot have written, doctor says so, and no
// backup or log of revocations is made of it.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(*site)
		words  string
		doctor string
	}{
		"refused/torn page of a table":         {func(s *site) { s.tear("change_log") }, "is damaged; restore it", "damaged"},
		"refused/torn page of an index":        {func(s *site) { s.tear("changes_by_until") }, "is damaged; restore it", "damaged"},
		"refused/flipped bit in a table page":  {func(s *site) { s.flipHeader("change_log") }, "is damaged; restore it", "damaged"},
		"refused/flipped bit in an index page": {func(s *site) { s.flipHeader("changes_by_until") }, "is damaged; restore it", "damaged"},
		"refused/cut short": {func(s *site) {
			change(s.t, s.file(), func(b []byte) []byte { return b[:len(b)/2/pageSize*pageSize] })
		}, "is damaged; restore it", "WRONG"},
		"refused/overwritten header": {func(s *site) {
			change(s.t, s.file(), func(b []byte) []byte { copy(b[:16], "not this program"); return b })
		}, "is not a SQLite database", "WRONG"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := revoked(t, (*site).stopInOrder)
			s.t = t
			c.damage(s)
			s.refusesToServe(c.words)
			s.refuses(c.doctor, s.Data, "doctor")
			s.refuses("", s.Data, "backup", "--to", s.path("backup.db"))
			s.refuses("", s.Data, "backup", "--revocations", s.path("revocations"))
			if left, err := os.ReadDir(s.dir); err != nil || len(left) > 0 {
				t.Errorf("there are files %v, %v", left, err)
			}
		})
	}
}

// page returns where the first page of a table or an index lies in the file.
func (s *site) page(name string) int64 {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.file()+"?mode=ro&immutable=1")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	var root int64
	if err := db.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = $1`, name).Scan(&root); err != nil {
		s.t.Fatal(err)
	}
	return (root - 1) * pageSize
}

// tear writes only the first half of a page anew, as a disk does that loses power.
func (s *site) tear(name string) {
	at := s.page(name)
	change(s.t, s.file(), func(b []byte) []byte {
		copy(b[at:at+pageSize/2], bytes.Repeat([]byte{0}, pageSize/2))
		return b
	})
}

// flipHeader flips one bit of the count of cells in a page.
func (s *site) flipHeader(name string) {
	at := s.page(name)
	change(s.t, s.file(), func(b []byte) []byte { b[at+4] ^= 1; return b })
}

// TestDeletedLog: a crash left the revocation in the write-ahead log alone. Without that log a server does not start, since
// it would accept the token.
func TestDeletedLog(t *testing.T) {
	t.Parallel()
	s, live, dead := revoked(t, (*site).crash)
	wal := s.file() + "-wal"
	copyTo(t, wal, s.path("wal"))
	if err := errors.Join(os.Remove(wal), os.Remove(s.file()+"-shm")); err != nil {
		t.Fatal(err)
	}
	s.refusesToServe("its write-ahead log")
	s.refuses("write-ahead log is gone", s.Data, "doctor")
	s.refuses("write-ahead log of the database is gone", s.Data, "backup", "--revocations", s.path("revocations"))
	copyTo(t, s.path("wal"), wal)
	s.serve()
	s.wants(401, "revoked", dead.jwt)
	s.wants(200, "live", live.jwt)
}

// withoutLog is revoked for a server that crashed, and whose log was deleted then; all but what it did at the end is in the
// database.
func withoutLog(t *testing.T) (s *site, live, dead token) {
	t.Helper()
	s, live, dead = revoked(t, func(s *site) {
		s.Stop()
		s.serve()
		s.Kill()
	})
	if err := os.Remove(s.file() + "-wal"); err != nil {
		t.Fatal(err)
	}
	return s, live, dead
}

// TestDeletedLogRecovered: where the log cannot be put back, recover kills every token.
func TestDeletedLogRecovered(t *testing.T) {
	t.Parallel()
	s, live, dead := withoutLog(t)
	s.refusesToServe("its write-ahead log")
	s.does(s.Data, "recover")
	s.serve()
	s.wants(401, "revoked", dead.jwt)
	s.wants(401, "live", live.jwt)
}

// TestDeletedLogRecoveredInTwo: a recovery that fails half-way, when SQLite has made a new log already, leaves a database that is
// not served either.
func TestDeletedLogRecoveredInTwo(t *testing.T) {
	t.Parallel()
	s, live, dead := withoutLog(t)
	s.refuses("root key", s.Data, "recover", "--root-key", base64.StdEncoding.EncodeToString(make([]byte, 32)))
	s.refusesToServe("recover did not finish: run it again")
	s.refuses("run sallyport recover until it finishes", s.Data, "doctor")
	s.refuses("run it again until it finishes", s.Data, "backup", "--revocations", s.path("revocations"))
	s.does(s.Data, "recover")
	s.serve()
	s.wants(401, "revoked", dead.jwt)
	s.wants(401, "live", live.jwt)
}

// TestSecondProcess: the second server on a data folder does not start, nor do commands that write; the first one goes on.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	s, live, dead := revoked(t, func(*site) {})
	s.refusesToServe("is in use by process")
	s.refuses("is in use by process", s.Data, "recover")
	s.refuses("exists already", s.Data, "restore", "--from", s.path("none"))
	s.wants(401, "revoked", dead.jwt)
	s.wants(200, "live", live.jwt)
}

// TestReadOnlyFolder: on a file system that cannot be written a server does not start, and commands that only read work.
func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	s, _, _ := revoked(t, (*site).stopInOrder)
	if err := unix.Mount(s.Data, s.Data, "", unix.MS_BIND, ""); err != nil {
		s.readOnlyByMode()
		return
	}
	t.Cleanup(func() { _ = unix.Unmount(s.Data, 0) })
	if err := unix.Mount("", s.Data, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	s.refusesToServe("cannot be written; let this user write")
	s.refuses("the file system is read-only", s.Data, "doctor")
	s.does(s.Data, "backup", "--to", s.path("backup.db"))
}

// readOnlyByMode is for users who cannot mount: a folder without the right to write is as good, but for root.
func (s *site) readOnlyByMode() {
	s.t.Helper()
	if os.Getuid() == 0 {
		s.t.Log("root writes everywhere, and cannot mount here: sqldb's TestOpenSQLiteWithoutRights tests the refusal")
		s.does(s.Data, "backup", "--to", s.path("backup.db"))
		return
	}
	if err := errors.Join(os.Remove(s.file()+".lock"), os.Chmod(s.Data, 0o500)); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = os.Chmod(s.Data, 0o700) })
	s.refusesToServe("cannot be written; let this user write")
	s.does(s.Data, "backup", "--to", s.path("backup.db"))
}

// TestFullDiskOfBackup: a backup that does not fit leaves nothing, and the server goes on.
func TestFullDiskOfBackup(t *testing.T) {
	t.Parallel()
	s, live, dead := revoked(t, func(*site) {})
	to := s.path("backup.db")
	cmd := command(s.Data, "backup", "--to", to)
	cmd.Args = []string{"sh", "-c", `ulimit -f 64; exec "$0" backup --to "$1"`, binary, to} // 32 KiB
	cmd.Path = "/bin/sh"
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot be copied") {
		t.Errorf("%v: %s; want that it cannot be copied", err, out)
	}
	if left, err := os.ReadDir(s.dir); err != nil || len(left) > 0 {
		t.Errorf("there are files %v, %v", left, err)
	}
	s.wants(401, "revoked", dead.jwt)
	s.wants(200, "live", live.jwt)
}

// TestDamagedLargeFile: a file that is too large to be read through before it is served is read beside, and its server ends
// by itself when it is damaged.
func TestDamagedLargeFile(t *testing.T) {
	t.Parallel()
	s, _, _ := revoked(t, (*site).stopInOrder)
	err := errors.Join(s.sql(`CREATE TABLE large (text TEXT)`), s.sql(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
		INSERT INTO large SELECT hex(zeroblob(250)) FROM n`))
	if err != nil {
		t.Fatal(err)
	}
	change(t, s.file(), func(b []byte) []byte {
		copy(b[12<<20:], strings.Repeat("\x5a", 200))
		return b
	})
	s.refuses("level=INFO msg=serving", s.Data, "serve", "--listen", "127.0.0.1:0") // it got so far
	s.refusesToServe("is damaged; restore it")
}
