package sqldb

import (
	"context"
	"errors"
	"reflect"
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
	groupDeadline = 30 * time.Second // of a transaction's statements, all together
)

// session is one connection that commits groups: a transaction in which each function but the first has a savepoint. The first
// needs none: what it did is undone by undoing everything. An error of a session means that the transaction is lost; drop then
// makes the session ready to begin anew.
type session interface {
	begin(ctx context.Context) (runner, error) // opens the transaction
	save(ctx context.Context) error            // sets the first savepoint
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
	least   atomic.Int64 // how many functions a group waits for, for tests that decide what is in one
	jobs    chan *job    // unbuffered: a send is taken when the function's turn comes
	closing chan struct{}
	closed  chan struct{}
	once    sync.Once

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
	if inFunction() {
		return ErrNested
	}
	j := &job{ctx: ctx, turn: make(chan *Tx), ran: make(chan error), done: make(chan error, 1)}
	if err := g.enqueue(j); err != nil {
		return err
	}
	leave := ctx.Done() // until fn has run; from then on only the group knows what becomes of it
	for {
		select {
		case tx := <-j.turn:
			leave = nil
			runFunction(tx, fn, func(err error) { j.ran <- err })
		case err := <-j.done:
			return err
		case <-leave:
			return ctx.Err()
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

// runFunction runs fn and reports how it ended, also if it did not return. Its frame in a call stack is how a nested
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

// inFunction reports whether the calling goroutine is inside a function of a write. It takes about a microsecond.
func inFunction() bool {
	var stack [128]uintptr
	entry := reflect.ValueOf(runFunction).Pointer()
	for _, pc := range stack[:runtime.Callers(3, stack[:])] {
		if f := runtime.FuncForPC(pc - 1); f != nil && f.Entry() == entry {
			return true
		}
	}
	return false
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
