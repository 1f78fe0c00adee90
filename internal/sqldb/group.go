package sqldb

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of a group. The time bound keeps the first function's wait for its commit short, and on PostgreSQL also
// how long a group holds its locks.
const (
	maxGroup      = 256
	maxGroupAge   = 25 * time.Millisecond
	maxTries      = 5                // of one function, when PostgreSQL asks to try again
	groupDeadline = 30 * time.Second // of a group's statements, all together
)

// session is one connection that commits groups: a transaction in which each function has a savepoint. An error of a
// session means that the transaction is lost; drop then makes the session ready to begin anew.
type session interface {
	begin(ctx context.Context) (runner, error) // opens the transaction and sets the first savepoint
	keep(ctx context.Context) error            // keeps what was done since the savepoint, and sets the next one
	undo(ctx context.Context) error            // undoes what was done since the savepoint, which stays set
	commit() error                             // commits; on success, and only then, everything is durable
	rollback(ctx context.Context) error        // undoes everything
	drop()                                     // gives up the connection in whatever state it is
	again(err error) bool                      // whether a function that failed so may well succeed when run again
}

// group commits together what is waiting. One goroutine owns the session and gives one caller after the other the
// transaction; each runs its function itself, on its own goroutine, so that a panic, or a test that ends itself,
// happens where it belongs. A group is: begin, the first waiting function, whatever else is waiting by then, commit.
type group struct {
	db      *DB
	session session
	jobs    chan *job // unbuffered: a send is taken when the function's turn comes
	closing chan struct{}
	closed  chan struct{}
	once    sync.Once

	busy               atomic.Bool // a function has the transaction
	waiting            atomic.Int64
	commits, functions atomic.Uint64
}

// job is a function on its way through a group.
type job struct {
	ctx   context.Context
	tries int
	turn  chan *Tx   // to the caller: run now
	ran   chan error // from the caller: what the function returned
	done  chan error // to the caller: what became of it
}

// errUnwound stands for a function that did not return: it panicked, or ended its goroutine.
var errUnwound = errors.New("the function of the transaction did not return")

func newGroup(db *DB, s session) *group {
	g := &group{
		db:      db,
		session: s,
		jobs:    make(chan *job),
		closing: make(chan struct{}),
		closed:  make(chan struct{}),
	}
	go g.loop()
	return g
}

// do runs fn in a group and returns what became of it.
func (g *group) do(ctx context.Context, fn func(*Tx) error) error {
	if g.busy.Load() && inFunction() {
		return ErrNested
	}
	j := &job{ctx: ctx, turn: make(chan *Tx), ran: make(chan error), done: make(chan error, 1)}
	if err := g.enqueue(j); err != nil {
		return err
	}
	for {
		select {
		case tx := <-j.turn:
			runFunction(tx, fn, func(err error) { j.ran <- err })
		case err := <-j.done:
			return err
		}
	}
}

// enqueue waits until the group takes j, ctx is done, or the database is closed.
func (g *group) enqueue(j *job) error {
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	select {
	case <-g.closing:
		return ErrClosed
	default:
	}
	select {
	case g.jobs <- j:
		return nil
	case <-j.ctx.Done():
		return j.ctx.Err()
	case <-g.closing:
		return ErrClosed
	}
}

// runFunction runs fn and reports how it ended, also if it did not return. Its name in a call stack is how a nested
// write is found, so it is never inlined.
//
//go:noinline
func runFunction(tx *Tx, fn func(*Tx) error, report func(error)) {
	err := errUnwound
	defer func() {
		if failed := tx.end(); err == nil {
			err = failed
		}
		report(err)
	}()
	err = fn(tx)
}

// inFunction reports whether the calling goroutine is inside a function of a write.
func inFunction() bool {
	var pcs [128]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		if frame.Function == "github.com/sallyport/sallyport/internal/sqldb.runFunction" {
			return true
		}
		if !more {
			return false
		}
	}
}

// close ends the group after what it is committing now.
func (g *group) close() {
	g.once.Do(func() { close(g.closing) })
	<-g.closed
}

func (g *group) loop() {
	defer close(g.closed)
	defer g.session.drop()
	for {
		select {
		case <-g.closing:
			return
		case j := <-g.jobs:
			for again := g.commit(j, nil); len(again) > 0; {
				again = g.commit(again[0], again[1:])
			}
		}
	}
}

// batch is one group on its way to its commit.
type batch struct {
	group *group
	ctx   context.Context
	until time.Time
	run   runner // nil: the transaction has not begun
	dirty bool   // the last function's work is not kept yet
	kept  []*job // to be answered by the commit
	again []*job // to be run again in the next group
	taken int
	lost  error // why the transaction is lost
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
	if b.lost != nil || b.taken >= maxGroup || time.Now().After(b.until) {
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
	err := b.turn(j)
	if err == nil {
		b.dirty, b.kept = true, append(b.kept, j)
		return
	}
	if undo := b.group.session.undo(b.ctx); undo != nil {
		b.lose(undo)
	}
	j.tries++
	if j.tries < maxTries && b.group.session.again(err) {
		b.again = append(b.again, j)
		return
	}
	j.done <- err
}

// ready sees to it that the transaction is open and has a fresh savepoint.
func (b *batch) ready() {
	if b.lost != nil {
		return
	}
	var err error
	if b.run == nil {
		b.run, err = b.group.session.begin(b.ctx)
	} else if b.dirty {
		err = b.group.session.keep(b.ctx)
	}
	if b.dirty = false; err != nil {
		b.lose(err)
	}
}

// turn lets j's caller run its function and returns what the function returned.
func (b *batch) turn(j *job) error {
	tx := newTx(b.group.db, b.run)
	tx.bound = b.ctx
	b.group.busy.Store(true)
	defer b.group.busy.Store(false)
	j.turn <- tx
	return <-j.ran
}

// lose gives up the transaction: whatever was kept in it is gone, and its callers are told why.
func (b *batch) lose(err error) {
	b.lost = err
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
		if err := b.group.session.commit(); err != nil {
			b.lose(err)
			return
		}
		b.group.commits.Add(1)
		b.group.functions.Add(uint64(len(b.kept)))
		b.answer(nil)
	}
}

// answer tells everybody whose work was kept what became of it.
func (b *batch) answer(err error) {
	for _, j := range b.kept {
		j.done <- err
	}
	b.kept = nil
}
