package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/crashpoint"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// NoteEvery is within how long a noted event is durable.
const NoteEvery = 100 * time.Millisecond

// notesMax is how many events may wait. Whoever comes then writes them out first: slower, but nothing is lost.
const notesMax = 4096

// notes are events that belong to no change, such as refusals. They are written in batches.
type notes struct {
	mu      sync.Mutex
	waiting []row
	writing sync.Mutex // one batch at a time, in order
}

// Note records an event that belongs to no change. It is durable within NoteEvery, as long as Run runs.
func (l *Log) Note(ctx context.Context, actor *access.Actor, e Event) error {
	r, err := l.row(actor, e, l.db.Now())
	if err != nil {
		return err
	}
	if l.notes.full() {
		if err := l.Flush(ctx); err != nil {
			return err
		}
	}
	l.notes.mu.Lock()
	defer l.notes.mu.Unlock()
	l.notes.waiting = append(l.notes.waiting, r)
	return nil
}

func (n *notes) full() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.waiting) >= notesMax
}

// Flush writes what was noted. What cannot be written waits for the next time.
func (l *Log) Flush(ctx context.Context) error {
	l.notes.writing.Lock()
	defer l.notes.writing.Unlock()
	l.notes.mu.Lock()
	batch := l.notes.waiting
	l.notes.waiting = nil
	l.notes.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	crashpoint.Reach(crashpoint.NotesFlush)
	err := l.db.Write(ctx, func(tx *sqldb.Tx) error { return insertAll(ctx, tx, batch) })
	crashpoint.Reach(crashpoint.NotesFlushed)
	if err != nil {
		l.notes.mu.Lock()
		l.notes.waiting = append(batch, l.notes.waiting...)
		l.notes.mu.Unlock()
	}
	return err
}

// Run writes what was noted every NoteEvery, until ctx ends; then once more.
func (l *Log) Run(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(NoteEvery)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-tick.C:
		}
		if err := l.Flush(context.WithoutCancel(ctx)); err != nil {
			log.Error("audit events wait to be written", "error", err)
		}
	}
}
