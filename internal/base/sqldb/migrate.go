package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
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
	all, err := steps()
	if err != nil {
		return 0, err
	}
	return all[len(all)-1].version, nil
}

// migrate brings the schema from the version it has to the newest one, and refuses a schema from the future that this program
// cannot serve. An up-to-date schema costs one comparison. held, which may be nil, returns an error once nothing keeps others
// from changing the schema too; no step begins after that.
func migrate(ctx context.Context, log *slog.Logger, db *sql.DB, dialect goose.Dialect, version int64, held func(context.Context) error) error {
	newest, err := SchemaVersion()
	switch {
	case err != nil:
		return err
	case version == newest:
		return nil
	case version > newest:
		return serves(ctx, db, version, newest)
	}
	files, err := schemaSteps()
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(dialect, db, files, goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	if held == nil {
		held = func(context.Context) error { return nil }
	}
	for err == nil {
		err = climb(ctx, steps, held)
	}
	if !errors.Is(err, goose.ErrNoNextVersion) {
		return err
	}
	log.Info("the database schema is up to date", "was", version, "is", newest)
	return nil
}

// climb makes one step, again if PostgreSQL asks for it: replicas that run next to this program change rows meanwhile.
func climb(ctx context.Context, steps *goose.Provider, held func(context.Context) error) error {
	for try := 1; ; try++ {
		if err := held(ctx); err != nil {
			return err
		}
		_, err := steps.UpByOne(ctx)
		if err == nil {
			crashpoint.Reach(crashpoint.Migrated)
		}
		if err == nil || try == maxTries || !pgAgain(err) {
			return err
		}
	}
}

// serves returns nil if this program, whose newest step is newest, can serve a schema of a later version, and what to do
// otherwise.
func serves(ctx context.Context, db *sql.DB, version, newest int64) error {
	var oldest int64
	if err := db.QueryRowContext(ctx, `SELECT oldest FROM feed_head WHERE id = 'head'`).Scan(&oldest); err != nil {
		return err
	}
	if oldest <= newest {
		return nil
	}
	return &Superseded{Schema: version, Oldest: oldest, Newest: newest}
}
