package audit

import (
	"context"
	"slices"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Flush writes what was noted, and gives every event that was committed before the call its position. What cannot be
// written waits for the next time.
func (l *Log) Flush(ctx context.Context) error {
	l.notes.writing.Lock()
	defer l.notes.writing.Unlock()
	batch := l.notes.take(l.repeats.due(l.db.Now()))
	if len(batch) == 0 {
		waits, err := l.unplaced(ctx)
		if err != nil || !waits {
			return err
		}
	}
	for first := true; first || len(batch) > 0; first = false {
		part := batch[:min(len(batch), atOnce)]
		if err := l.flush(ctx, part); err != nil {
			l.notes.giveBack(batch)
			return err
		}
		batch = batch[len(part):]
	}
	return nil
}

// atOnce is how many events one transaction writes, so that other writers never wait long for it: about 3 ms on SQLite.
const atOnce = 20 * several

func (l *Log) flush(ctx context.Context, part []row) error {
	crashpoint.Reach(crashpoint.NotesFlush)
	err := l.db.Write(ctx, func(tx *sqldb.Tx) error { return place(ctx, tx, part) })
	crashpoint.Reach(crashpoint.NotesFlushed)
	return err
}

// unplaced reports whether a committed event has no position yet.
func (l *Log) unplaced(ctx context.Context) (bool, error) {
	var n int
	err := l.db.Get(ctx, &n, `SELECT count(*) FROM (SELECT 1 FROM audit_logs WHERE position = 0 LIMIT 1) AS waiting`)
	return n > 0, err
}

// place gives positions to the events that wait for one, and to new ones, which it stores. Changes do not wait for this:
// their events are stored without a position. The lock on the head is held until the commit, so that positions become
// visible in their order: a reader who sees one has seen, or sees too, all that are lower.
func place(ctx context.Context, tx *sqldb.Tx, fresh []row) error {
	var head int64
	_, err := tx.Exec(ctx, `UPDATE audit_head SET position = position WHERE id = 'head'`)
	if err == nil {
		// A statement of its own, after the lock: PostgreSQL shows it what the last holder of the lock has committed.
		err = tx.Get(ctx, &head, newest)
	}
	if err != nil {
		return err
	}
	var placed []int64
	err = tx.Select(ctx, &placed, `UPDATE audit_logs SET position = $1 + waiting.n FROM
		(SELECT id AS event_id, row_number() OVER (ORDER BY id) AS n FROM audit_logs WHERE position = 0) AS waiting
		WHERE waiting.event_id = audit_logs.id RETURNING position`, head)
	if err != nil {
		return err
	}
	if len(placed) > 0 {
		head = slices.Max(placed)
	}
	for i := range fresh {
		head++
		fresh[i].Position = head
	}
	if err := insertAll(ctx, tx, fresh); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE audit_head SET position = $1 WHERE id = 'head'`, head)
	return err
}

// restoreGap is by how much positions move on when a database was restored. It is more than any server can have given
// away after the backup, and 2 million restores fit into the integers of JSON.
const restoreGap = 1 << 32

// Restored has the positions of a database that was restored from a backup go on far beyond those that were given away
// after the backup, so that no position names two events, and whoever follows the log by position goes on by itself.
func Restored(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE audit_head SET position = $1 + (`+newest+`)`, int64(restoreGap))
	return err
}
