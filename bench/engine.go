package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the engine that the server uses

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// engine is a database without the server: the same schema, the same settings (internal/base/sqldb), prepared statements, one
// writer.
type engine struct {
	begin    string // how it begins a transaction that writes
	db       *sql.DB
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// durable are the settings of the server's own connections.
var durable = []string{"_busy_timeout=5000", "_pragma=foreign_keys(1)", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)",
	"_pragma=cache_size(-8192)", "_pragma=temp_store(MEMORY)", "_pragma=journal_size_limit(67108864)"}

// hasty are settings for filling a database quickly. A crash would spoil it. What does not fit the cache is sorted on disk.
var hasty = []string{"_busy_timeout=5000", "_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)", "_pragma=cache_size(-200000)"}

// silent drops log lines: what goes wrong is returned.
var silent = slog.New(slog.DiscardHandler)

// sqliteURL is how the server names the database in a data folder.
func sqliteURL(dir string) string { return "sqlite:" + filepath.Join(dir, "sallyport.db") }

// schema makes the server's tables in an empty database.
func (b *bench) schema(url string) error {
	db, err := sqldb.Open(b.ctx, sqldb.Options{URL: url, Logger: silent})
	if err != nil {
		return err
	}
	return db.Close()
}

// openEngine opens the database in a folder, with settings.
func openEngine(ctx context.Context, dir string, settings []string) (*engine, error) {
	file := url.URL{Scheme: "file", Path: filepath.Join(dir, "sallyport.db"), RawQuery: strings.Join(settings, "&")}
	return connect(ctx, "sqlite", file.String(), "BEGIN IMMEDIATE")
}

// connect opens a database with one connection.
func connect(ctx context.Context, driver, url, begin string) (*engine, error) {
	db, err := sql.Open(driver, url)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	return &engine{begin: begin, db: db, conn: conn, prepared: map[string]*sql.Stmt{}}, err
}

func (e *engine) close() error { return errors.Join(e.conn.Close(), e.db.Close()) }

// exec runs a statement, prepared at its first use. A row that it returns is read and dropped.
func (e *engine) exec(ctx context.Context, text string, args ...any) error {
	s := e.prepared[text]
	if s == nil {
		var err error
		if s, err = e.conn.PrepareContext(ctx, text); err != nil {
			return err
		}
		e.prepared[text] = s
	}
	if !strings.Contains(text, "RETURNING") {
		_, err := s.ExecContext(ctx, args...)
		return err
	}
	var back any
	return s.QueryRowContext(ctx, args...).Scan(&back)
}

// statement is an SQL text with its arguments.
type statement struct {
	text string
	args []any
}

// commits runs changes of some statements each, so many changes in a commit, and returns how many changes were made a
// second.
func (e *engine) commits(ctx context.Context, changes [][]statement, together int) (float64, error) {
	begin := time.Now()
	for i, change := range changes {
		if i%together == 0 {
			if err := e.exec(ctx, e.begin); err != nil {
				return 0, err
			}
		}
		for _, s := range change {
			if err := e.exec(ctx, s.text, s.args...); err != nil {
				return 0, err
			}
		}
		if (i+1)%together == 0 || i+1 == len(changes) {
			if err := e.exec(ctx, "COMMIT"); err != nil {
				return 0, err
			}
		}
	}
	return float64(len(changes)) / time.Since(begin).Seconds(), nil
}

// rows returns the rows of a query, each as the arguments of an INSERT.
func (e *engine) rows(ctx context.Context, query string) ([][]any, error) {
	found, err := e.conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	names, err := found.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]any
	for found.Next() {
		row, to := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			to[i] = &row[i]
		}
		if err := found.Scan(to...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, found.Err()
}
