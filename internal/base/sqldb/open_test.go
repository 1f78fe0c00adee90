package sqldb_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// refused fails t unless opening url is refused with an error that has these words.
func refused(t *testing.T, url string, words ...string) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Options{URL: url})
	if err == nil {
		_ = db.Close()
		t.Fatalf("%s was opened", url)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error lacks %q: %v", word, err)
		}
	}
}

func TestOpenURL(t *testing.T) {
	for name, c := range map[string]struct{ url, word string }{
		"refused/empty":             {"", "must begin with"},
		"refused/path":              {"/var/lib/x.db", "must begin with"},
		"refused/another engine":    {"mysql://root:secret@localhost/x", "must begin with"},
		"refused/sqlite no path":    {"sqlite:", "path of a file"},
		"refused/sqlite memory":     {"sqlite::memory:", "path of a file"},
		"refused/sqlite parameters": {"sqlite:x.db?mode=memory", "path of a file"},
		"refused/sqlite host":       {"sqlite://host/x.db", "path of a file"},
		"refused/postgres port":     {"postgres://user:secret@localhost:port/x", "cannot be read"},
		"refused/postgres escape":   {"postgres://user:secret%zz@localhost/x", "cannot be read"},
		"refused/postgres pool":     {"postgres://user:secret@localhost/x?pool_max_conns=one", "pool_max_conns"},
		"refused/postgres tiny":     {"postgres://user:secret@localhost/x?pool_max_conns=1", "pool_max_conns"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.url, c.word)
			if _, err := sqldb.Open(t.Context(), sqldb.Options{URL: c.url}); strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

// lite returns a path and the URL of a SQLite database that was opened and closed once.
func lite(t *testing.T) (path, url string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.db")
	db, err := sqldb.Open(t.Context(), sqldb.Options{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path, "sqlite:" + path
}

// raw runs statements on a database behind sqldb's back.
func raw(t *testing.T, driver, source string, statements ...string) {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
}

func overwrite(t *testing.T, path string, at int64, bytes string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(bytes), at); err != nil {
		t.Fatal(err)
	}
}

// TestCheck: a large file is read through only after it was opened.
func TestCheck(t *testing.T) {
	path, url := lite(t)
	raw(t, "sqlite", path, `CREATE TABLE large (text TEXT)`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) INSERT INTO large SELECT hex(zeroblob(250)) FROM n`)
	check := func() error {
		t.Helper()
		db, err := sqldb.Open(t.Context(), sqldb.Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		return errors.Join(db.Check(t.Context()), db.Close())
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, 12<<20, strings.Repeat("\x5a", 200))
	if err := check(); err == nil || !strings.Contains(err.Error(), "is damaged; restore it") {
		t.Errorf("got %v; want to read that the file is damaged", err)
	}
}

func TestOpenSQLite(t *testing.T) {
	t.Run("refused/not SQLite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "notes.txt")
		if err := os.WriteFile(path, []byte("these are notes, and long enough for a header"), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, "sqlite:"+path, path, "not a SQLite database")
	})
	t.Run("refused/cut short in the header", func(t *testing.T) {
		path, url := lite(t)
		if err := os.Truncate(path, 10); err != nil {
			t.Fatal(err)
		}
		refused(t, url, "not a SQLite database")
	})
	t.Run("refused/damaged header", func(t *testing.T) {
		path, url := lite(t)
		overwrite(t, path, 16, "\xff\xff\xff\xff\xff\xff\xff\xff")
		refused(t, url, "not a SQLite database")
	})
	t.Run("refused/damaged schema", func(t *testing.T) {
		path, url := lite(t)
		overwrite(t, path, 100, strings.Repeat("\x5a", 3000))
		refused(t, url, "damaged")
	})
	t.Run("refused/damaged in the middle", func(t *testing.T) {
		path, url := lite(t)
		about, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		for page := about.Size() / 2 / 4096; page < about.Size()/4096; page++ {
			overwrite(t, path, page*4096, strings.Repeat("\x5a", 200))
		}
		refused(t, url, "damaged")
	})
	t.Run("refused/cut short", func(t *testing.T) {
		path, url := lite(t)
		if err := os.Truncate(path, 8192); err != nil {
			t.Fatal(err)
		}
		refused(t, url, "damaged")
	})
	t.Run("refused/another application", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "other.db")
		raw(t, "sqlite", path, "PRAGMA application_id = 7", "CREATE TABLE theirs (id)")
		before, _ := os.ReadFile(path)
		refused(t, "sqlite:"+path, "another application")
		if after, _ := os.ReadFile(path); string(before) != string(after) {
			t.Error("the file was changed")
		}
	})
	t.Run("refused/unmarked with tables", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "other.db")
		raw(t, "sqlite", path, "CREATE TABLE theirs (id)")
		refused(t, "sqlite:"+path, "another application")
	})
	t.Run("refused/newer schema", func(t *testing.T) {
		path, url := lite(t)
		raw(t, "sqlite", path, "INSERT INTO sallyport_versions (version_id, is_applied) VALUES (9999, TRUE)", "UPDATE feed_head SET oldest = 9000")
		refused(t, url, "version 9999", "version 9000 or newer", "as new as")
	})
	t.Run("accepted/newer schema that states this version", func(t *testing.T) {
		path, url := lite(t)
		raw(t, "sqlite", path, "INSERT INTO sallyport_versions (version_id, is_applied) VALUES (9999, TRUE)")
		sqldbtest.OpenWith(t, sqldb.SQLite, sqldb.Options{URL: url})
	})
	t.Run("refused/directory in the way", func(t *testing.T) {
		refused(t, "sqlite:"+t.TempDir(), "cannot be opened")
	})
	t.Run("accepted/empty file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "empty.db")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		sqldbtest.OpenWith(t, sqldb.SQLite, sqldb.Options{URL: "sqlite:" + path})
	})
	t.Run("accepted/new directory", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a b%20c#d", "e", "x.db")
		sqldbtest.OpenWith(t, sqldb.SQLite, sqldb.Options{URL: "sqlite:" + path})
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	})
	t.Run("accepted/again", func(t *testing.T) {
		_, url := lite(t)
		sqldbtest.OpenWith(t, sqldb.SQLite, sqldb.Options{URL: url})
	})
}

// TestOpenSQLiteWithoutRights needs an unprivileged user; root becomes nobody for as long as it takes.
func TestOpenSQLiteWithoutRights(t *testing.T) {
	for name, protect := range map[string]func(path string) error{
		"refused/directory not writable": func(path string) error { return os.Chmod(filepath.Dir(path), 0o555) },
		"refused/file not writable": func(path string) error {
			return joined(os.Chmod(filepath.Dir(path), 0o777), os.Chmod(path, 0o444), os.Remove(path+".lock"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "sqldb")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			path := filepath.Join(dir, "test.db")
			db, err := sqldb.Open(t.Context(), sqldb.Options{URL: "sqlite:" + path})
			if err != nil {
				t.Fatal(err)
			}
			if err := joined(db.Close(), protect(path)); err != nil {
				t.Fatal(err)
			}
			if os.Getuid() == 0 {
				runtime.LockOSThread() // and leave it locked: the thread is no good for anything else
				if err := syscall.Setfsuid(65534); err != nil {
					t.Fatal(err)
				}
				defer func() { _ = syscall.Setfsuid(0) }()
			}
			refused(t, "sqlite:"+path, "cannot be written", "let this user write")
		})
	}
}

func joined(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestMain lets the test binary play the second process of TestTwoProcesses.
func TestMain(m *testing.M) {
	url := os.Getenv("SQLDB_TEST_HOLD")
	if url == "" {
		os.Exit(m.Run())
	}
	db, err := sqldb.Open(context.Background(), sqldb.Options{URL: url, Logger: slog.Default()})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the test is done with us
	_ = db.Close()
}

func TestTwoProcesses(t *testing.T) {
	path, url := lite(t)
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), "SQLDB_TEST_HOLD="+url)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatal(line)
	}
	refused(t, url, path, fmt.Sprintf("in use by process %d", other.Process.Pid))
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:"+link, "in use by process")
	_ = in.Close()
	if err := other.Wait(); err != nil {
		t.Error(err)
	}
	sqldbtest.OpenWith(t, sqldb.SQLite, sqldb.Options{URL: url})
}

func TestOneProcessOpensOnce(t *testing.T) {
	url := sqldbtest.URL(t, sqldb.SQLite)
	db := sqldbtest.OpenWith(t, sqldb.SQLite, sqldb.Options{URL: url})
	refused(t, url, "in use by process")
	if err := db.Write(t.Context(), add(t.Context(), "a")); err != nil {
		t.Error(err)
	}
}

func TestCloseMovesTheLogIntoTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sqldb.Open(t.Context(), sqldb.Options{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	var n int64 // a reader is open when the database is closed
	if err := errors.Join(db.Get(t.Context(), &n, "SELECT count(*) FROM organizations"), db.Write(t.Context(), add(t.Context(), "a")),
		db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the write-ahead log is left beside the file: %v", err)
	}
}
