package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// migrations holds the schema, one numbered file a step. A step that was released is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// latest returns the number of the newest schema step that this program has.
func latest() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, file := range files {
		n, err := goose.NumericComponent(file)
		if err != nil {
			return 0, err
		}
		newest = max(newest, n)
	}
	return newest, nil
}

// migrate brings the schema from the version it has to the newest one, and refuses a schema from the future.
// An up-to-date schema costs one comparison: goose, which is slow to start, is not asked.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, version int64) error {
	newest, err := latest()
	switch {
	case err != nil:
		return err
	case version == newest:
		return nil
	case version > newest:
		return fmt.Errorf("the database has schema version %d and this program knows versions up to %d; run a program that is as new as the one that last ran here", version, newest)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = steps.Up(ctx)
	return err
}
