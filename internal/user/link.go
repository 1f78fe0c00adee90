package user

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// purpose is what a link is for. A link for one purpose is not good for another.
type purpose string

const (
	invitation    purpose = "invitation"
	passwordReset purpose = "password-reset"
)

// The lives of links.
const (
	invitationLife    = 72 * time.Hour
	passwordResetLife = time.Hour
)

// Link lets one person in once. The server keeps a hash of its code, so it can be shown only when it is made.
type Link struct {
	URL       string
	ExpiresAt int64 // milliseconds UTC
}

func (p purpose) life() time.Duration {
	if p == invitation {
		return invitationLife
	}
	return passwordResetLife
}

// newLink makes a link for a user. An older one for the same purpose is dead then.
func (s *Service) newLink(ctx context.Context, tx *sqldb.Tx, userID string, p purpose) (Link, error) {
	code, now := id.Secret(32), tx.Now()
	l := Link{URL: s.baseURL + "/" + string(p) + "?code=" + code, ExpiresAt: now.Add(p.life()).UnixMilli()}
	_, err := tx.Exec(ctx, `INSERT INTO user_links (hash, user_id, purpose, expires_at, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id, purpose) DO UPDATE SET hash = $1, expires_at = $4, created_at = $5`, hashOf(code), userID, string(p), l.ExpiresAt, now.UnixMilli())
	return l, err
}

// hashOf is the form in which a code is kept. A code has 256 random bits, so a slow hash would add nothing, and an index may
// compare hashes: how long that takes tells nothing about a code.
func hashOf(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

var errLink = fault.New(fault.BadRequest, "This link was used before, has expired, or was replaced by a newer one. Ask an administrator for a new link.")

// holder returns the user whose live link for a purpose has a code. errLink where there is none.
func (s *Service) holder(ctx context.Context, p purpose, code string) (userID string, err error) {
	err = s.db.Get(ctx, &userID, `SELECT user_id FROM user_links WHERE hash = $1 AND purpose = $2 AND expires_at > $3`,
		hashOf(code), string(p), s.db.Now().UnixMilli())
	if errors.Is(err, sqldb.ErrNoRows) {
		err = errLink
	}
	return userID, err
}

// useLink takes a link: of two callers at once one gets it. Every other link of the user is dead then too.
func useLink(ctx context.Context, tx *sqldb.Tx, userID string, p purpose, code string) error {
	n, err := tx.Exec(ctx, `DELETE FROM user_links WHERE hash = $1 AND user_id = $2 AND purpose = $3 AND expires_at > $4`,
		hashOf(code), userID, string(p), tx.Now().UnixMilli())
	if err == nil && n == 0 {
		err = errLink
	}
	if err == nil {
		err = dropLinks(ctx, tx, userID)
	}
	return err
}

func dropLinks(ctx context.Context, tx *sqldb.Tx, userID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM user_links WHERE user_id = $1`, userID)
	return err
}

// CleanLinks deletes up to n links that have expired, and returns how many went.
func (s *Service) CleanLinks(ctx context.Context, n int64) (deleted int64, err error) {
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		deleted, err = tx.Exec(ctx, `DELETE FROM user_links WHERE hash IN
			(SELECT hash FROM user_links WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now().UnixMilli(), n)
		return err
	})
	return deleted, err
}
