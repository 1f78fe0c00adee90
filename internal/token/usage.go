package token

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/crashpoint"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// FlushEvery is how often counted uses are to be written: last use is then at most so far behind.
const FlushEvery = 5 * time.Second

// usageLanes spreads the counters over locks, so that callers do not queue for one.
const usageLanes = 16

// usage counts in memory the uses of tokens without a limit, until they are written together. It holds only the
// tokens that were used since the last flush.
type usage struct{ lanes [usageLanes]usageLane }

type usageLane struct {
	sync.Mutex
	used map[uuid.UUID]used
}

type used struct {
	n    int64
	last int64 // milliseconds
}

func newUsage() *usage {
	u := &usage{}
	for i := range u.lanes {
		u.lanes[i].used = map[uuid.UUID]used{}
	}
	return u
}

// count notes one use. The last byte of a UUIDv7 is random, so it spreads well.
func (u *usage) count(token uuid.UUID, now time.Time) {
	u.add(token, used{1, now.UnixMilli()})
}

func (u *usage) add(token uuid.UUID, more used) {
	l := &u.lanes[token[15]%usageLanes]
	l.Lock()
	was := l.used[token]
	l.used[token] = used{was.n + more.n, max(was.last, more.last)}
	l.Unlock()
}

// take empties the counters and returns what they held.
func (u *usage) take() map[uuid.UUID]used {
	all := map[uuid.UUID]used{}
	for i := range u.lanes {
		l := &u.lanes[i]
		l.Lock()
		for token, n := range l.used {
			all[token] = n
		}
		clear(l.used)
		l.Unlock()
	}
	return all
}

// flushStep is how many tokens are written in one transaction, so that a flush never holds others up for long.
const flushStep = 500

// Flush writes the uses that were counted since the last time. What cannot be written is counted again.
func (s *Service) Flush(ctx context.Context) error {
	pending := s.usage.take()
	for len(pending) > 0 {
		step := takeStep(pending)
		crashpoint.Reach(crashpoint.UsesFlush)
		err := s.DB.Write(ctx, func(tx *sqldb.Tx) error { return addUses(ctx, tx, step) })
		crashpoint.Reach(crashpoint.UsesFlushed)
		if err != nil {
			s.putBack(pending, step)
			return err
		}
	}
	return nil
}

func takeStep(pending map[uuid.UUID]used) map[uuid.UUID]used {
	step := make(map[uuid.UUID]used, min(len(pending), flushStep))
	for token, n := range pending {
		step[token] = n
		delete(pending, token)
		if len(step) == flushStep {
			break
		}
	}
	return step
}

func (s *Service) putBack(maps ...map[uuid.UUID]used) {
	for _, m := range maps {
		for token, n := range m {
			s.usage.add(token, n)
		}
	}
}

// spend takes one use of a limited token durably, before the request goes on: N means N, on any number of replicas.
func (s *Service) spend(ctx context.Context, c *Claims) error {
	crashpoint.Reach(crashpoint.Spend)
	err := s.DB.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		n, err := spendUse(ctx, tx, c.ID, tx.Now().UnixMilli())
		if err == nil && n == 0 {
			err = whyNot(ctx, tx, c.ID)
		}
		return err
	})
	crashpoint.Reach(crashpoint.Spent)
	return err
}
