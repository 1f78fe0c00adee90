package feed

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

func (f *Feed) head(ctx context.Context) (seq int64, err error) {
	return seq, f.db.Get(ctx, &seq, `SELECT seq FROM feed_head WHERE id = 'head'`)
}

// Head returns the sequence number of the newest change that tx can see. A token takes it as its born: read it
// before the credentials are checked, so that a cut-off which that check could not see is above it.
func Head(ctx context.Context, tx *sqldb.Tx) (seq int64, err error) {
	return seq, tx.Get(ctx, &seq, `SELECT seq FROM feed_head WHERE id = 'head'`)
}

// load applies the entries that must still be remembered at now. Those that commit meanwhile may be among them: they
// come again when the log is read to its end. Of revocations there may be millions, so while some are applied the next
// are read.
func (f *Feed) load(ctx context.Context, now time.Time) error {
	texts, failed := make(chan string, 1), make(chan error, 1)
	go func() {
		defer close(texts)
		failed <- f.readRevocations(ctx, now.UnixMilli(), texts)
	}()
	var err error
	for text := range texts {
		err = errors.Join(err, f.applyRevocations(text))
	}
	if err := errors.Join(err, <-failed); err != nil {
		return err
	}
	return f.loadOthers(ctx, now.UnixMilli())
}

// revocationPage has the database join as many revocations as it may to one text: handing them over row by row takes
// longer than reading them. They come in the order of seq, page by page; the + keeps SQLite from going by until, where
// they lie scattered.
const revocationPage = `SELECT string_agg(key || ' ' || until, ','), max(seq) FROM
	(SELECT seq, key, until FROM change_log WHERE kind = 'token' AND +until >= $1 AND seq > $2 ORDER BY seq LIMIT 10000) revoked`

func (f *Feed) readRevocations(ctx context.Context, now int64, to chan<- string) error {
	var text *string
	for last := new(int64); ; to <- *text {
		err := f.db.QueryRow(ctx, revocationPage, now, *last).Scan(&text, &last)
		if err != nil || text == nil {
			return err
		}
	}
}

// applyRevocations applies what revocationPage returns. A key of a revocation is two ids, of 36 hex digits and hyphens each, so it
// holds no comma: whoever appends one makes the ids, or has them checked (token's TestKeysOfRevocations).
func (f *Feed) applyRevocations(text string) error {
	for entry := range strings.SplitSeq(text, ",") {
		space := strings.LastIndexByte(entry, ' ')
		until, err := strconv.ParseInt(entry[space+1:], 10, 64)
		if err != nil {
			return err
		}
		f.apply(Entry{Kind: TokenRevoked, Key: entry[:max(space, 0)], Until: until})
	}
	return nil
}

// loadOthers applies what is not the revocation of a single token. It is little, and has an index of its own.
func (f *Feed) loadOthers(ctx context.Context, now int64) error {
	rows, err := f.db.Query(ctx, `SELECT seq, kind, key, until FROM change_log WHERE kind <> 'token' AND until >= $1`, now)
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
// of it has been pruned. The caller holds f.reading. What is applied grows at the end alone, for whole transactions: a
// token takes it as its born, and must not be born between a cut-off and the evictions that came with it.
func (f *Feed) readOn(ctx context.Context) error {
	head, entries, err := f.newEntries(ctx)
	if err != nil {
		return err
	}
	if missing := head - f.applied.Load(); missing < 0 || int64(len(entries)) < missing {
		if missing < 0 {
			f.logger.Error("the database has lost changes that were committed; if it was restored or failed over, run sallyport recover",
				"applied", f.applied.Load(), "head", head)
		}
		return f.reload(ctx, f.reset)
	}
	if len(entries) == 0 {
		return nil
	}
	for _, e := range inOrder(entries) {
		f.apply(e)
	}
	f.advance(head)
	return nil
}

// newEntries returns the head of the log and the entries after what is applied, as of one moment. It fails if this program is
// too old for the schema as of that moment: so whoever decides, and whoever renews a lease, has asked.
func (f *Feed) newEntries(ctx context.Context) (head int64, entries []Entry, err error) {
	rows, err := f.db.Query(ctx, `SELECT h.seq, h.oldest, c.seq, c.kind, c.key, c.until FROM feed_head h LEFT JOIN change_log c ON c.seq > $1
		WHERE h.id = 'head' ORDER BY c.seq`, f.applied.Load())
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq, until *int64
		var kind, key *string
		var oldest int64
		if err := rows.Scan(&head, &oldest, &seq, &kind, &key, &until); err != nil {
			return 0, nil, err
		}
		if err := f.supports(oldest); err != nil {
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
// It fails if this program is too old for the schema: what it wrote before may be what no newer program reads.
func (f *Feed) appendEntries(ctx context.Context, tx *Tx) (seq int64, err error) {
	n := int64(len(tx.entries))
	if n == 0 {
		return 0, nil
	}
	crashpoint.Reach(crashpoint.FeedAppend)
	err = tx.Get(ctx, &seq, `UPDATE feed_head SET seq = seq + $1 WHERE id = 'head' AND oldest <= $2 RETURNING seq`, n, f.db.Schema())
	if errors.Is(err, sqldb.ErrNoRows) {
		return 0, f.refused(ctx, tx)
	}
	if err != nil {
		return 0, err
	}
	at := tx.Now().UnixMilli()
	for i, e := range tx.entries {
		_, err = tx.Exec(ctx, `INSERT INTO change_log (seq, kind, key, until, at) VALUES ($1, $2, $3, $4, $5)`,
			seq-n+int64(i)+1, e.Kind, e.Key, e.Until, at)
		if err != nil {
			return 0, err
		}
	}
	crashpoint.Reach(crashpoint.FeedAppended)
	return seq, nil
}

// refused returns why the log takes no entries from this program.
func (f *Feed) refused(ctx context.Context, tx *Tx) error {
	var oldest int64
	err := tx.Get(ctx, &oldest, `SELECT oldest FROM feed_head WHERE id = 'head'`)
	if err == nil {
		err = f.supports(oldest)
	}
	if err == nil {
		err = errors.New("the log of changes takes no entries")
	}
	return err
}

// Prune deletes up to n entries that nobody needs any more, and returns how many it deleted.
func (f *Feed) Prune(ctx context.Context, n int64) (deleted int64, err error) {
	crashpoint.Reach(crashpoint.FeedPrune)
	err = f.db.Write(ctx, func(tx *sqldb.Tx) error {
		old := tx.Now().Add(-ClockSlack).UnixMilli()
		deleted, err = tx.Exec(ctx, `DELETE FROM change_log WHERE seq IN
			(SELECT seq FROM change_log WHERE until < $1 AND at < $1 AND seq <= $2 ORDER BY until LIMIT $3)`,
			old, f.Applied(), n)
		return err
	})
	crashpoint.Reach(crashpoint.FeedPruned)
	return deleted, err
}
