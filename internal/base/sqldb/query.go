package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Get reads one row into dst, a pointer to a struct with `db` tags or to a single value. It returns ErrNoRows if there
// is none, and an error if there are several.
func (db *DB) Get(ctx context.Context, dst any, query string, args ...any) error {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	return scanOne(ctx, dst, rows, query)
}

// Select reads all rows into dst, a pointer to a slice, which it empties first.
func (db *DB) Select(ctx context.Context, dst any, query string, args ...any) error {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	return scanAll(ctx, dst, rows, query)
}

// readDeadline is how long a reading statement, or all of a Read, may take when PostgreSQL is on a network that may swallow everything.
const readDeadline = 10 * time.Second

// bound ends what gets no answer. SQLite is asked in this process, so it needs none.
func (db *DB) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if db.engine != Postgres {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, readDeadline)
}

// Query runs a query whose rows the caller reads one by one and closes, for results too large to hold at once.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := db.check(query, len(args)); err != nil {
		return nil, err
	}
	rows, err := db.store.QueryContext(ctx, query, args...)
	return rows, explain(err, query)
}

// QueryRow runs a query for one row without reflection, for hot paths. Scan returns ErrNoRows if there is none.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if err := db.check(query, len(args)); err != nil {
		return failedRow(ctx, err)
	}
	return db.store.row(ctx, query, args)
}

// check returns why a statement outside a transaction is not run.
func (db *DB) check(query string, args int) error {
	if db.closed.Load() {
		return ErrClosed
	}
	return db.texts.check(query, args)
}

// Read calls fn with one consistent snapshot of the database that it can only read, and returns what fn returns. fn
// reads with its Tx alone: a second connection for the same call could be one too many for the pool.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	if db.closed.Load() {
		return ErrClosed
	}
	ctx, cancel := db.bound(ctx)
	defer cancel()
	run, end, err := db.store.snapshot(ctx)
	if err != nil {
		return err
	}
	tx := newTx(db, run)
	tx.bound = ctx
	defer func() { _ = end() }() // a transaction that changed nothing has nothing to lose
	defer func() { _ = tx.end() }()
	return fn(tx)
}

// Write calls fn in a transaction and answers after its commit. What fn returns as an error, or panics with, undoes
// what it did and reaches the caller.
//
// fn may be called more than once, each time on a clean slate: when PostgreSQL asks for a transaction to be tried again.
// It works with its Tx alone. It must not start another write, which is refused with ErrNested, nor wait for anything but
// its own statements: on SQLite all other writes wait for it. After a statement has failed, all that follow fail too and the transaction is
// undone, even if fn returns nil; so a function that wants to go on after a conflict says so in SQL (ON CONFLICT).
// An error other than ErrOutcomeUnknown means that nothing was committed.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	if db.closed.Load() {
		return ErrClosed
	}
	return db.store.write(ctx, fn)
}

// WriteGrouped is Write, but commits together with the other functions that are waiting, each apart from the rest's
// errors. On SQLite every write is one. A ctx that ends before fn's turn has come ends the wait; after that the call
// answers what became of it.
func (db *DB) WriteGrouped(ctx context.Context, fn func(*Tx) error) error {
	return db.group.do(ctx, fn)
}

// IsUnique reports whether err says that a unique or primary key was already taken, on either engine.
func IsUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505" // unique_violation
	}
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// IsForeignKey reports whether err says that a row refers, or is referred to, against a foreign key, on either engine.
func IsForeignKey(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23503" // foreign_key_violation
	}
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// sqliteCode returns the extended result code of SQLite in err; 0 if there is none.
func sqliteCode(err error) int {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()
	}
	return 0
}

// explain adds to an error which statement it is about. A statement holds no secrets: values travel beside it.
func explain(err error, query string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w, in %s", err, brief(query))
}

// failedRow returns a row whose Scan returns err; database/sql has no other way to make one.
func failedRow(ctx context.Context, err error) *sql.Row {
	none := sql.OpenDB(failing{err})
	defer none.Close()
	return none.QueryRowContext(ctx, "")
}

// failing is a driver that cannot connect.
type failing struct{ err error }

// Connect returns the error that the driver was made with.
func (f failing) Connect(context.Context) (driver.Conn, error) { return nil, f.err }

// Driver returns nil: nobody asks.
func (f failing) Driver() driver.Driver { return nil }
