package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// liteStore is a SQLite file: one connection that writes, in groups, and a pool of connections that can only read.
type liteStore struct {
	path        string
	pages       string // how much of the file each connection keeps in memory, as a setting
	checked     bool   // every page was read when the file was opened
	group       *group
	writer      *sql.DB
	readers     *sql.DB
	*statements // of the readers
	lock        *os.File
	lost        atomic.Bool // the newest commits were lost with their log, and that is not made good yet
	closing     sync.Once
	closed      error
}

// openSQLite opens the file that o.URL names, making it if there is none.
func openSQLite(ctx context.Context, db *DB, o Options) error {
	path, err := litePath(o.URL)
	if err != nil {
		return err
	}
	s := &liteStore{path: path, pages: fmt.Sprintf("_pragma=cache_size(-%d)", cmp.Or(o.PageCache, pageCache)>>10)}
	if err := s.open(ctx, db.log, path, o.LostLog); err != nil {
		_ = s.release()
		return liteFailure(path, err)
	}
	s.group = newGroup(db, &liteSession{writer: s.writer})
	db.engine, db.store, db.group = SQLite, s, s.group
	return nil
}

// row runs a query for one row, prepared if there is room.
func (s *liteStore) row(ctx context.Context, query string, args []any) *sql.Row {
	stmt, err := s.prepared(ctx, query)
	if err != nil || stmt == nil {
		return s.readers.QueryRowContext(ctx, query, args...) // meets the same error, if there was one
	}
	return stmt.QueryRowContext(ctx, stmt.place(args)...)
}

func (s *liteStore) snapshot(ctx context.Context) (runner, func() error, error) {
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	w := &within{tx: tx, pool: s.statements}
	return w, w.end, nil
}

func (s *liteStore) write(ctx context.Context, fn func(*Tx) error) error { return s.group.do(ctx, fn) }

// probe changes nothing, since nobody uses that number, but SQLite writes and syncs it all the same.
func (s *liteStore) probe() string { return "PRAGMA user_version = 0" }

func (s *liteStore) stats() sql.DBStats { return s.readers.Stats() }

// close ends the readers before the writer: the last connection to close moves the write-ahead log into the database,
// and a reader may not. Then the one file is the whole database.
func (s *liteStore) close() error {
	s.closing.Do(func() {
		s.statements.close()
		readers := s.readers.Close()
		s.group.close()
		// A crash between the two leaves a log that is not needed; the other way round it could lack one that seems to be.
		s.closed = errors.Join(readers, s.sign(closedMark), s.release())
	})
	return s.closed
}

// sign puts a mark into the lock file, unless lostMark has to stay there.
func (s *liteStore) sign(m mark) error {
	if s.lost.Load() {
		return nil
	}
	return sign(s.lock, m)
}

// recovered ends what takeLock began.
func (s *liteStore) recovered() error {
	if !s.lost.Swap(false) {
		return nil
	}
	return s.sign(openMark)
}

// release closes what is open, the lock last.
func (s *liteStore) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if s.lock != nil {
		errs = append(errs, unlock(s.lock))
	}
	return errors.Join(errs...)
}
