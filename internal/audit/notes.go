package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/access"
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
	if l.notes.full() {
		if err := l.Flush(ctx); err != nil {
			return err
		}
	}
	return l.notes.add(func() (row, error) { return l.row(actor, e, l.db.Now()) })
}

// add has an event wait. build reads the clock: no event that waits is then older than one that Flush took before it.
func (n *notes) add(build func() (row, error)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	r, err := build()
	if err == nil {
		n.waiting = append(n.waiting, r)
	}
	return err
}

func (n *notes) full() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.waiting) >= notesMax
}

// take returns all that waits, and more behind it. The caller writes it, or gives it back.
func (n *notes) take(more []row) []row {
	n.mu.Lock()
	defer n.mu.Unlock()
	batch := append(n.waiting, more...)
	n.waiting = nil
	return batch
}

func (n *notes) giveBack(batch []row) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting = append(batch, n.waiting...)
}

// Run writes what was noted and gives events their positions, every NoteEvery, until ctx ends; then once more. Of errors
// that follow each other it logs the first.
func (l *Log) Run(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(NoteEvery)
	defer tick.Stop()
	failing := false
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			l.repeats.end()
			ended = true
		case <-tick.C:
		}
		err := l.Flush(context.WithoutCancel(ctx))
		if err != nil && !failing {
			log.Error("audit events wait to be written", "error", err)
		}
		failing = err != nil
	}
}
