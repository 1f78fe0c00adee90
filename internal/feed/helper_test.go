package feed

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// clock is a clock that only the test moves.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_790_000_000_000)
	return c
}

func (c *clock) Now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

var quiet = slog.New(slog.DiscardHandler)

// each runs fn once an engine.
func each(t *testing.T, fn func(t *testing.T, engine sqldb.Engine)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) { fn(t, engine) })
	}
}

func open(t *testing.T, engine sqldb.Engine, c *clock) *sqldb.DB {
	t.Helper()
	return sqldbtest.OpenWith(t, engine, sqldb.Options{Now: c.Now, Logger: quiet})
}

// seen records the entries that a feed hands to its followers, and its resets.
type seen struct {
	mu      sync.Mutex
	entries []Entry
	resets  int
}

func (s *seen) all() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Entry{}, s.entries...)
}

// follower makes a feed that is not started, and records what it tells.
func follower(db *sqldb.DB) (*Feed, *seen) {
	f, s := New(Options{DB: db, Logger: quiet}), &seen{}
	for _, kind := range []Kind{TokenRevoked, CutIdentity, CutInstance, Grants, Config} {
		f.Follow(kind, func(e Entry) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.entries = append(s.entries, e)
		})
	}
	f.OnReset(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.resets++
	})
	return f, s
}

// start starts a feed and keeps its lease until the test ends.
func start(t *testing.T, f *Feed) {
	t.Helper()
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
}

// started is follower and start.
func started(t *testing.T, db *sqldb.DB) (*Feed, *seen) {
	t.Helper()
	f, s := follower(db)
	start(t, f)
	return f, s
}

// change appends entries, given as kind, key and until.
func change(t *testing.T, f *Feed, entries ...Entry) {
	t.Helper()
	if err := f.Change(t.Context(), func(tx *Tx) error { return appendAll(tx, entries) }); err != nil {
		t.Fatal(err)
	}
}

func appendAll(tx *Tx, entries []Entry) error {
	for _, e := range entries {
		until := Evict
		if e.Until != 0 {
			until = time.UnixMilli(e.Until)
		}
		tx.Append(e.Kind, e.Key, until)
	}
	return nil
}
