package feed

import (
	"context"
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

// load applies the entries up to head that must still be remembered at now.
func (f *Feed) load(ctx context.Context, head int64, now time.Time) error {
	rows, err := f.DB.Query(ctx, `SELECT seq, kind, key, until FROM changes WHERE until >= $1 AND seq <= $2`, now.UnixMilli(), head)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.Seq, &e.Kind, &e.Key, &e.Until); err != nil {
			return err
		}
		f.apply(e)
	}
	return rows.Err()
}

// readOn applies what is new in the log, in order, or everything anew if this replica was away for so long that some
// of it has been pruned. The caller holds f.reading.
func (f *Feed) readOn(ctx context.Context) error {
	head, entries, err := f.newEntries(ctx)
	if err != nil {
		return err
	}
	if int64(len(entries)) < head-f.applied.Load() {
		f.reset()
		return f.reload(ctx)
	}
	for _, e := range inOrder(entries) {
		f.apply(e)
		f.applied.Store(e.Seq)
	}
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
