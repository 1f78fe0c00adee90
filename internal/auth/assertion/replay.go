package assertion

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// spend takes the one login that a token is good for, durably, before the login goes on. Of any number of logins with
// the same token, at once or one after the other, on whatever replica, one gets through. A login that fails after this
// has used its token up.
func (s *Service) spend(ctx context.Context, method, identityID string, c *Claims) error {
	if c.ID == "" {
		return auth.Refuse("missing_claim", "The JWT has no jti claim, and this login method accepts each JWT only once. Configure the issuer to set one.")
	}
	if c.ExpiresAt > s.db.Now().Add(longestOneTime).Unix() {
		return auth.Refuse("lives_too_long", "The JWT expires in more than %d days, and this login method has to remember each JWT until it expires. Configure the issuer to make JWTs that expire sooner.",
			int(longestOneTime.Hours())/24)
	}
	key, err := digest(method, identityID, c.Issuer, c.ID)
	if err != nil {
		return err
	}
	return s.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO assertions (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, key, c.ExpiresAt*1000)
		if err == nil && n == 0 {
			err = auth.Refuse("replayed_assertion", "The JWT was used for a login before, and this login method accepts each JWT only once. Get a new one from its issuer.")
		}
		return err
	})
}

// digest names what the parts say together. JSON keeps the parts apart.
func digest(parts ...string) (string, error) {
	text, err := json.Marshal(parts)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// longestOneTime is how long a token may live that is accepted only once: it is remembered for as long.
const longestOneTime = 30 * 24 * time.Hour

// keptLonger is how long a used token is remembered after it has expired, for replicas whose clocks are behind.
const keptLonger = 10 * time.Minute

// Clean forgets up to n used tokens that have long expired, and returns how many went.
func (s *Service) Clean(ctx context.Context, n int64) (deleted int64, err error) {
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		before := tx.Now().Add(-keptLonger).UnixMilli()
		deleted, err = tx.Exec(ctx, `DELETE FROM assertions WHERE expires_at <= $1 AND id IN
			(SELECT id FROM assertions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, before, n)
		return err
	})
	return deleted, err
}
