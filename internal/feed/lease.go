package feed

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/testhook/bug"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Channels of PostgreSQL's NOTIFY: hints that save waiting, nothing more.
const (
	changesChannel = "sallyport_changes" // there is something new in the log
	appliedChannel = "sallyport_applied" // a replica has applied it
)

// lease says until when this replica may decide from memory, and under which row of the register.
type lease struct {
	until atomic.Int64 // reading of the clock; 0: there is none
	mu    sync.Mutex
	id    string // guarded by mu
}

// row returns the id of this replica's row in the register.
func (l *lease) row() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id
}

func (l *lease) extend(until time.Duration) { l.until.Store(int64(until)) }

// LeaseLeft returns for how long this replica may still answer from memory; 0 or less: it may not.
func (f *Feed) LeaseLeft() time.Duration {
	if f.alone {
		return f.leaseTime
	}
	return time.Duration(f.lease.until.Load()) - f.clock()
}

// Current returns nil when this replica may decide from memory now. Without a lease it reads the log to its end first;
// if it cannot, the error is Unavailable: decide nothing.
func (f *Feed) Current(ctx context.Context) error {
	if f.alone || f.LeaseLeft() > 0 || bug.ServeWithoutLease {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.leaseTime)
	defer cancel()
	err := f.CatchUp(ctx)
	if superseded(err) {
		return err
	}
	if err != nil {
		e := fault.New(fault.Unavailable, "This replica cannot reach its database, so it cannot tell whether the token was revoked. Try again, or ask another replica.").Because(err)
		e.RetryAfter = time.Second
		return e
	}
	return nil
}

// register makes a row for this replica, under a new id: whoever waited for the old one has struck it off. It waits for whoever
// changes the schema. The error is a *sqldb.Superseded if this program is too old for the schema.
func (f *Feed) register(ctx context.Context) error {
	if f.alone {
		return nil
	}
	next := id.New()
	crashpoint.Reach(crashpoint.Register)
	err := f.insertReplica(ctx, next)
	var old *sqldb.Superseded
	if errors.As(err, &old) {
		_ = f.supersede(old)
	}
	if err != nil {
		return err
	}
	crashpoint.Reach(crashpoint.Registered)
	f.lease.mu.Lock()
	defer f.lease.mu.Unlock()
	f.lease.id = next
	return nil
}

// renew extends the lease. Its order is what the guarantee rests on: the clock is noted, the beat is committed, the log
// is read to its end, and only then does the lease count, from the noted time.
func (f *Feed) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.leaseTime)
	defer cancel()
	noted := f.clock()
	crashpoint.Reach(crashpoint.Renew)
	there, err := f.beat(ctx)
	if err != nil {
		return err
	}
	crashpoint.Reach(crashpoint.Beaten)
	if !there {
		return f.startOver(ctx)
	}
	if err := f.CatchUp(ctx); err != nil {
		return err
	}
	f.lease.extend(noted + f.leaseTime)
	crashpoint.Reach(crashpoint.Renewed)
	return f.report(ctx)
}

// startOver is for a replica that was struck off: others no longer wait for it, so all that it holds is doubtful.
func (f *Feed) startOver(ctx context.Context) error {
	f.lease.extend(0)
	noted := f.clock()
	if err := f.register(ctx); err != nil {
		return err
	}
	if err := f.locked(func() error { return f.reload(ctx, f.reset) }); err != nil {
		return err
	}
	f.lease.extend(noted + f.leaseTime)
	f.logger.Warn("this replica was silent for a lease and was struck off the register; it is registered again", "replica", f.name)
	return f.report(ctx)
}

func (f *Feed) reset() {
	for _, fn := range f.resets {
		fn()
	}
}

// Run keeps the lease and follows the log until ctx ends; then it takes this replica off the register, so that nobody
// waits for it.
func (f *Feed) Run(ctx context.Context) {
	if f.alone {
		<-ctx.Done()
		return
	}
	changed := make(chan struct{}, 1)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		f.db.Listen(ctx, func(channel string) { f.heard(channel, changed) }, changesChannel, appliedChannel)
	}()
	f.keep(ctx, changed)
	<-listening
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.leaseTime)
	defer cancel()
	f.lease.extend(0)
	crashpoint.Reach(crashpoint.SignOff)
	if err := f.deleteReplica(leave); err != nil {
		f.logger.Warn("could not sign off; other replicas will wait for one lease", "error", err)
	}
}

func (f *Feed) heard(channel string, changed chan<- struct{}) {
	if channel != changesChannel {
		f.settler.poke()
	}
	if channel != appliedChannel {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
}

// keep renews three times a lease, and reads on whenever there is word of something new.
func (f *Feed) keep(ctx context.Context, changed <-chan struct{}) {
	tick := time.NewTicker(f.leaseTime / 3)
	defer tick.Stop()
	for ctx.Err() == nil {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err = f.renew(ctx)
		case <-changed:
			err = f.follow(ctx)
		}
		if err != nil && ctx.Err() == nil {
			f.logger.Warn("cannot follow the log of changes", "replica", f.name, "leaseLeft", f.LeaseLeft().String(), "error", err)
		}
	}
}

// follow reads on and tells the others how far, also if somebody else here has read on meanwhile.
func (f *Feed) follow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.leaseTime)
	defer cancel()
	if err := f.CatchUp(ctx); err != nil || f.Applied() == f.told {
		return err
	}
	return f.report(ctx)
}
