package token

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// KeepExpired is how long the row of an expired token can still be listed.
const KeepExpired = 24 * time.Hour

// Clean deletes up to n rows of tokens that expired long enough ago, and forgets the revocations of tokens that have
// expired. It returns how many rows went; call it again while that is n.
func (s *Service) Clean(ctx context.Context, n int64) (deleted int64, err error) {
	now := s.DB.Now()
	s.revoked.forget(now.Add(-feed.ClockSlack).UnixMilli())
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		deleted, err = deleteExpired(ctx, tx, now.Add(-KeepExpired).UnixMilli(), n)
		return err
	})
	return deleted, err
}

func deleteExpired(ctx context.Context, tx *sqldb.Tx, before, n int64) (int64, error) {
	var gone []struct {
		IdentityID string `db:"identity_id"`
		Method     string `db:"method"`
	}
	err := tx.Select(ctx, &gone, `DELETE FROM access_tokens WHERE id IN
		(SELECT id FROM access_tokens WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2)
		RETURNING identity_id, method`, before, n)
	for _, t := range gone {
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE token_counts SET total = total - 1 WHERE identity_id = $1 AND method = $2`,
				t.IdentityID, t.Method)
		}
	}
	return int64(len(gone)), err
}
