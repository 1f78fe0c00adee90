package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// checkAtOnce is up to which size, in bytes, a file is read through before it is used. That of a larger one would hold
// up the start: Check does it later.
const checkAtOnce = 16 << 20

var errDamaged = errors.New("not as SQLite wrote it")

// checkSmall checks a small file, and reports whether it did.
func checkSmall(ctx context.Context, path string, db *sql.DB) (checked bool, err error) {
	about, err := os.Stat(path)
	if err != nil || about.Size() > checkAtOnce {
		return false, err
	}
	return true, quickCheck(ctx, db)
}

// quickCheck reads every page (https://www.sqlite.org/pragma.html#pragma_quick_check).
func quickCheck(ctx context.Context, db *sql.DB) error {
	var found string
	err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found)
	if err == nil && found != "ok" {
		err = fmt.Errorf("%w: %s", errDamaged, found)
	}
	return err
}

// Check reads a SQLite database through that was too large for Open to do so, and returns an error if it is damaged: a
// sentence for the operator. It takes about a second for 100 MB, and holds nobody up. A PostgreSQL server looks after
// itself.
func (db *DB) Check(ctx context.Context) error {
	s, ok := db.store.(*liteStore)
	if !ok || s.checked {
		return nil
	}
	if err := quickCheck(ctx, s.readers); err != nil && ctx.Err() == nil {
		return liteFailure(s.path, err)
	}
	return nil
}
