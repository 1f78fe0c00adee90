package sqldb

import "time"

// HoldGroups lets a group take in functions without a time limit, so that a test decides what is in it.
func (db *DB) HoldGroups() { db.group.age = time.Hour }

// SetLookup sets how long PostgreSQL is asked what became of a commit.
func (db *DB) SetLookup(d time.Duration) { db.store.(*pgStore).lookup = d }
