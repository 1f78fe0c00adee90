package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/internal/testhook/bug"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// errGroupLost says that the engine ended the transaction under functions that had done nothing wrong, as SQLite does on a
// full disk.
var errGroupLost = errors.New("nothing was committed: the group's transaction was lost")

// batch is one group on its way to its commit.
type batch struct {
	group *group
	ctx   context.Context
	until time.Time
	run   runner // nil: the transaction has not begun
	saved bool   // there is a savepoint: something is kept before it
	dirty bool   // the last function's work is not kept yet
	kept  []*job // to be answered by the commit
	again []*job // to be run again in the next group
	taken int
	lost  error // why the transaction is lost

	// refused are functions that failed after others had written. What they saw of that may be why, so their errors are
	// true only once it is committed.
	refused []refusal
}

// refusal is the error that a function returned.
type refusal struct {
	job *job
	err error
}

// commit runs one group: the first function, those after it, and what is waiting. It answers every caller but those it
// returns, which are to be run again.
func (g *group) commit(first *job, rest []*job) (again []*job) {
	ctx, cancel := context.WithTimeout(context.Background(), groupDeadline)
	defer cancel()
	b := &batch{group: g, ctx: ctx, until: time.Now().Add(maxGroupAge)}
	for j := first; j != nil; j, rest = b.next(rest) {
		b.add(j)
	}
	b.end()
	return b.again
}

// next returns the function to add to the group, if any, and those that must be added after it.
func (b *batch) next(rest []*job) (*job, []*job) {
	if len(rest) > 0 {
		return rest[0], rest[1:]
	}
	if b.lost != nil || b.taken >= maxGroup {
		return nil, nil
	}
	if b.taken < int(b.group.least.Load()) {
		return <-b.group.jobs, nil
	}
	if time.Now().After(b.until) {
		return nil, nil
	}
	select {
	case j := <-b.group.jobs:
		return j, nil
	default:
		return nil, nil
	}
}

// add gives j its turn and keeps or undoes what it did.
func (b *batch) add(j *job) {
	b.taken++
	if err := j.ctx.Err(); err != nil {
		j.done <- err
		return
	}
	if b.ready(); b.lost != nil {
		j.done <- b.lost
		return
	}
	taken, err := b.turn(j)
	if !taken {
		return
	}
	if err == nil {
		b.dirty, b.kept = true, append(b.kept, j)
		if bug.AckBeforeCommit {
			j.done <- nil
		}
		return
	}
	if undo := b.undo(); undo != nil {
		b.lose(fmt.Errorf("%w: %w", errGroupLost, undo))
	}
	j.tries++
	if j.tries < maxTries && b.group.session.again(err) {
		b.again = append(b.again, j)
		return
	}
	if b.lost != nil || len(b.kept) == 0 {
		j.done <- err
		return
	}
	b.refused = append(b.refused, refusal{j, err})
}

// undo takes back what the last function did. Where nothing was kept before it, that is the whole transaction.
func (b *batch) undo() error {
	if b.saved {
		return b.group.session.undo(b.ctx)
	}
	b.run = nil
	return b.group.session.rollback(b.ctx)
}

// ready sees to it that the transaction is open, and has a fresh savepoint behind what is kept.
func (b *batch) ready() {
	if b.lost != nil {
		return
	}
	if b.run == nil {
		crashpoint.Reach(crashpoint.GroupBegin)
		run, err := b.group.session.begin(b.ctx)
		if b.run = run; err != nil {
			b.lose(err)
		}
	} else if b.dirty {
		crashpoint.Reach(crashpoint.GroupBetween)
		if err := b.keep(); err != nil {
			b.lose(fmt.Errorf("%w: %w", errGroupLost, err))
		}
	}
	b.dirty = false
}

// keep sets the savepoint behind what was done so far.
func (b *batch) keep() error {
	if b.saved {
		return b.group.session.keep(b.ctx)
	}
	b.saved = true
	return b.group.session.save(b.ctx)
}

// turn lets j's caller run its function and returns what the function returned, or that the caller has left.
func (b *batch) turn(j *job) (taken bool, err error) {
	tx := newTx(b.group.db, b.run)
	tx.bound = b.ctx
	select {
	case j.turn <- tx:
		return true, <-j.ran
	case <-j.ctx.Done():
		j.done <- j.ctx.Err()
		return false, nil
	}
}

// lose gives up the transaction and tells everybody whose answer hangs on it why. That is an error of the session, never
// that of another caller's function.
func (b *batch) lose(err error) {
	if b.lost = err; len(b.kept) > 0 {
		b.group.db.log.Warn("a group of writes failed", "functions", len(b.kept), "error", err)
	}
	b.group.session.drop()
	b.answer(err)
}

// end commits what was kept and answers.
func (b *batch) end() {
	switch {
	case b.lost != nil || b.run == nil:
	case len(b.kept) == 0:
		if err := b.group.session.rollback(b.ctx); err != nil {
			b.group.session.drop()
		}
	default:
		crashpoint.Reach(crashpoint.GroupCommit)
		if err := b.group.session.commit(); err != nil {
			b.lose(err)
			return
		}
		crashpoint.Reach(crashpoint.GroupCommitted)
		b.group.commits.Add(1)
		b.group.functions.Add(uint64(len(b.kept)))
		b.answer(nil)
	}
}

// answer tells everybody whose work was kept what became of it. Whoever was refused is told why, or that the transaction
// is lost: then nobody knows whether there was a reason.
func (b *batch) answer(err error) {
	for _, j := range b.kept {
		j.done <- err
	}
	for _, r := range b.refused {
		if err != nil {
			r.err = err
		}
		r.job.done <- r.err
	}
	b.kept, b.refused = nil, nil
}
