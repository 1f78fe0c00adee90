// Package feed owns the ordered log of changes that every replica follows: revocations, cut-offs, and word that a
// cached fact changed. It decides when a change is known everywhere. It does not know what the entries mean.
package feed

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/internal/sqldb"
)

// Entry is one line of the log.
type Entry struct {
	Seq   int64  `db:"seq"` // 1, 2, 3, ... in the order of commits, without gaps
	Kind  Kind   `db:"kind"`
	Key   string `db:"key"`   // what it is about; see Kind
	Until int64  `db:"until"` // milliseconds UTC until which it must be remembered; 0: no longer than everybody has seen it
}

// Feed follows the log of one database. Build it with New, add followers, then Start it.
type Feed struct {
	db        *sqldb.DB
	log       *slog.Logger
	followers map[Kind][]func(Entry)
	reading   sync.Mutex // one reader applies at a time, so that entries are applied in order
	applied   atomic.Int64
}

// New returns a feed that knows nothing yet.
func New(db *sqldb.DB, log *slog.Logger) *Feed {
	return &Feed{db: db, log: log, followers: map[Kind][]func(Entry){}}
}

// Follow has fn called for each entry of a kind, in order, one at a time. It is for set-up, before Start. fn must be
// quick, must not call the feed, and must bear to see an entry twice.
func (f *Feed) Follow(kind Kind, fn func(Entry)) {
	f.followers[kind] = append(f.followers[kind], fn)
}

// Applied returns the sequence number up to which this replica knows every change.
func (f *Feed) Applied() int64 { return f.applied.Load() }

// Start loads every entry that still matters, then the log to its end. Serve nothing before it returned nil.
func (f *Feed) Start(ctx context.Context) error {
	f.reading.Lock()
	defer f.reading.Unlock()
	// The head is read before the entries: what commits in between is then read twice, never missed.
	head, err := f.head(ctx)
	if err == nil {
		err = f.load(ctx, head, f.db.Now().Add(-ClockSlack))
	}
	if err == nil {
		f.applied.Store(head)
		err = f.readOn(ctx)
	}
	if err != nil {
		return fmt.Errorf("cannot read the log of changes: %w", err)
	}
	return nil
}

// Reach returns when every entry up to seq is applied here.
func (f *Feed) Reach(ctx context.Context, seq int64) error {
	if f.applied.Load() >= seq {
		return nil
	}
	f.reading.Lock()
	defer f.reading.Unlock()
	if f.applied.Load() >= seq { // whoever held the lock read past it
		return nil
	}
	return f.readOn(ctx)
}

// apply hands an entry to its followers.
func (f *Feed) apply(e Entry) {
	for _, follow := range f.followers[e.Kind] {
		follow(e)
	}
}

// ClockSlack is how much longer than needed an entry is remembered, so that a clock that was set back brings no
// revoked token back to life.
const ClockSlack = time.Hour

// Current returns nil when this replica may decide from memory now. An error is Unavailable: decide nothing.
func (f *Feed) Current(context.Context) error { return nil }
