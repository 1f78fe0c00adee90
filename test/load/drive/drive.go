// Package drive owns when requests are sent, in a closed or an open loop, and what is counted of them. It does not know
// what is sent, nor to whom.
package drive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrExhausted is what a Plan's Work returns when there is nothing left to work on: nothing new begins, and what was
// measured counts.
var ErrExhausted = errors.New("what the run works on is used up")

// Plan says how to send.
//
// In a closed loop (Rate 0) each caller begins its next operation when its last has ended: the server sets the pace.
// In an open loop operations have intended starts, Rate a second from the beginning of the run, whatever the server does.
// A caller that is late begins at once, and its latency counts from the intended start. So a server that hangs for a second is seen
// in all that should have begun in it, not in one request of each caller (no coordinated omission).
type Plan struct {
	Callers   int           // how many operations may be under way at the same time
	Rate      float64       // operations a second that are begun; 0 for a closed loop
	WarmUp    time.Duration // for how long nothing is measured at first
	Duration  time.Duration // for how long is measured after that
	MaxErrors float64       // the share of requests that may fail before the run ends; see fewErrors

	// Work does one operation of the run. An error ends the run, and what is under way; after ErrExhausted only nothing new begins.
	Work func(context.Context, *Turn) error

	Now   func() time.Time
	Pause func(ctx context.Context, until time.Time) error // returns early, with an error, when ctx ends
}

// Measured is what came out of a run.
type Measured struct {
	*Tally
	Elapsed time.Duration // of the measured part
	Planned int64         // operations that an open loop meant to begin, warm-up included; 0 in a closed loop
	Unsent  int64         // of those, how many had not begun when the run was over
	Err     error         // why it ended before its time; nil if it did not
}

// Run sends as planned and counts into a tally, which others may look at meanwhile. It returns when every operation that
// was begun has ended.
func (p Plan) Run(ctx context.Context, tally *Tally) *Measured {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{Plan: p, tally: tally, begin: p.Now()}
	r.from = r.begin.Add(p.WarmUp)
	r.end = r.from.Add(p.Duration)
	var callers sync.WaitGroup
	for caller := range p.Callers {
		callers.Go(func() {
			if err := r.call(ctx, caller); err != nil {
				stop(err)
			}
		})
	}
	callers.Wait()
	m := &Measured{Tally: tally, Elapsed: max(0, p.Now().Sub(r.from)), Err: context.Cause(ctx)}
	if m.Err == nil && r.exhausted.Load() {
		m.Err = ErrExhausted
	}
	if p.Rate > 0 {
		m.Planned = r.planned()
		m.Unsent = m.Planned - r.begun.Load()
	}
	return m
}

// run is a Plan under way.
type run struct {
	Plan
	tally            *Tally
	begin, from, end time.Time
	next, begun      atomic.Int64
	exhausted        atomic.Bool
}

// planned returns how many intended starts lie before the end.
func (r *run) planned() int64 {
	n := int64(r.Rate * r.end.Sub(r.begin).Seconds())
	for r.intended(n).Before(r.end) {
		n++
	}
	return n
}

func (r *run) intended(n int64) time.Time {
	return r.begin.Add(time.Duration(float64(n) / r.Rate * float64(time.Second)))
}

// call is the life of one caller.
func (r *run) call(ctx context.Context, caller int) error {
	for ctx.Err() == nil && !r.exhausted.Load() {
		start, ok := r.await(ctx)
		if !ok {
			return nil
		}
		r.begun.Add(1)
		t := &Turn{Caller: caller, ctx: ctx, run: r, from: start, measured: !start.Before(r.from)}
		err := r.Work(ctx, t)
		if errors.Is(err, ErrExhausted) { // what others have under way goes on to its end, and counts
			r.exhausted.Store(true)
			return nil
		}
		if err != nil {
			return err
		}
		if t.tooMany {
			return r.tally.tooManyErrors(r.MaxErrors)
		}
	}
	return nil
}

// await returns when the next operation is to begin, with its intended start, or false when the run is over.
func (r *run) await(ctx context.Context) (start time.Time, ok bool) {
	if r.Rate == 0 {
		now := r.Now()
		return now, now.Before(r.end)
	}
	start = r.intended(r.next.Add(1) - 1)
	if !start.Before(r.end) || r.Pause(ctx, start) != nil {
		return start, false
	}
	return start, r.Now().Before(r.end)
}

// Turn is one operation under way: one or more requests, one after the other.
type Turn struct {
	Caller int // who does it, from 0

	ctx      context.Context
	run      *run
	from     time.Time
	measured bool
	tooMany  bool
}

// Done counts a request that has ended. failure is empty for an answer as expected, else what came instead, such as
// "429". The first request of an operation counts from its intended start, each later one from the end of the one before.
// What ends after the run was called off does not count.
func (t *Turn) Done(kind, failure string) {
	if t.ctx.Err() != nil {
		return
	}
	now := t.run.Now()
	sent, failed := t.run.tally.add(kind, failure, now.Sub(t.from), t.measured)
	t.from = now
	t.tooMany = t.tooMany || failure != "" && !fewErrors(sent, failed, t.run.MaxErrors)
}

// Stale counts an answer that accepted what was revoked before it was asked.
func (t *Turn) Stale() { t.run.tally.stale.Add(1) }

// Prepared has the operation begin now: what came before was preparation.
func (t *Turn) Prepared() {
	t.from = t.run.Now()
	t.measured = !t.from.Before(t.run.from)
}

// someErrors is how many requests may always fail, so that a single one does not end a run that has just begun.
const someErrors = 10

func fewErrors(sent, failed int64, most float64) bool {
	return failed < someErrors || float64(failed) <= most*float64(sent)
}

func (t *Tally) tooManyErrors(most float64) error {
	return fmt.Errorf("%d of %d requests failed (%s), and the limit is %g%%; %s", t.failed.Load(), t.sent.Load(), t.failures(), 100*most,
		"429: the server limits this caller; 503: it cannot decide, or is too busy; its log says more")
}
