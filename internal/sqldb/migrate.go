package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/sallyport/sallyport/internal/crashpoint"
)

// migrations holds the schema, one numbered file a step. A step that was released is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where goose notes which steps were done. It bears our name, since another application in the same
// PostgreSQL schema may use goose too.
const versionTable = "sallyport_versions"

// SchemaVersion returns the number of the newest schema step that this program has.
func SchemaVersion() (int64, error) {
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
// An up-to-date schema costs one comparison.
func migrate(ctx context.Context, log *slog.Logger, db *sql.DB, dialect goose.Dialect, version int64) error {
	newest, err := SchemaVersion()
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
	steps, err := goose.NewProvider(dialect, db, files, goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	for err == nil {
		if _, err = steps.UpByOne(ctx); err == nil {
			crashpoint.Reach(crashpoint.Migrated)
		}
	}
	if !errors.Is(err, goose.ErrNoNextVersion) {
		return err
	}
	log.Info("the database schema is up to date", "was", version, "is", newest)
	return nil
}
