package token

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// KeepExpired is how long the row of an expired token can still be listed.
const KeepExpired = 24 * time.Hour

// Clean deletes up to n rows of tokens that expired long enough ago or whose identity is gone. It returns how many rows
// went; call it again while that is n. Once none are left it forgets the revocations of tokens that have expired: that
// walks through all revocations, so it is not done at every step.
func (s *Service) Clean(ctx context.Context, n int64) (deleted int64, err error) {
	now := s.db.Now()
	crashpoint.Reach(crashpoint.Clean)
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		deleted, err = deleteRows(ctx, tx, now.Add(-KeepExpired).UnixMilli(), n)
		if err == nil && deleted < n {
			_, err = deleteUnlisted(ctx, tx, n)
		}
		return err
	})
	crashpoint.Reach(crashpoint.Cleaned)
	if deleted < n {
		s.revoked.forget(now.Add(-feed.ClockSlack).UnixMilli())
	}
	return deleted, err
}

// counted is what token_counts counts by.
type counted struct {
	IdentityID string `db:"identity_id"`
	Method     string `db:"method"`
}

// deleteRows deletes up to n rows that nobody needs, and counts them off.
func deleteRows(ctx context.Context, tx *sqldb.Tx, before, n int64) (int64, error) {
	var gone, orphans []counted
	err := tx.Select(ctx, &gone, `DELETE FROM access_tokens WHERE id IN
		(SELECT id FROM access_tokens WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2)
		RETURNING identity_id, method`, before, n)
	if left := n - int64(len(gone)); err == nil && left > 0 {
		err = tx.Select(ctx, &orphans, deleteOrphans, left)
	}
	if err != nil {
		return 0, err
	}
	gone = append(gone, orphans...)
	return int64(len(gone)), countOff(ctx, tx, gone)
}

// deleteOrphans finds identities that are gone by their counts, of which there are few. CROSS JOIN has SQLite read
// those first, and not every token.
const deleteOrphans = `DELETE FROM access_tokens WHERE id IN
	(SELECT t.id FROM token_counts c CROSS JOIN access_tokens t WHERE t.identity_id = c.identity_id AND t.method = c.method
	 AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.id = c.identity_id) LIMIT $1)
	RETURNING identity_id, method`

// countOff takes deleted rows off the counts, and drops counts of nothing. The order is fixed, so that replicas that
// clean at the same time wait for each other instead of locking each other out.
func countOff(ctx context.Context, tx *sqldb.Tx, gone []counted) error {
	off := map[counted]int64{}
	for _, c := range gone {
		off[c]++
	}
	inOrder := slices.SortedFunc(maps.Keys(off), func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.IdentityID, b.IdentityID), cmp.Compare(a.Method, b.Method))
	})
	for _, c := range inOrder {
		_, err := tx.Exec(ctx, `UPDATE token_counts SET total = total - $1 WHERE identity_id = $2 AND method = $3`,
			off[c], c.IdentityID, c.Method)
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM token_counts WHERE identity_id = $1 AND method = $2 AND total = 0`, c.IdentityID, c.Method)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
