// Package backup owns backups of an installation, and the log of revocations that makes an old backup safe to serve. It
// does not decide which tokens live: it carries what the database says of them.
//
// It reads a database beside the server that uses it, and so opens it by itself, for reading alone; sqldb lets in one
// process.
package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Source is a database that is only read. Close it after use.
type Source struct {
	DB      *sql.DB
	Engine  sqldb.Engine
	Path    string // of the SQLite file, links resolved; "" for PostgreSQL
	Serving bool   // another process has the SQLite file; of PostgreSQL the register tells
	LostLog bool   // a crash left the newest commits in a write-ahead log, and that is gone
	Begun   bool   // beside LostLog: a recovery from that was begun, and did not come to its end

	lock *os.File // keeps a server from starting on a SQLite file meanwhile
}

// Open opens the database that raw names, as sqldb.Open takes it, without changing anything. An error says in one sentence
// what is wrong and what to do.
func Open(ctx context.Context, raw string) (*Source, error) {
	path, lite := strings.CutPrefix(raw, "sqlite:")
	if !lite {
		return openPostgres(ctx, raw)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("the database cannot be read; name the data folder of the server with --data-dir: %w", err)
	}
	s := &Source{Engine: sqldb.SQLite, Path: real}
	if err := s.openFile(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openFile opens the SQLite file. Where a server runs, or left a write-ahead log, SQLite reads that too; else the file is
// opened as one that nobody changes, and SQLite puts no files of its own beside it.
func (s *Source) openFile(ctx context.Context) (err error) {
	if s.lock, s.Serving, err = tryLock(s.Path + ".lock"); err != nil {
		return err
	}
	settings := "mode=ro"
	about, err := os.Stat(s.Path + "-wal")
	if !s.Serving && (err != nil || about.Size() == 0) {
		settings += "&immutable=1"
	}
	if s.lock != nil {
		s.LostLog, s.Begun = lostLog(s.lock, errors.Is(err, os.ErrNotExist))
	}
	if s.DB, err = liteConnect(s.Path, settings); err != nil {
		return err
	}
	var id int64
	if err := s.DB.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return fmt.Errorf("the database %s cannot be read: %w", s.Path, err)
	}
	if id != applicationID {
		return fmt.Errorf("%s is not a database of this program", s.Path)
	}
	return nil
}

// lostLog reports whether commits were lost with a write-ahead log: whoever had the lock last did not close the database and
// there is none, or began to recover from that; see sqldb.
func lostLog(lock *os.File, none bool) (lost, begun bool) {
	text, _ := io.ReadAll(io.LimitReader(lock, 40)) // unreadable: the database tells the rest
	begun = strings.HasSuffix(string(text), " lost")
	return begun || none && strings.HasSuffix(string(text), " open"), begun
}

// applicationID is how sqldb marks its SQLite files.
const applicationID = 0x53616c6c

// liteConnect opens a SQLite file on one connection, with settings as a URL has them.
func liteConnect(path, settings string) (*sql.DB, error) {
	file := url.URL{Scheme: "file", Path: path, RawQuery: settings + "&_busy_timeout=5000&_dqs=0&_defensive=1&_pragma=trusted_schema(0)&_pragma=temp_store(MEMORY)"}
	connector, err := sqlite.NewConnector(file.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, nil
}

// tryLock takes a share of the lock of a database, unless a server has it. A file that is not there is not made: then no
// server ever ran on this database.
func tryLock(path string) (lock *os.File, taken bool, err error) {
	lock, err = os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("cannot find out whether a server runs; run this command as the user of the server: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		return lock, false, nil
	}
	_ = lock.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, true, nil
	}
	return nil, false, err
}

func openPostgres(ctx context.Context, raw string) (*Source, error) {
	config, err := pgx.ParseConfig(raw)
	if err != nil {
		return nil, errors.New("the database URL is not valid; it begins with sqlite: or has the form postgres://user:password@host:5432/name")
	}
	delete(config.RuntimeParams, "pool_max_conns")
	config.RuntimeParams["default_transaction_read_only"] = "on"
	s := &Source{Engine: sqldb.Postgres, DB: stdlib.OpenDB(*config)}
	if err := s.DB.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("PostgreSQL cannot be reached: %w", err), s.Close())
	}
	return s, nil
}

// Schema returns the version of the database's schema.
func (s *Source) Schema(ctx context.Context) (version int64, err error) {
	return version, s.DB.QueryRowContext(ctx, `SELECT max(version_id) FROM sallyport_versions`).Scan(&version)
}

// Close ends the connections, and gives the lock back.
func (s *Source) Close() error {
	var errs []error
	if s.DB != nil {
		errs = append(errs, s.DB.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
