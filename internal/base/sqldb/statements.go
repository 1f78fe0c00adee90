package sqldb

import (
	"context"
	"database/sql"
	"slices"
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
	kept map[string]*statement
}

// statement is a prepared one, and which argument each of its placeholders takes.
type statement struct {
	*sql.Stmt
	order []int
}

// place puts the arguments of a query where the statement takes them.
func (s *statement) place(args []any) []any {
	if len(s.order) == len(args) { // none is used twice, so they are in order
		return args
	}
	placed := make([]any, len(s.order))
	for i, from := range s.order {
		placed[i] = args[from]
	}
	return placed
}

func newStatements(on preparer) *statements {
	return &statements{on: on, kept: map[string]*statement{}}
}

// look returns the statement kept for a text, or nil; and whether there is room for another.
func (s *statements) look(query string) (stmt *statement, room bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kept[query], len(s.kept) < maxStatements
}

// prepared returns the statement kept for a text, preparing it if need be; nil when there is no room for it. Preparing
// takes a connection from a pool: who holds one already must not ask.
func (s *statements) prepared(ctx context.Context, query string) (*statement, error) {
	stmt, room := s.look(query)
	if stmt != nil || !room {
		return stmt, nil
	}
	text, order, err := positional(query)
	if err != nil {
		return nil, err
	}
	made, err := s.on.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	fresh := &statement{made, order}
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
	return stmt.QueryContext(ctx, stmt.place(args)...)
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
	return stmt.ExecContext(ctx, stmt.place(args)...)
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

// within is a runner inside a transaction that reuses the prepared statements of the pool. It holds a connection, so it
// prepares nothing there: it would wait for another one, perhaps for one that waits for its own. What it missed is
// prepared when it has ended.
type within struct {
	tx     *sql.Tx
	pool   *statements
	missed []string
}

// QueryContext runs a query, prepared if it was before.
func (w *within) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, room := w.pool.look(query)
	if stmt != nil {
		return w.tx.StmtContext(ctx, stmt.Stmt).QueryContext(ctx, stmt.place(args)...)
	}
	if room && !slices.Contains(w.missed, query) {
		w.missed = append(w.missed, query)
	}
	return w.tx.QueryContext(ctx, query, args...)
}

// ExecContext runs a statement that returns no rows.
func (w *within) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return w.tx.ExecContext(ctx, query, args...)
}

// end ends the transaction, and prepares for the next one what this one missed.
func (w *within) end() error {
	err := w.tx.Rollback()
	for _, query := range w.missed {
		_, _ = w.pool.prepared(context.Background(), query) // what is wrong with it, its user has seen
	}
	return err
}
