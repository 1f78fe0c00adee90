package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// liteSession is the one connection that writes to a SQLite file.
type liteSession struct {
	writer *sql.DB
	conn   *sql.Conn // nil until it is needed, and after drop
	run    *statements
}

// begin opens a transaction that holds the write lock from the start, so that none of its statements can meet
// SQLITE_BUSY halfway.
func (s *liteSession) begin(ctx context.Context) (runner, error) {
	if s.conn == nil {
		conn, err := s.writer.Conn(ctx)
		if err != nil {
			return nil, err
		}
		s.conn, s.run = conn, newStatements(conn)
	}
	return s.run, s.each(ctx, "BEGIN IMMEDIATE")
}

func (s *liteSession) save(ctx context.Context) error { return s.each(ctx, "SAVEPOINT one") }

// keep and undo fail if SQLite has ended the transaction by itself, as it does when the disk is full: the savepoint is
// gone then.
func (s *liteSession) keep(ctx context.Context) error {
	return s.each(ctx, "RELEASE one", "SAVEPOINT one")
}

func (s *liteSession) undo(ctx context.Context) error { return s.each(ctx, "ROLLBACK TO one") }

// commit has no deadline: to interrupt it would only leave its outcome in doubt. So does a disk that fails: the
// transaction is undone, but a crash now may bring it back, if it is already whole in the write-ahead log.
func (s *liteSession) commit() error {
	err := s.each(context.Background(), "COMMIT")
	if err == nil {
		return nil
	}
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT: // SQLite refused to begin with it
		return fmt.Errorf("nothing was committed: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
}

func (s *liteSession) rollback(ctx context.Context) error { return s.each(ctx, "ROLLBACK") }

// drop closes the connection, by which SQLite rolls back whatever it had open.
func (s *liteSession) drop() {
	if s.conn == nil {
		return
	}
	s.run.close()
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn }) // keeps it out of the pool
	_ = s.conn.Close()
	s.conn, s.run = nil, nil
}

// again is never true: nobody else writes, so a function that failed fails again.
func (s *liteSession) again(error) bool { return false }

func (s *liteSession) each(ctx context.Context, texts ...string) error {
	for _, text := range texts {
		if _, err := s.run.ExecContext(ctx, text); err != nil {
			return explain(err, text)
		}
	}
	return nil
}
