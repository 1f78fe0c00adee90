// Package feed owns the ordered log of changes that every replica follows: revocations, cut-offs, and word that a
// cached fact changed. It decides when a change is known everywhere, and when this replica may answer from memory. It
// does not know what the entries mean. The protocol, and why it holds, is in docs/revocation.md.
package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Entry is one line of the log.
type Entry struct {
	Seq   int64  // 1, 2, 3, ... in the order of commits, without gaps; 0 for a TokenRevoked that Start loaded: none needs it
	Kind  Kind   // what sort of change
	Key   string // what it is about; see Kind
	Until int64  // milliseconds UTC until which it must be remembered; 0: no longer than everybody has seen it
}

// Options says what a feed works with.
type Options struct {
	DB      *sqldb.DB
	Logger  *slog.Logger
	Lease   time.Duration // how long one renewal lets this replica answer from memory; 0 means DefaultLease
	Name    string        // what operators call this replica, such as its address
	Version string        // of the program, for the register
	Keys    []string      // fingerprints of the root keys that it was given, for the register
	Clock   Clock         // nil means BootTime
	Caches  int64         // bytes that all caches together may take; 0 for as many as they were made for
}

// allCaches is about how many bytes all caches take that are as large as they were made for.
const allCaches = 200 << 20

// The lengths that a lease may have. The longest bounds how long a change waits when nobody can read the register.
const (
	DefaultLease = 2 * time.Second
	MinLease     = 200 * time.Millisecond
	MaxLease     = 30 * time.Second
)

// ClockSlack is how much longer than needed an entry is remembered, so that a clock that was set back brings no
// revoked token back to life.
const ClockSlack = time.Hour

// Feed follows the log of one database. Build it with New, add followers, Start it, and let it Run.
type Feed struct {
	db        *sqldb.DB
	logger    *slog.Logger
	leaseTime time.Duration
	name      string
	program   string
	keys      []string
	clock     Clock
	caches    int64

	// alone: nobody else can be on this database, since SQLite's is locked for one process. There is then no register
	// to keep, and what is applied here is known everywhere.
	alone     bool
	followers map[Kind][]func(Entry)
	resets    []func()
	started   int64 // milliseconds UTC, for people to read

	applied atomic.Int64
	turns   atomic.Uint64 // see Mark
	reading sync.Mutex    // one reader applies at a time, so that entries are applied in order
	rounds  rounds
	lease   lease
	settler settler
	told    int64 // what the register says is applied here; of Run alone
	ending  ending
	census  census
}

// New returns a feed that knows nothing yet.
func New(o Options) *Feed {
	if o.Lease == 0 {
		o.Lease = DefaultLease
	}
	if o.Clock == nil {
		o.Clock = BootTime
	}
	f := &Feed{db: o.DB, logger: o.Logger, leaseTime: o.Lease, name: o.Name, program: o.Version,
		keys: o.Keys, clock: o.Clock, caches: o.Caches, alone: o.DB.Engine() == sqldb.SQLite, followers: map[Kind][]func(Entry){}, started: o.DB.Now().UnixMilli()}
	f.settler.wake = make(chan struct{}, 1)
	f.ending.over = make(chan struct{})
	return f
}

// Follow has fn called for each entry of a kind, in order, one at a time. It is for set-up, before Start. fn must be
// quick, must not call the feed, and must bear to see an entry twice.
func (f *Feed) Follow(kind Kind, fn func(Entry)) {
	f.followers[kind] = append(f.followers[kind], fn)
}

// OnReset has fn called when entries were missed that are no longer in the log: whatever was cached may be wrong. What
// must be remembered is applied again right after.
func (f *Feed) OnReset(fn func()) { f.resets = append(f.resets, fn) }

// Applied returns the sequence number up to which this replica knows every change.
func (f *Feed) Applied() int64 { return f.applied.Load() }

// Mark tells what this replica knows now from what it knew before: it is another number whenever anything new was applied,
// and never the same again, also where the log itself was lost and its numbers are given out once more. It changes after
// the followers have been told, and before this replica reports the change or extends its lease by it. So what was decided
// from memory alone may be decided alike as long as the mark is the one that was noted before the first look.
func (f *Feed) Mark() uint64 { return f.turns.Load() }

// advance notes up to where every change is applied.
func (f *Feed) advance(head int64) {
	f.applied.Store(head)
	f.turns.Add(1)
}

// Start registers this replica, loads every entry that still matters, and reads the log to its end, in this order.
// Serve nothing before it returned nil.
func (f *Feed) Start(ctx context.Context) error {
	noted := f.clock()
	err := f.register(ctx)
	if err == nil {
		err = f.locked(func() error { return f.reload(ctx, func() {}) }) // nothing is cached yet
	}
	var old *sqldb.Superseded
	if errors.As(err, &old) {
		return err
	}
	if err != nil {
		return fmt.Errorf("cannot read the log of changes: %w", err)
	}
	f.lease.extend(noted + f.leaseTime)
	return nil
}

// reload applies all state anew, then the log to its end. The caller holds f.reading. forget drops what is cached: it
// must come after the head is read. A cache that was filled between the two could hold what a change below that head
// made old, and would never be told.
func (f *Feed) reload(ctx context.Context, forget func()) error {
	// The head is read before the entries: what commits in between is then read twice, never missed.
	head, err := f.head(ctx)
	if err == nil {
		forget()
		err = f.load(ctx, f.db.Now().Add(-ClockSlack))
	}
	if err == nil {
		f.advance(head)
		err = f.readOn(ctx)
	}
	return err
}

// Reach returns when every entry up to seq is applied here.
func (f *Feed) Reach(ctx context.Context, seq int64) error {
	if f.applied.Load() >= seq {
		return nil
	}
	return f.locked(func() error {
		if f.applied.Load() >= seq { // whoever held the lock read past it
			return nil
		}
		return f.readOn(ctx)
	})
}

// CatchUp reads the log to its end, as it is when the call begins or later. Calls at the same time share a read.
func (f *Feed) CatchUp(ctx context.Context) error {
	return f.rounds.join(func() error {
		return f.locked(func() error { return f.readOn(ctx) })
	})
}

func (f *Feed) locked(do func() error) error {
	f.reading.Lock()
	defer f.reading.Unlock()
	return do()
}

// apply hands an entry to its followers.
func (f *Feed) apply(e Entry) {
	for _, follow := range f.followers[e.Kind] {
		follow(e)
	}
}

// Caches returns how many bytes all caches together may take; 0 for as many as they were made for.
func (f *Feed) Caches() int64 { return f.caches }
