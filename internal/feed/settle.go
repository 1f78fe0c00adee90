package feed

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/testhook/bug"
)

// settler holds the changes that wait until every replica knows them. They share one watch over the register.
type settler struct {
	mu       sync.Mutex
	waiting  []*pending
	watching bool
	wake     chan struct{} // something may have changed in the register
	seen     sightings     // of the watch alone
}

// pending is a committed change that is not acknowledged yet.
type pending struct {
	seq   int64
	since time.Duration // reading of the clock after the commit
	done  chan struct{}
}

// poke has the watch look at the register now.
func (s *settler) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// settle returns when no replica can decide any more as if the change at seq had not been made: each has applied it,
// or a lease, and a bit for clocks that do not run alike, has passed since the commit. Whoever still answers from
// memory then renewed after the commit, and so has read it. It does not fail: what is committed becomes true in time.
func (f *Feed) settle(ctx context.Context, seq int64) error {
	if bug.AckBeforeWait {
		return nil
	}
	if f.alone {
		return f.settleAlone(ctx, seq)
	}
	p := &pending{seq: seq, since: f.clock(), done: make(chan struct{})}
	f.settler.mu.Lock()
	f.settler.waiting = append(f.settler.waiting, p)
	watch := !f.settler.watching
	f.settler.watching = true
	f.settler.mu.Unlock()
	if watch {
		go f.watch(context.WithoutCancel(ctx))
	} else {
		f.settler.poke()
	}
	<-p.done
	return nil
}

// settleAlone applies the change here. While that fails nobody may be told that it is done, nor that it failed: it is
// committed, and who asks again would hear that it had been done before.
func (f *Feed) settleAlone(ctx context.Context, seq int64) error {
	for {
		err := f.Reach(ctx, seq)
		if err == nil || errors.Is(err, sqldb.ErrClosed) {
			return err
		}
		f.logger.Error("cannot read a change that is committed; trying again", "error", err)
		f.rest()
	}
}

// pollEvery is how often the register is read when nothing pokes the watch.
const pollEvery = 20 * time.Millisecond

// watch reads the register until no change waits any more.
func (f *Feed) watch(ctx context.Context) {
	announced := int64(0)
	for {
		newest := f.settler.newest()
		if newest == 0 {
			return
		}
		if newest > announced && f.announce(ctx, newest) == nil {
			announced = newest
		}
		if f.release(ctx, newest); f.settler.idle() {
			continue // newest ends the watch, under the lock
		}
		f.rest()
	}
}

// newest returns the highest sequence number that waits. With none it ends the watch and returns 0.
func (s *settler) newest() (seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.waiting {
		seq = max(seq, p.seq)
	}
	s.watching = seq > 0
	return seq
}

func (s *settler) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) == 0
}

func (f *Feed) rest() {
	timer := time.NewTimer(pollEvery)
	defer timer.Stop()
	select {
	case <-f.settler.wake:
	case <-timer.C:
	}
}

// announce applies the change here and wakes the other replicas.
func (f *Feed) announce(ctx context.Context, seq int64) error {
	ctx, cancel := context.WithTimeout(ctx, f.leaseTime)
	defer cancel()
	if err := f.notify(ctx, changesChannel); err != nil {
		return err
	}
	return f.Reach(ctx, seq)
}

// release lets go of every change that is known everywhere, or that has waited long enough.
func (f *Feed) release(ctx context.Context, newest int64) {
	ctx, cancel := context.WithTimeout(ctx, f.leaseTime)
	defer cancel()
	// Noted before the register is read: a replica that registers after that reads a log which holds all of it. What is
	// applied here later may be a change that such a replica does not know, and whose row is not among these.
	own := f.Applied()
	replicas, err := f.Replicas(ctx)
	now := f.clock()
	if err != nil {
		// Without the register nobody knows how long the others' leases are: wait the longest.
		f.settler.letGo(func(p *pending) bool { return now-p.since >= sqldb.Outlast(MaxLease) })
		return
	}
	replicas = f.strikeSilent(ctx, replicas, now, newest)
	longest, known := f.survey(replicas, own)
	f.settler.letGo(func(p *pending) bool { return p.seq <= known || now-p.since >= sqldb.Outlast(longest) })
}

// survey returns the longest lease, and up to where every replica that may decide knows the log; own is how far this one does.
func (f *Feed) survey(replicas []Replica, own int64) (longest time.Duration, known int64) {
	longest, known = f.leaseTime, own
	for _, r := range replicas {
		if r.fenced() {
			continue
		}
		longest = max(longest, r.Lease)
		if !r.Self {
			known = min(known, r.Applied)
		}
	}
	return longest, known
}

func (s *settler) letGo(settled func(*pending) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.waiting[:0]
	for _, p := range s.waiting {
		if settled(p) {
			close(p.done)
		} else {
			kept = append(kept, p)
		}
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
}
