package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// usualLease is how long a replica that is not in the register may need to come back to it: it tries three times a lease.
const usualLease = 2 * time.Second

// windows is how many leases a replica has to end before the migration is refused. One sign of life proves nothing: what a replica
// sent before it was killed may be written afterwards.
const windows = 2

// locked runs fn while nobody else changes the schema, and no replica registers. held returns an error once that is no longer
// certain: the lock goes with its connection.
func (s *pgStore) locked(ctx context.Context, fn func(held func(context.Context) error) error) error {
	conn, err := s.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return err
	}
	defer func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	}()
	return fn(func(ctx context.Context) error {
		_, err := conn.ExecContext(ctx, "SELECT 1")
		return err
	})
}

// alone returns nil when no replica is in the register that is too old to run next to the steps after version, and none of them can
// come back. A row goes when its replica has been silent for a whole lease, so that it does not answer from memory; unless it has
// given a sign of life since. The caller holds the lock that registering takes, and must hold it until the last step is done.
func (s *pgStore) alone(ctx context.Context, version int64, all []step) error {
	if version < registering {
		return nil // a new database
	}
	oldest := floor(all, version)
	seen, err := s.tooOld(ctx, version, oldest)
	if err != nil || len(seen) == 0 && version >= guarded {
		return err
	}
	for range windows {
		wait := Outlast(longest(seen))
		s.db.log.Warn("waiting for a sign of life of older replicas, before the database schema is changed", "for", wait.String(), "registered", names(seen))
		if err := pause(ctx, wait); err != nil {
			return err
		}
		now, err := s.tooOld(ctx, version, oldest)
		if err != nil {
			return err
		}
		if len(moved(seen, now)) == 0 {
			return s.strike(ctx, now)
		}
		seen = now
	}
	return inTheWay(seen)
}

// strike takes silent replicas off the register, unless one of them turns out to live.
func (s *pgStore) strike(ctx context.Context, silent []registered) error {
	for _, r := range silent {
		if _, err := s.ExecContext(ctx, `DELETE FROM replicas WHERE id = $1 AND beat = $2`, r.id, r.beat); err != nil {
			return err
		}
		var left bool
		if err := s.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM replicas WHERE id = $1)`, r.id).Scan(&left); err != nil {
			return err
		}
		if left {
			return inTheWay([]registered{r})
		}
		s.db.log.Warn("struck off a replica that was silent for a lease", "silent", r.name, "id", r.id)
	}
	return nil
}

// versionsApart is why the schema is not changed: it says all that an operator needs.
type versionsApart string

func (r versionsApart) Error() string { return string(r) }

// inTheWay is the versionsApart of a migration.
func inTheWay(living []registered) error {
	return versionsApart(fmt.Sprintf("replicas are running that are too old to run next to this version: %s. Nothing was changed, and they go on as before. Stop them, then start this server again", names(living)))
}

// errRegistered is what became of the step that brought the guard when a replica of an older version registered meanwhile.
const errRegistered = versionsApart("a replica of an older version registered while the database schema was being changed. Stop all replicas of older versions, then start this server again")

// registeredMeanwhile reports whether a step failed for that reason.
func registeredMeanwhile(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == "nobody_is_registered"
}

// Outlast is how long to wait so that a lease is over on another clock too, whose rate may differ by a twentieth.
func Outlast(lease time.Duration) time.Duration { return lease + lease/20 + time.Millisecond }

// pause returns nil after a time, or the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
