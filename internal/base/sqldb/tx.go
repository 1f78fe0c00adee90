package sqldb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// errTxOver is what a Tx answers that was kept beyond its function.
var errTxOver = errors.New("the transaction is over: its function has returned")

// Tx is a transaction, for as long as the function that was given it runs.
type Tx struct {
	now   time.Time
	texts *texts
	bound context.Context // what statements run under instead of their own context

	mu  sync.Mutex // one statement at a time
	run runner
	err error // the first failure; nothing runs after it
}

func newTx(db *DB, run runner) *Tx {
	return &Tx{now: milliseconds(db.now()), texts: &db.texts, run: run}
}

// milliseconds returns t as the database can keep it.
func milliseconds(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// Now returns the transaction's one reading of the clock, UTC, in whole milliseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// Get reads one row into dst, as DB.Get does. Having no row is not a failure of the transaction.
func (tx *Tx) Get(ctx context.Context, dst any, query string, args ...any) error {
	return tx.statement(ctx, query, len(args), func(bound context.Context) error {
		rows, err := tx.run.QueryContext(bound, query, args...)
		if err != nil {
			return explain(err, query)
		}
		return scanOne(ctx, dst, rows, query)
	})
}

// Select reads all rows into dst, as DB.Select does.
func (tx *Tx) Select(ctx context.Context, dst any, query string, args ...any) error {
	return tx.statement(ctx, query, len(args), func(bound context.Context) error {
		rows, err := tx.run.QueryContext(bound, query, args...)
		if err != nil {
			return explain(err, query)
		}
		return scanAll(ctx, dst, rows, query)
	})
}

// Exec runs a statement that returns no rows and tells how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (affected int64, err error) {
	err = tx.statement(ctx, query, len(args), func(ctx context.Context) error {
		result, err := tx.run.ExecContext(ctx, query, args...)
		if err != nil {
			return explain(err, query)
		}
		affected, err = result.RowsAffected()
		return err
	})
	return affected, err
}

// statement runs one statement and remembers its failure. PostgreSQL refuses every statement after a failed one, and
// SQLite may have ended the whole transaction, so that a later one would commit by itself.
func (tx *Tx) statement(ctx context.Context, query string, args int, run func(context.Context) error) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.err != nil {
		return fmt.Errorf("not run, because the transaction has already failed: %w", tx.err)
	}
	err := tx.texts.check(query, args)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		ctx = tx.bound
		err = run(ctx)
	}
	if err != nil && !errors.Is(err, ErrNoRows) {
		tx.err = err
	}
	return err
}

// end makes every further use fail and returns the first failure so far.
func (tx *Tx) end() error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	first := tx.err
	tx.err = errTxOver
	return first
}
