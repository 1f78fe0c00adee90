package feed

import (
	"context"
	"database/sql"
	"time"

	"github.com/sallyport/sallyport/internal/sqldb"
)

func (f *Feed) head(ctx context.Context) (seq int64, err error) {
	return seq, f.DB.Get(ctx, &seq, `SELECT seq FROM feed_head WHERE id = 'head'`)
}

// Head returns the sequence number of the newest change that tx can see. A token takes it as its born: read it
// before the credentials are checked, so that a cut-off which that check could not see is above it.
func Head(ctx context.Context, tx *sqldb.Tx) (seq int64, err error) {
	return seq, tx.Get(ctx, &seq, `SELECT seq FROM feed_head WHERE id = 'head'`)
}

// loadStep is how many entries are handed over at once when the state is loaded.
const loadStep = 1000

// load applies the entries that must still be remembered at now. Those that commit meanwhile may be among them: they
// come again when the log is read to its end. There may be millions, so while some are applied the next are read.
func (f *Feed) load(ctx context.Context, now time.Time) error {
	steps, failed := make(chan []Entry, 4), make(chan error, 1)
	go func() {
		defer close(steps)
		failed <- f.readState(ctx, now.UnixMilli(), steps)
	}()
	for step := range steps {
		for _, e := range step {
			f.apply(e)
		}
	}
	return <-failed
}

// readState reads the entries that must still be remembered at now. Nearly all are revocations of single tokens: those
// are read without what is known of them, and without an index, which would only scatter the reading (hence the +). The
// rest has an index of its own.
func (f *Feed) readState(ctx context.Context, now int64, to chan<- []Entry) error {
	err := f.readEntries(ctx, to, func(rows *sql.Rows, e *Entry) error {
		e.Kind = TokenRevoked
		return rows.Scan(&e.Seq, &e.Key, &e.Until)
	}, `SELECT seq, key, until FROM changes WHERE kind = 'token' AND +until >= $1`, now)
	if err != nil {
		return err
	}
	return f.readEntries(ctx, to, func(rows *sql.Rows, e *Entry) error {
		return rows.Scan(&e.Seq, &e.Kind, &e.Key, &e.Until)
	}, `SELECT seq, kind, key, until FROM changes WHERE kind <> 'token' AND until >= $1`, now)
}

// readEntries sends the rows of a query on, in steps.
func (f *Feed) readEntries(ctx context.Context, to chan<- []Entry, scan func(*sql.Rows, *Entry) error, query string, now int64) error {
	rows, err := f.DB.Query(ctx, query, now)
	if err != nil {
		return err
	}
	defer rows.Close()
	step := make([]Entry, 0, loadStep)
	for rows.Next() {
		var e Entry
		if err := scan(rows, &e); err != nil {
			return err
		}
		if step = append(step, e); len(step) == loadStep {
			to <- step
			step = make([]Entry, 0, loadStep)
		}
	}
	to <- step
	return rows.Err()
}

// readOn applies what is new in the log, in order, or everything anew if this replica was away for so long that some
// of it has been pruned. The caller holds f.reading. What is applied grows at the end alone, for whole transactions: a
// token takes it as its born, and must not be born between a cut-off and the evictions that came with it.
func (f *Feed) readOn(ctx context.Context) error {
	head, entries, err := f.newEntries(ctx)
	if err != nil {
		return err
	}
	if missing := head - f.applied.Load(); missing < 0 || int64(len(entries)) < missing {
		if missing < 0 {
			f.Logger.Error("the database has lost changes that were committed; if it was restored or failed over, run sallyport recover",
				"applied", f.applied.Load(), "head", head)
		}
		return f.reload(ctx, f.reset)
	}
	for _, e := range inOrder(entries) {
		f.apply(e)
	}
	f.applied.Store(head)
	return nil
}

// newEntries returns the head of the log and the entries after what is applied, as of one moment.
func (f *Feed) newEntries(ctx context.Context) (head int64, entries []Entry, err error) {
	rows, err := f.DB.Query(ctx, `SELECT h.seq, c.seq, c.kind, c.key, c.until FROM feed_head h LEFT JOIN changes c ON c.seq > $1
		WHERE h.id = 'head' ORDER BY c.seq`, f.applied.Load())
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq, until *int64
		var kind, key *string
		if err := rows.Scan(&head, &seq, &kind, &key, &until); err != nil {
			return 0, nil, err
		}
		if seq != nil {
			entries = append(entries, Entry{*seq, Kind(*kind), *key, *until})
		}
	}
	return head, entries, rows.Err()
}

// appendEntries writes what tx has to say to the log, as its last statements, and returns the last sequence number, or
// 0 where there is nothing. The lock on the head row, held until the commit, makes the order of seq that of commits.
func appendEntries(ctx context.Context, tx *Tx) (seq int64, err error) {
	n := int64(len(tx.entries))
	if n == 0 {
		return 0, nil
	}
	err = tx.Get(ctx, &seq, `UPDATE feed_head SET seq = seq + $1 WHERE id = 'head' RETURNING seq`, n)
	if err != nil {
		return 0, err
	}
	at := tx.Now().UnixMilli()
	for i, e := range tx.entries {
		_, err = tx.Exec(ctx, `INSERT INTO changes (seq, kind, key, until, at) VALUES ($1, $2, $3, $4, $5)`,
			seq-n+int64(i)+1, e.Kind, e.Key, e.Until, at)
		if err != nil {
			return 0, err
		}
	}
	return seq, nil
}

// Prune deletes up to n entries that nobody needs any more, and returns how many it deleted.
func (f *Feed) Prune(ctx context.Context, n int64) (deleted int64, err error) {
	err = f.DB.Write(ctx, func(tx *sqldb.Tx) error {
		old := tx.Now().Add(-ClockSlack).UnixMilli()
		deleted, err = tx.Exec(ctx, `DELETE FROM changes WHERE seq IN
			(SELECT seq FROM changes WHERE until < $1 AND at < $1 AND seq <= $2 ORDER BY until LIMIT $3)`,
			old, f.Applied(), n)
		return err
	})
	return deleted, err
}
