package feed

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/sqldb"
)

func (f *Feed) head(ctx context.Context) (seq int64, err error) {
	return seq, f.db.Get(ctx, &seq, `SELECT seq FROM feed_head WHERE id = 'head'`)
}

// Head returns the sequence number of the newest change that tx can see. A token takes it as its born: read it
// before the credentials are checked, so that a cut-off which that check could not see is above it.
func Head(ctx context.Context, tx *sqldb.Tx) (seq int64, err error) {
	return seq, tx.Get(ctx, &seq, `SELECT seq FROM feed_head WHERE id = 'head'`)
}

// load applies the entries up to head that must still be remembered.
func (f *Feed) load(ctx context.Context, head int64, now time.Time) error {
	return f.each(ctx, `SELECT seq, kind, key, until FROM changes WHERE until >= $1 AND seq <= $2`, now.UnixMilli(), head)
}

// readOn applies what is new in the log, in order. The caller holds f.reading.
func (f *Feed) readOn(ctx context.Context) error {
	return f.each(ctx, `SELECT seq, kind, key, until FROM changes WHERE seq > $1 ORDER BY seq`, f.applied.Load())
}

func (f *Feed) each(ctx context.Context, query string, args ...any) error {
	rows, err := f.db.Query(ctx, query, args...)
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
		if e.Seq > f.applied.Load() {
			f.applied.Store(e.Seq)
		}
	}
	return rows.Err()
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
	err = f.db.Write(ctx, func(tx *sqldb.Tx) error {
		old := tx.Now().Add(-ClockSlack).UnixMilli()
		deleted, err = tx.Exec(ctx, `DELETE FROM changes WHERE seq IN
			(SELECT seq FROM changes WHERE until < $1 AND at < $1 AND seq <= $2 ORDER BY until LIMIT $3)`,
			old, f.Applied(), n)
		return err
	})
	return deleted, err
}
