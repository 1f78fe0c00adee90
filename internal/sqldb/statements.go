package sqldb

import (
	"context"
	"database/sql"
	"sync"
)

// runner runs SQL statements. The database/sql types are runners, and so are ours that keep prepared statements.
type runner interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// preparer is a runner that can prepare statements: *sql.DB and *sql.Conn.
type preparer interface {
	runner
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// maxStatements bounds the prepared statements kept for a connection or pool. A text beyond that is parsed at every
// use; none is ever put out again, so that no statement is closed under somebody who is about to run it.
const maxStatements = 512

// statements is a runner that prepares each text once. SQLite would otherwise parse it at every use. (PostgreSQL needs
// none of this: pgx keeps prepared statements by itself.)
type statements struct {
	on   preparer
	mu   sync.RWMutex
	kept map[string]*sql.Stmt
}

func newStatements(on preparer) *statements {
	return &statements{on: on, kept: map[string]*sql.Stmt{}}
}

// prepared returns the statement kept for a text, preparing it if need be; nil when there is no room for it.
func (s *statements) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.RLock()
	stmt, full := s.kept[query], len(s.kept) >= maxStatements
	s.mu.RUnlock()
	if stmt != nil || full {
		return stmt, nil
	}
	fresh, err := s.on.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt = s.kept[query]; stmt != nil { // somebody was faster
		return stmt, fresh.Close()
	}
	s.kept[query] = fresh
	return fresh, nil
}

// QueryContext runs a query, prepared.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepared(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return s.on.QueryContext(ctx, query, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// ExecContext runs a statement that returns no rows, prepared.
func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepared(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return s.on.ExecContext(ctx, query, args...)
	}
	return stmt.ExecContext(ctx, args...)
}

// close closes every statement kept.
func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stmt := range s.kept {
		_ = stmt.Close() // the connection that it belongs to is closed next
	}
	clear(s.kept)
}

// within is a runner inside a transaction that reuses the prepared statements of the pool.
type within struct {
	tx   *sql.Tx
	pool *statements
}

// QueryContext runs a query, prepared.
func (w within) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := w.pool.prepared(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return w.tx.QueryContext(ctx, query, args...)
	}
	return w.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
}

// ExecContext runs a statement that returns no rows.
func (w within) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return w.tx.ExecContext(ctx, query, args...)
}
