// Package sqldb owns the database: opening and checking it, its schema, transactions and group commit, with one SQL
// text for SQLite and PostgreSQL. It knows no feature: what a table means is said where the feature lives.
//
// The rules for SQL texts: placeholders are $1, $2, ... and are first used in that order; times are BIGINT
// milliseconds UTC; nothing that only one engine understands. Every text is checked for the first rule when it runs.
package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

// Engine names a database engine.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Options say which database to open and with what surroundings.
type Options struct {
	URL    string           // "sqlite:/path/to/file.db" or "postgres://user:password@host/name?..."
	Now    func() time.Time // the clock; nil means time.Now
	Logger *slog.Logger     // nil means slog.Default()

	PageCache  int64         // bytes of the file that each connection to SQLite keeps in memory; 0 means 4 MiB
	SearchTime time.Duration // how long a Search may take; 0 means DefaultSearchTime

	LostLog bool // open a SQLite file also where a crash left its newest commits in a log that is gone; see DB.Recovered
}

// The errors that callers tell apart.
var (
	// ErrNoRows is what Get returns when there is no row. It is sql.ErrNoRows.
	ErrNoRows = sql.ErrNoRows
	// ErrClosed is what every call returns once Close has begun.
	ErrClosed = errors.New("the database is closed")
	// ErrNested is what Write and WriteGrouped return when they are called inside a function of theirs.
	ErrNested = errors.New("a write transaction was started inside another one; pass the Tx along instead")
	// ErrOutcomeUnknown is wrapped by the error of a write whose commit may or may not have happened, or may yet turn
	// out to have: the connection was lost around it and PostgreSQL could not be asked in time, or SQLite's disk failed.
	ErrOutcomeUnknown = errors.New("the outcome of the commit is unknown")
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	engine Engine
	now    func() time.Time
	log    *slog.Logger
	texts  texts
	schema int64
	store  store
	group  *group
	closed atomic.Bool

	turns      *turns // of searches
	searchTime time.Duration
}

// store is what differs between the engines, beside how a group is committed.
type store interface {
	runner // one reading statement by itself
	row(ctx context.Context, query string, args []any) *sql.Row
	snapshot(ctx context.Context) (run runner, end func() error, err error)
	write(ctx context.Context, fn func(*Tx) error) error
	probe() string // a statement without parameters that succeeds only where writes do
	stats() sql.DBStats
	close() error
}

// Open opens the database, makes or updates its schema and checks that this program may use it: a schema from the future is
// used if what made it says that this program can serve it. An error says what is wrong and what to do; the operator is meant to
// read it.
func Open(ctx context.Context, o Options) (*DB, error) {
	db := &DB{now: o.Now, searchTime: cmp.Or(o.SearchTime, DefaultSearchTime)}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log = o.Logger; db.log == nil {
		db.log = slog.Default()
	}
	scheme, _, _ := strings.Cut(o.URL, ":")
	var err error
	if db.schema, err = SchemaVersion(); err != nil {
		return nil, err
	}
	switch scheme {
	case "sqlite":
		err = openSQLite(ctx, db, o)
	case "postgres", "postgresql":
		err = openPostgres(ctx, db, o)
	default:
		return nil, errors.New("the database URL must begin with sqlite: or postgres://")
	}
	if err != nil {
		return nil, err
	}
	db.turns = newTurns(db.store.stats().MaxOpenConnections)
	return db, nil
}

// Close ends the database: it lets the group that is being committed finish, refuses everything else with ErrClosed,
// and returns when the files or connections are released. It may be called more than once.
func (db *DB) Close() error {
	db.closed.Store(true)
	return db.store.close()
}

// Recovered says that the loss of the newest commits is made good, which a database was opened with Options.LostLog for: until
// then it can only be opened so, whatever happens. Where nothing was lost it does nothing.
func (db *DB) Recovered() error {
	if s, lite := db.store.(*liteStore); lite {
		return s.recovered()
	}
	return nil
}

// Engine tells which engine the database runs on.
func (db *DB) Engine() Engine { return db.engine }

// OneWriter reports whether transactions that write run one after the other, so that the order of their statements is that
// of their commits.
func (db *DB) OneWriter() bool { return db.engine == SQLite }

// Now reads the clock that the database was opened with.
func (db *DB) Now() time.Time { return db.now() }

// writableTimeout is how long Writable waits before it says no.
const writableTimeout = 2 * time.Second

// Writable proves, for a readiness check, that a write could commit now: it commits one. It returns within two
// seconds, or when ctx is done.
func (db *DB) Writable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writableTimeout)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		answer <- db.WriteGrouped(ctx, func(tx *Tx) error {
			_, err := tx.Exec(ctx, db.store.probe())
			return err
		})
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return fmt.Errorf("no write was committed in time: %w", ctx.Err())
	}
}

// Stats is a reading of the database's counters.
type Stats struct {
	Commits uint64      // groups committed
	Grouped uint64      // functions that those groups held
	Waiting int64       // functions waiting for their turn now
	Pool    sql.DBStats // the connections for reading, on PostgreSQL also those for Write
}

// Stats returns the database's counters as they are now.
func (db *DB) Stats() Stats {
	return Stats{
		Commits: db.group.commits.Load(),
		Grouped: db.group.functions.Load(),
		Waiting: db.group.waiting.Load(),
		Pool:    db.store.stats(),
	}
}
