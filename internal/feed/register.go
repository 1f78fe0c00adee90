package feed

import (
	"context"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Replica is a row of the register.
type Replica struct {
	ID        string
	Name      string
	Lease     time.Duration
	Beat      int64 // how often it has renewed
	Applied   int64 // it knows every change up to this one
	StartedAt int64 // milliseconds UTC
	SeenAt    int64 // milliseconds UTC, by its own clock
	Self      bool
	Keys      []string // fingerprints of the root keys that it was given
	Version   string   // of its program; empty if that is from before the version guard
	Schema    int64    // the newest schema version that its program knows; 0 if it is from before the version guard
}

// fenced reports whether the program of a replica is from before the version guard. It cannot read the log, so it decides nothing.
func (r *Replica) fenced() bool { return r.Schema == 0 }

// Replicas reads the register, oldest first.
func (f *Feed) Replicas(ctx context.Context) ([]Replica, error) {
	if f.alone {
		now := f.db.Now().UnixMilli()
		return []Replica{{ID: "sqlite", Name: f.name, Lease: f.leaseTime, Applied: f.Applied(), SeenAt: now, StartedAt: f.started, Self: true, Keys: f.keys,
			Version: f.program, Schema: f.db.Schema()}}, nil
	}
	var rows []struct {
		ID        string `db:"id"`
		Name      string `db:"name"`
		Lease     int64  `db:"lease"`
		Beat      int64  `db:"beat"`
		Applied   int64  `db:"applied"`
		StartedAt int64  `db:"started_at"`
		SeenAt    int64  `db:"seen_at"`
		RootKeys  string `db:"root_keys"`
		Version   string `db:"version"`
		Schema    int64  `db:"schema"`
	}
	err := f.db.Select(ctx, &rows, `SELECT id, name, lease, beat, applied, started_at, seen_at, root_keys,
		coalesce(version, '') AS version, coalesce(schema, 0) AS schema FROM replicas ORDER BY started_at, id`)
	replicas := make([]Replica, len(rows))
	self := f.lease.row()
	for i, r := range rows {
		replicas[i] = Replica{r.ID, r.Name, time.Duration(r.Lease) * time.Millisecond, r.Beat, r.Applied, r.StartedAt, r.SeenAt, r.ID == self,
			strings.Fields(r.RootKeys), r.Version, r.Schema}
	}
	return replicas, err
}

func (f *Feed) insertReplica(ctx context.Context, replicaID string) error {
	return f.db.Write(ctx, func(tx *sqldb.Tx) error {
		if err := f.db.HoldSchema(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO replicas (id, name, lease, beat, applied, started_at, seen_at, root_keys, version, schema)
			VALUES ($1, $2, $3, 0, 0, $4, $5, $6, $7, $8)`,
			replicaID, f.name, f.leaseTime.Milliseconds(), f.started, tx.Now().UnixMilli(), strings.Join(f.keys, " "), f.program, f.db.Schema())
		return err
	})
}

// beat commits a sign of life, and tells whether this replica is still on the register.
func (f *Feed) beat(ctx context.Context) (there bool, err error) {
	err = f.db.Write(ctx, func(tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE replicas SET beat = beat + 1, seen_at = $1 WHERE id = $2`, tx.Now().UnixMilli(), f.lease.row())
		there = n == 1
		return err
	})
	return there, err
}

// report tells the others how far this replica knows the log, and wakes who waits for it. It is true whether or not a
// crash of PostgreSQL forgets it, so the commit does not wait for the disk. Not for SQLite, where nobody else is.
func (f *Feed) report(ctx context.Context) error {
	applied := f.Applied()
	err := f.db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `WITH told AS (UPDATE replicas SET applied = $1 WHERE id = $2 AND applied < $1 RETURNING id)
			SELECT set_config('synchronous_commit', 'off', TRUE), pg_notify($3, '') FROM told`,
			applied, f.lease.row(), appliedChannel)
		return err
	})
	if err == nil {
		f.told = applied
	}
	return err
}

// notify wakes the other replicas. Not for SQLite.
func (f *Feed) notify(ctx context.Context, channel string) error {
	var none string
	return f.db.QueryRow(ctx, `SELECT pg_notify($1, '')::text`, channel).Scan(&none)
}

// deleteReplica signs this replica off.
func (f *Feed) deleteReplica(ctx context.Context) error {
	return f.db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM replicas WHERE id = $1`, f.lease.row())
		return err
	})
}

// deleteSilent takes another replica off the register, unless it has renewed since the register was read.
func (f *Feed) deleteSilent(ctx context.Context, r Replica) (struck bool, err error) {
	err = f.db.Write(ctx, func(tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM replicas WHERE id = $1 AND beat = $2`, r.ID, r.Beat)
		struck = n == 1
		return err
	})
	return struck, err
}
