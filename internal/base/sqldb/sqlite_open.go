package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks a SQLite file as ours ("Sall"), so that no other program's database is ever migrated.
const applicationID = 0x53616c6c

// pageCache is how many bytes of the file a connection keeps in memory where nothing else is asked for.
const pageCache = 4 << 20

// errLocked says that another process has the database.
var errLocked = errors.New("in use")

// litePath returns the absolute path in a URL like sqlite:data/sallyport.db, links resolved, so that one file has one lock.
func litePath(raw string) (string, error) {
	name := strings.TrimPrefix(raw, "sqlite:")
	if strings.HasPrefix(name, "///") {
		name = name[2:]
	}
	if name == "" || strings.HasPrefix(name, ":") || strings.HasPrefix(name, "//") || strings.ContainsAny(name, "?\x00") {
		return "", errors.New("a SQLite URL is sqlite: and the path of a file, without parameters, like sqlite:/var/lib/sallyport/sallyport.db")
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path)), nil
	}
	return path, nil
}

// open takes the lock, checks the file, and opens it for writing and for reading. The lock comes first: it also keeps
// this process from opening the file twice, since closing any handle on it would lose SQLite's own locks.
func (s *liteStore) open(ctx context.Context, log *slog.Logger, path string, lostLog bool) (err error) {
	if err := makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := s.takeLock(path, lostLog); err != nil {
		return err
	}
	if err := checkFile(path); err != nil {
		return err
	}
	if s.writer, err = liteConnect(path, s.pages, "_txlock=immediate", "_pragma=journal_size_limit(67108864)"); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := claim(ctx, log, s.writer); err != nil {
		return err
	}
	if s.checked, err = checkSmall(ctx, path, s.writer); err != nil {
		return err
	}
	if s.readers, err = liteConnect(path, s.pages, "mode=ro", "_query_only=1"); err != nil {
		return err
	}
	n := min(max(2*runtime.GOMAXPROCS(0), 4), 16)
	s.readers.SetMaxOpenConns(n)
	s.readers.SetMaxIdleConns(n) // a reader keeps its prepared statements and its cache
	s.statements = newStatements(s.readers)
	return s.sign(openMark) // from here on the log is there
}

// takeLock takes the lock, and refuses a database whose newest commits are lost, unless it is opened to recover from that:
// then it says so in the lock file before SQLite makes another log, which would look like the one that is missing.
func (s *liteStore) takeLock(path string, lostLog bool) (err error) {
	var left mark
	if s.lock, left, err = lockFile(path + ".lock"); err != nil {
		return err
	}
	switch {
	case left == lostMark:
		err = errUnrecovered
	case left == openMark && missesLog(path):
		err = errLostLog
	}
	if err == nil || !lostLog {
		return err
	}
	s.lost.Store(true)
	return sign(s.lock, lostMark)
}

// missesLog reports whether there is a database without a write-ahead log.
func missesLog(path string) bool {
	about, err := os.Stat(path)
	if err != nil || about.Size() == 0 {
		return false // whoever takes both away wants a new one
	}
	_, err = os.Lstat(path + "-wal")
	return errors.Is(err, os.ErrNotExist)
}

// makeDir makes the data directory, for its owner alone, if there is none. It syncs the directory above, so that a new
// database is still there after a power cut; SQLite does the same for the files inside.
func makeDir(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	above, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer above.Close()
	return above.Sync()
}

// checkFile makes the file, for its owner alone, if there is none, and refuses one that does not begin as a SQLite
// file does (https://www.sqlite.org/fileformat.html#the_database_header).
func checkFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	var header [16]byte
	switch n, err := io.ReadFull(f, header[:]); {
	case n == 0 && err == io.EOF:
		return nil // new
	case err != nil && err != io.ErrUnexpectedEOF:
		return err
	case string(header[:]) != "SQLite format 3\x00":
		return errNotSQLite
	}
	return nil
}

// liteConnect returns a pool of connections to the file with our settings and the given ones. synchronous=FULL makes a
// commit durable before it returns. There is no mmap: an I/O error is to be an error, not a signal that ends the process.
func liteConnect(path string, settings ...string) (*sql.DB, error) {
	settings = append(settings,
		"_busy_timeout=5000", // another process can only be an operator's tool
		"_dqs=0", "_defensive=1",
		"_pragma=foreign_keys(1)", "_pragma=synchronous(FULL)",
		"_pragma=temp_store(MEMORY)", "_pragma=trusted_schema(0)")
	file := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(settings, "&")}
	connector, err := sqlite.NewConnector(file.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// claim refuses a database of another application before anything is written to it, marks a new one as ours, and
// brings its schema up to date.
func claim(ctx context.Context, log *slog.Logger, writer *sql.DB) error {
	var id, tables, version int64
	err := writer.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), COUNT(*),
		COALESCE(SUM(name = $1), 0) FROM sqlite_schema WHERE type = 'table'`, versionTable).Scan(&id, &tables, &version)
	if err != nil {
		return err
	}
	if id != applicationID && (id != 0 || tables != 0) {
		return errForeign
	}
	if id == 0 {
		if _, err := writer.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	var mode string
	if err := writer.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return errNoWAL
	}
	if version != 0 {
		err := writer.QueryRowContext(ctx, "SELECT MAX(version_id) FROM "+versionTable).Scan(&version)
		if err != nil {
			return err
		}
	}
	return migrate(ctx, log, writer, goose.DialectSQLite3, version, nil)
}

// The refusals that are not SQLite's own.
var (
	errNotSQLite = errors.New("not a SQLite file")
	errForeign   = errors.New("another application's file")
	errNoWAL     = errors.New("no write-ahead log")
	errLostLog   = errors.New("the write-ahead log is gone")

	errUnrecovered = errors.New("the write-ahead log was lost")
)

// liteFailure puts why a file could not be opened in a sentence for the operator.
func liteFailure(path string, err error) error {
	code := sqliteCode(err) & 0xff
	switch {
	case errors.Is(err, errLocked):
		return fmt.Errorf("the database %s is %w; stop that process, or give this one a file of its own", path, err)
	case errors.Is(err, errForeign):
		return fmt.Errorf("%s is the SQLite database of another application; name a file that does not exist yet, or one that this program made", path)
	case errors.Is(err, errNotSQLite) || code == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s is not a SQLite database, or its header is damaged; name another file, or restore this one from a backup", path)
	case code == sqlite3.SQLITE_CORRUPT || errors.Is(err, errDamaged):
		return fmt.Errorf("the database %s is damaged; restore it from a backup: %w", path, err)
	case errors.Is(err, errLostLog):
		return fmt.Errorf("the database %s was not closed, and its write-ahead log, %s-wal, is gone: the newest changes are lost, revocations among them. Put that file back, or run sallyport recover, which revokes every token", path, path)
	case errors.Is(err, errUnrecovered):
		return fmt.Errorf("the write-ahead log of the database %s was lost, and sallyport recover did not finish: run it again; until then revoked tokens could be valid", path)
	case errors.Is(err, errNoWAL):
		return fmt.Errorf("the file system of %s cannot hold a SQLite write-ahead log; put the database on a local disk", path)
	case code == sqlite3.SQLITE_FULL || errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk of %s is full; free some space: %w", path, err)
	case errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS) || code == sqlite3.SQLITE_READONLY || code == sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("the database %s cannot be written; let this user write the file and its directory: %w", path, err)
	}
	return fmt.Errorf("the database %s cannot be opened: %w", path, err)
}
