package sqldb

import (
	"context"
	"database/sql"
	"time"

	"github.com/pressly/goose/v3"
)

// MigrationLock is the key of the lock that a replica holds while it changes the schema.
const MigrationLock = migrationLock

// ApplicationID marks a SQLite file as one of this program.
const ApplicationID = applicationID

// SetGroup makes each group wait for so many functions.
func (db *DB) SetGroup(n int) { db.group.least.Store(int64(n)) }

// SetLookup sets how long PostgreSQL is asked what became of a commit.
func (db *DB) SetLookup(d time.Duration) { db.store.(*pgStore).lookup = d }

// Positional is positional.
var Positional = positional

// RegisteredMeanwhile is registeredMeanwhile.
var RegisteredMeanwhile = registeredMeanwhile

// TooOld tells how many replicas are too old for what states the version oldest.
func TooOld(ctx context.Context, url string, version, oldest int64) (int, error) {
	pool, err := sql.Open("pgx", url)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	found, err := (&pgStore{DB: pool}).tooOld(ctx, version, oldest)
	return len(found), err
}

// Climb brings a PostgreSQL database to a version of the schema, without a look at the register.
func Climb(ctx context.Context, url string, version int64) error {
	pool, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer pool.Close()
	files, err := schemaSteps()
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(goose.DialectPostgres, pool, files, goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = steps.UpTo(ctx, version)
	return err
}
