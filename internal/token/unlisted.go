package token

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/org"
)

// countUnlisted counts one more revocation of a token that has no row against an actor, in the transaction of the revocation.
// Each is remembered by all replicas for the longest life of a token, and its id may be made up: so they are bounded. Errors:
// RateLimited.
func (s *Service) countUnlisted(ctx context.Context, tx *sqldb.Tx, actorID string) error {
	longest, err := org.TokenAge(ctx, tx)
	if err != nil {
		return err
	}
	var count struct {
		Total int64 `db:"total"`
		Since int64 `db:"since"`
	}
	now := tx.Now().UnixMilli()
	err = tx.Get(ctx, &count, `INSERT INTO unlisted_revocations (actor_id, total, since) VALUES ($1, 1, $2)
		ON CONFLICT (actor_id) DO UPDATE SET
		total = CASE WHEN unlisted_revocations.since < $3 THEN 1 ELSE unlisted_revocations.total + 1 END,
		since = CASE WHEN unlisted_revocations.since < $3 THEN $2 ELSE unlisted_revocations.since END
		RETURNING total, since`, actorID, now, now-longest*1000)
	if err == nil && count.Total > s.unlisted {
		err = tooManyUnlisted(s.unlisted, time.Duration(count.Since+longest*1000-now)*time.Millisecond)
	}
	return err
}

func tooManyUnlisted(most int64, wait time.Duration) error {
	f := fault.New(fault.RateLimited, "The token was not revoked: you have revoked %d tokens by IDs that the server has no record of, "+
		"which is the maximum for one caller. Revoke all tokens of the identity with POST /api/v1/identities/{identityId}/revoke-tokens, "+
		"or send the token itself to POST /api/v1/auth/token/revoke.", most)
	f.RetryAfter = wait
	return f
}

// deleteUnlisted deletes up to n counts that have come to their end, and returns how many.
func deleteUnlisted(ctx context.Context, tx *sqldb.Tx, n int64) (int64, error) {
	longest, err := org.TokenAge(ctx, tx)
	if err != nil {
		return 0, err
	}
	return tx.Exec(ctx, `DELETE FROM unlisted_revocations WHERE actor_id IN
		(SELECT actor_id FROM unlisted_revocations WHERE since < $1 ORDER BY since LIMIT $2)`, tx.Now().UnixMilli()-longest*1000, n)
}
