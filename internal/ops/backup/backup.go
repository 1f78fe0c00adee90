package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/ops/transfer"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Result tells what a backup holds.
type Result struct {
	Tables []Sum
	Taken  time.Time
}

// Rows returns how many rows all tables have.
func (r *Result) Rows() (n int64) {
	for _, t := range r.Tables {
		n += t.Rows
	}
	return n
}

// Write writes a backup of a SQLite database to a file that is not there yet, mode 0600, while the server goes on. The file
// has its name only once it is whole, was read back, and is on the disk. It says of itself that it is a backup, so that
// no server serves a mere copy of it. The root key is not in it.
//
// The pages are copied within one reading transaction, so that the copy and the original can be compared row by row
// as of the same moment, whatever is written meanwhile. VACUUM INTO could not be compared like that, and would hide a
// damaged index by making it again. While it runs, the write-ahead log of the server cannot be emptied and grows.
func Write(ctx context.Context, s *Source, to string, now time.Time) (*Result, error) {
	if s.Engine != sqldb.SQLite {
		return nil, errors.New("PostgreSQL databases are backed up with PostgreSQL's own tools: run pg_dump -Fc, or keep a base backup and its WAL; then restore with pg_restore and sallyport recover, see docs/operations.md")
	}
	result := &Result{Taken: now}
	return result, create(to, func(path string) (err error) {
		if result.Tables, err = copyDB(ctx, s.DB, path); err != nil {
			return err
		}
		return finish(ctx, path, result)
	})
}

// create makes a file: write fills one of another name, which gets the name once it is on the disk.
func create(to string, write func(path string) error) (err error) {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s exists already; name a file that does not exist yet", to)
	}
	f, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".unfinished-*") // mode 0600
	if err != nil {
		return fmt.Errorf("the file cannot be created: %w", err)
	}
	path := f.Name()
	if err = f.Close(); err == nil {
		err = write(path)
	}
	if err == nil {
		crashpoint.Reach(crashpoint.BackupWritten)
		err = syncPath(path)
	}
	if err == nil {
		crashpoint.Reach(crashpoint.BackupSynced)
		err = os.Rename(path, to)
	}
	if err != nil {
		for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
			_ = os.Remove(path + suffix) // the error that matters is told
		}
		return err
	}
	crashpoint.Reach(crashpoint.BackupRenamed)
	return syncPath(filepath.Dir(to))
}

// syncPath syncs a file or a folder.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// copyDB copies the pages of a database, and sums up what they should hold as of the same moment.
func copyDB(ctx context.Context, db *sql.DB, to string) ([]Sum, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it changed nothing
	var used bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM signing_keys)`).Scan(&used); err != nil {
		return nil, fmt.Errorf("the database cannot be read: %w", err)
	}
	if !used {
		return nil, errors.New("no server has ever run on this database, so there is nothing to back up; name the data folder of your server with --data-dir")
	}
	if err := conn.Raw(func(c any) error { return copyPages(ctx, c, to) }); err != nil {
		return nil, fmt.Errorf("the database cannot be copied: %w", err)
	}
	return sums(ctx, tx)
}

// pagesAtOnce is how many pages are copied between two looks at whether to go on: 4 MB.
const pagesAtOnce = 1024

func copyPages(ctx context.Context, conn any, to string) error {
	c, ok := conn.(interface {
		NewBackup(string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.New("the SQLite driver cannot make copies")
	}
	b, err := c.NewBackup(to)
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		if err = ctx.Err(); err == nil {
			more, err = b.Step(pagesAtOnce)
		}
	}
	return errors.Join(err, b.Finish())
}

// finish checks the copy, and writes into it what it is and what it should hold.
func finish(ctx context.Context, path string, r *Result) (err error) {
	db, err := liteConnect(path, "mode=rw&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = DELETE"); err != nil { // one file, with nothing beside it
		return err
	}
	if err := sound(ctx, db); err != nil {
		return fmt.Errorf("the database is damaged, so its backup would be too; run sallyport doctor, and restore an older backup: %w", err)
	}
	if err := same(ctx, db, r.Tables); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after the commit this does nothing
	if err := mark(ctx, tx, r); err != nil {
		return err
	}
	return tx.Commit()
}

// mark says in the copy that it is one, and what it should hold.
func mark(ctx context.Context, tx *sql.Tx, r *Result) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM moves WHERE state = $1`, transfer.Backup) // of the backup that this one was restored from
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO moves (id, state, place, at) VALUES ($1, $2, '', $3)`, id.New(), transfer.Backup, r.Taken.UnixMilli())
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `CREATE TABLE backup_contents (name TEXT PRIMARY KEY, rows_held BIGINT NOT NULL, sha256 TEXT NOT NULL)`)
	}
	for _, t := range r.Tables {
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO backup_contents (name, rows_held, sha256) VALUES ($1, $2, $3)`, t.Table, t.Rows, t.SHA256)
		}
	}
	return err
}

// sound returns what SQLite finds wrong with the structure of a database, with its indexes, and with what rows refer to.
func sound(ctx context.Context, q querier, tables ...string) error {
	checks := []string{"PRAGMA integrity_check(3)", `SELECT 'a row of ' || "table" || ' refers to nothing' FROM pragma_foreign_key_check LIMIT 1`}
	if len(tables) > 0 {
		checks = nil
		for _, t := range tables {
			checks = append(checks, `PRAGMA integrity_check("`+t+`")`)
		}
	}
	for _, check := range checks {
		found, err := column[string](ctx, q, check)
		if err != nil {
			return err
		}
		if len(found) > 0 && found[0] != "ok" {
			return errors.New(strings.Join(found, ", "))
		}
	}
	return nil
}

// same returns an error that names the first table that differs from what it should hold.
func same(ctx context.Context, q querier, want []Sum) error {
	got, err := sums(ctx, q)
	if err != nil {
		return err
	}
	for i, t := range want {
		if i >= len(got) || got[i] != t {
			return fmt.Errorf("the table %s differs from the original: a disk or a copy failed; do not use this file", t.Table)
		}
	}
	if !slices.Equal(got, want) {
		return errors.New("there are tables that the original did not have; do not use this file")
	}
	return nil
}

// Verify reads a backup through, and returns what it holds. It changes nothing. An error says why it must not be used.
func Verify(ctx context.Context, path string) (*Result, error) {
	s, err := Open(ctx, "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	result, err := verify(ctx, s.DB)
	if err != nil {
		err = fmt.Errorf("the file is not a usable backup: %w", err)
	}
	return result, errors.Join(err, s.Close())
}

func verify(ctx context.Context, db *sql.DB) (*Result, error) {
	at, err := column[int64](ctx, db, `SELECT at FROM moves WHERE state = $1`, transfer.Backup)
	if err == nil && len(at) != 1 {
		err = errors.New("sallyport backup did not make it; put a copy that was made in another way into the data folder by hand, and run sallyport recover")
	}
	if err == nil {
		err = sound(ctx, db)
	}
	if err != nil {
		return nil, err
	}
	r := &Result{Taken: time.UnixMilli(at[0])}
	if r.Tables, err = contents(ctx, db); err == nil {
		err = same(ctx, db, r.Tables)
	}
	return r, err
}

// contents returns what a backup should hold.
func contents(ctx context.Context, q querier) (found []Sum, err error) {
	rows, err := q.QueryContext(ctx, `SELECT name, rows_held, sha256 FROM backup_contents ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t Sum
		if err := rows.Scan(&t.Table, &t.Rows, &t.SHA256); err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return found, rows.Err()
}
