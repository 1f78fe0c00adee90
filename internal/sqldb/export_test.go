package sqldb

import "time"

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
