package feed

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Tx is a transaction that may append to the log.
type Tx struct {
	*sqldb.Tx
	entries []Entry
}

// Evict is the until of an entry that is no state, only word that a cached fact changed.
var Evict time.Time

// Append adds an entry to the log as the last act of the transaction: no change without its entry, no entry without
// its change. until is the time up to which it must be remembered, or Evict.
func (tx *Tx) Append(kind Kind, key string, until time.Time) {
	e := Entry{Kind: kind, Key: key}
	if !until.IsZero() {
		e.Until = until.UnixMilli()
	}
	tx.entries = append(tx.entries, e)
}

// Change runs fn in a transaction, and returns nil when it is committed and every replica decides by it. fn may run
// more than once, so it must not change anything outside the transaction but what it assigns anew each time.
func (f *Feed) Change(ctx context.Context, fn func(*Tx) error) error {
	var seq int64
	err := f.db.WriteGrouped(ctx, func(stx *sqldb.Tx) error {
		tx := &Tx{Tx: stx}
		if err := fn(tx); err != nil {
			return err
		}
		var err error
		seq, err = f.appendEntries(ctx, tx)
		return err
	})
	if err != nil || seq == 0 {
		return err
	}
	crashpoint.Reach(crashpoint.FeedSettle)
	// What is committed is true, also for a caller who has gone: its cancellation must not stop the wait.
	return f.settle(context.WithoutCancel(ctx), seq)
}

// Settled returns nil when every replica decides by every change that was made before the call, whoever made it. It is
// for a caller who asks for what has happened already: that must be as true as if they had done it.
func (f *Feed) Settled(ctx context.Context) error {
	head, err := f.head(ctx)
	if err != nil || head == 0 {
		return err
	}
	return f.settle(context.WithoutCancel(ctx), head)
}
