package sqldb

import (
	"context"
	"fmt"
)

// Schema returns the newest schema version that this program knows. That of the database may be newer; see Open.
func (db *DB) Schema() int64 { return db.schema }

// schemaRow is what a database says of its schema.
type schemaRow struct {
	Version int64 `db:"version"`
	Oldest  int64 `db:"oldest"` // the oldest version whose programs can serve it
}

const schemaNow = `SELECT max(v.version_id) AS version, max(h.oldest) AS oldest FROM ` + versionTable + ` v CROSS JOIN feed_head h`

// SchemaNow returns the version of the database's schema, and the oldest version whose programs can serve it.
func (db *DB) SchemaNow(ctx context.Context) (version, oldest int64, err error) {
	var now schemaRow
	err = db.Get(ctx, &now, schemaNow)
	return now.Version, now.Oldest, err
}

// HoldSchema waits until nobody changes the schema, and lets nobody change it before tx ends. The error is a *Superseded if this
// program cannot serve the schema as it is then. It is for what a replica does before it may serve, on PostgreSQL.
func (db *DB) HoldSchema(ctx context.Context, tx *Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, int64(migrationLock)); err != nil {
		return err
	}
	var now schemaRow
	err := tx.Get(ctx, &now, schemaNow)
	switch {
	case err != nil:
		return err
	case now.Version < db.schema:
		return fmt.Errorf("the database has schema version %d and this program needs %d: an older one was put in its place. Start this server again, so that it brings the schema up to date", now.Version, db.schema)
	case now.Oldest > db.schema:
		return &Superseded{Schema: now.Version, Oldest: now.Oldest, Newest: db.schema}
	}
	return nil
}

// Superseded is the error of a program that is too old for the schema of its database.
type Superseded struct {
	Schema int64 // version of the database's schema, 0 if that was not read
	Oldest int64 // the oldest version whose programs can serve it
	Newest int64 // the newest version that this program knows
}

// Error says what is wrong and what to do.
func (s *Superseded) Error() string {
	now := "the database schema was changed"
	if s.Schema > 0 {
		now = fmt.Sprintf("the database has schema version %d", s.Schema)
	}
	return fmt.Sprintf("%s: it can be served by programs that know version %d or newer, and this program knows versions up to %d. "+
		"Run a program that is as new as the one that last ran here, or restore a backup from before", now, s.Oldest, s.Newest)
}
