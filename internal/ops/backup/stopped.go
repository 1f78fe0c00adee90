package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

var errServing = errors.New("a server still runs on this database, and the log would miss what it revokes from now on; stop every server, write the log, and do not start them on this database again")

// windows is how many leases without a sign of life are tried for. What a server sent before it was killed may be written
// afterwards, so one sign proves nothing; a server that runs gives three a lease.
const windows = 2

// stopped returns an error while a server uses the database. Of SQLite the lock tells. In PostgreSQL's register a server
// that was killed still stands, so a sign of life is waited for, as long as one must come. say is told what is waited for.
func (s *Source) stopped(ctx context.Context, say func(string)) error {
	if s.Engine == sqldb.SQLite {
		if s.Serving {
			return errServing
		}
		return nil
	}
	for range windows {
		if alive, err := s.alive(ctx, say); err != nil || !alive {
			return err
		}
	}
	return errServing
}

// alive waits one lease and reports whether a server gave a sign of life meanwhile.
func (s *Source) alive(ctx context.Context, say func(string)) (bool, error) {
	before, lease, err := s.beats(ctx)
	if err != nil || len(before) == 0 {
		return false, err
	}
	say(fmt.Sprintf("Waiting %s for a sign of life of those in the register of servers (%d). There should be none.", lease, len(before)))
	wait := time.NewTimer(lease)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	after, _, err := s.beats(ctx)
	for replica, beat := range after {
		if old, ok := before[replica]; !ok || old != beat {
			return true, err
		}
	}
	return false, err
}

// beats returns the beat of each replica in the register, and the longest lease of them.
func (s *Source) beats(ctx context.Context) (map[string]int64, time.Duration, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT id, beat, lease FROM replicas`)
	if err != nil {
		return nil, 0, fmt.Errorf("the register of servers cannot be read: %w", err)
	}
	defer rows.Close()
	found, longest := map[string]int64{}, time.Duration(0)
	for rows.Next() {
		var replica string
		var beat, lease int64
		if err := rows.Scan(&replica, &beat, &lease); err != nil {
			return nil, 0, err
		}
		found[replica] = beat
		longest = max(longest, time.Duration(lease)*time.Millisecond)
	}
	return found, longest, rows.Err()
}
