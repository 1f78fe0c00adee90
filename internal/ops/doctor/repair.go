package doctor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/ops/backup"
)

// Repair completes rows that an older version left incomplete, and returns how many it changed. On SQLite the server must be stopped;
// on PostgreSQL the servers go on, and hear of it. What nothing is left of stays as it is.
func Repair(ctx context.Context, o Options, log *slog.Logger) (changed int64, err error) {
	if err := o.current(ctx); err != nil {
		return 0, err
	}
	db, err := sqldb.Open(ctx, sqldb.Options{URL: o.URL, Now: o.Now, Logger: log})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = feed.New(feed.Options{DB: db, Logger: log}).Change(ctx, func(tx *feed.Tx) error {
		changed = 0
		if err := evict(ctx, tx); err != nil {
			return err
		}
		for _, l := range leftovers() {
			for _, statement := range l.repair {
				n, err := tx.Exec(ctx, statement)
				if err != nil {
					return fmt.Errorf("repairing %s: %w", l.what, err)
				}
				changed += n
			}
		}
		return nil
	})
	return changed, err
}

// current returns an error unless the schema is one that this program made: opening the database to repair it must not migrate it
// next to running servers.
func (o Options) current(ctx context.Context) (err error) {
	source, err := backup.Open(ctx, o.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	version, err := source.Schema(ctx)
	if err == nil && version != o.Schema {
		err = fmt.Errorf("the database has schema version %d and this program repairs version %d; use the program of the server", version, o.Schema)
	}
	return err
}

// evict tells every replica to forget what it holds of the folders whose secrets are repaired.
func evict(ctx context.Context, tx *feed.Tx) error {
	var folders []struct {
		Environment string `db:"environment_id"`
		Path        string `db:"path"`
	}
	err := tx.Select(ctx, &folders, `SELECT DISTINCT f.environment_id, f.path FROM folders f JOIN secrets s ON s.folder_id = f.id
		WHERE s.value IS NULL OR s.project_key_id IS NULL ORDER BY f.environment_id, f.path`)
	for _, f := range folders {
		tx.Append(feed.Secrets, feed.Key(f.Environment, f.Path), feed.Evict)
	}
	return err
}
