// Package lockout owns the count of failed logins, and whom it shuts out for a while. It does not know what a login is,
// nor how a caller who is shut out is answered.
package lockout

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Rule says when a caller who fails to log in again and again is shut out for a while. The zero value never does.
type Rule struct {
	Threshold int64         // failures that lock
	Duration  time.Duration // for how long
	Reset     time.Duration // failures are forgotten after so long without another
}

// ceiling is how many times the threshold all callers of one target together may fail before each of them is locked by
// its first failure. A caller that does not fail is never locked: knowing a client id or an e-mail address is not enough
// to shut out whoever has the secret.
const ceiling = 50

// Counter counts failed logins in a database, so that all replicas know of them.
type Counter struct{ db *sqldb.DB }

// New returns a counter.
func New(db *sqldb.DB) *Counter { return &Counter{db} }

// Failures is what is known of the failed logins of a caller at one target.
type Failures struct {
	own, all failures
}

type failures struct {
	Caller      string
	Failures    int64
	LastAt      int64
	LockedUntil int64
}

// Failures reads what is known of a caller's failed logins at a target by a method.
func (c *Counter) Failures(ctx context.Context, method, target string, ip netip.Addr) (f Failures, err error) {
	rows, err := c.db.Query(ctx, `SELECT caller, failures, last_at, locked_until FROM lockouts
		WHERE method = $1 AND target = $2 AND caller IN ($3, '')`, method, target, Caller(ip))
	if err != nil {
		return f, err
	}
	defer rows.Close()
	for rows.Next() {
		var r failures
		if err := rows.Scan(&r.Caller, &r.Failures, &r.LastAt, &r.LockedUntil); err != nil {
			return f, err
		}
		if r.Caller == "" {
			f.all = r
		} else {
			f.own = r
		}
	}
	return f, rows.Err()
}

// Any reports whether the caller has failed before.
func (f Failures) Any() bool { return f.own.Failures > 0 }

// Locked reports whether the caller is shut out at a time.
func (f Failures) Locked(l Rule, now time.Time) bool {
	if l.Threshold <= 0 {
		return false
	}
	fresh := now.Add(-l.Reset).UnixMilli()
	crowded := f.all.Failures >= ceiling*l.Threshold && f.all.LastAt > fresh
	return f.own.LockedUntil > now.UnixMilli() || crowded && f.own.Failures > 0 && f.own.LastAt > fresh
}

// Fail notes a failed login, durably, before it is answered.
func (c *Counter) Fail(ctx context.Context, method, target string, ip netip.Addr, l Rule) error {
	crashpoint.Reach(crashpoint.LoginFail)
	err := c.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		err := addFailure(ctx, tx, method, target, Caller(ip), l.Threshold, l)
		if err == nil {
			err = addFailure(ctx, tx, method, target, "", 0, l)
		}
		return err
	})
	crashpoint.Reach(crashpoint.LoginFailed)
	return err
}

// addFailure counts on, or again where the last failure is long ago. At the threshold it locks; 0 never does.
func addFailure(ctx context.Context, tx *sqldb.Tx, method, target, caller string, threshold int64, l Rule) error {
	now := tx.Now()
	var n int64
	err := tx.Get(ctx, &n, `INSERT INTO lockouts (method, target, caller, failures, last_at, locked_until) VALUES ($1, $2, $3, 1, $4, 0)
		ON CONFLICT (method, target, caller) DO UPDATE SET last_at = $4,
			failures = CASE WHEN lockouts.last_at < $5 THEN 1 ELSE lockouts.failures + 1 END RETURNING failures`,
		method, target, caller, now.UnixMilli(), now.Add(-l.Reset).UnixMilli())
	if err == nil && threshold > 0 && n >= threshold {
		_, err = tx.Exec(ctx, `UPDATE lockouts SET locked_until = $1, failures = 0 WHERE method = $2 AND target = $3 AND caller = $4`,
			now.Add(l.Duration).UnixMilli(), method, target, caller)
	}
	return err
}

// Forgive forgets the failures of a caller who has logged in.
func (c *Counter) Forgive(ctx context.Context, method, target string, ip netip.Addr) error {
	return c.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM lockouts WHERE method = $1 AND target = $2 AND caller = $3`, method, target, Caller(ip))
		return err
	})
}

// Clear forgets all failed logins at a target, and returns how many callers were shut out.
func Clear(ctx context.Context, tx *sqldb.Tx, method, target string) (locked int64, err error) {
	err = tx.Get(ctx, &locked, `SELECT count(*) FROM lockouts WHERE method = $1 AND target = $2 AND locked_until > $3`,
		method, target, tx.Now().UnixMilli())
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM lockouts WHERE method = $1 AND target = $2`, method, target)
	}
	return locked, err
}

// LockedOut returns the methods by which a caller is shut out of each of the targets.
func (c *Counter) LockedOut(ctx context.Context, targets []string) (map[string][]string, error) {
	methods := map[string][]string{}
	if len(targets) == 0 {
		return methods, nil
	}
	marks, args := make([]string, len(targets)), []any{c.db.Now().UnixMilli()}
	for i, target := range targets {
		args = append(args, target)
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	var found []struct {
		Target string `db:"target"`
		Method string `db:"method"`
	}
	err := c.db.Select(ctx, &found, `SELECT DISTINCT target, method FROM lockouts WHERE locked_until > $1 AND target IN (`+strings.Join(marks, ", ")+`)
		ORDER BY method`, args...)
	for _, f := range found {
		methods[f.Target] = append(methods[f.Target], f.Method)
	}
	return methods, err
}

// Clean deletes up to n rows that no longer matter, and returns how many went.
func (c *Counter) Clean(ctx context.Context, n int64) (deleted int64, err error) {
	err = c.db.Write(ctx, func(tx *sqldb.Tx) error {
		// Neither a lock nor a counter lasts longer than a day.
		before := tx.Now().Add(-24 * time.Hour).UnixMilli()
		deleted, err = tx.Exec(ctx, `DELETE FROM lockouts WHERE last_at < $1 AND (method, target, caller) IN
			(SELECT method, target, caller FROM lockouts WHERE last_at < $1 ORDER BY last_at LIMIT $2)`, before, n)
		return err
	})
	return deleted, err
}

// Caller names a caller by its network.
func Caller(ip netip.Addr) string { return access.Network(ip) }
