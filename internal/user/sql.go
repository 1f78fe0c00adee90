package user

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
	"github.com/sallyport/sallyport/internal/token"
)

const columns = `u.id, u.email, u.first_name, u.last_name, u.super_admin, u.password_hash <> '' OR coalesce(u.kept_hash, '') <> '' AS accepted, u.deactivated_at, u.created_at, u.updated_at`

func (s *Service) read(ctx context.Context, userID string) (*User, error) {
	if !id.Valid(userID) {
		return nil, unknown(userID)
	}
	u := &User{}
	err := s.db.Get(ctx, u, `SELECT `+columns+` FROM users u WHERE u.id = $1`, userID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = unknown(userID)
	}
	return u, err
}

// account is a user with what a login needs.
type account struct {
	User
	PasswordHash string  `db:"password_hash"`
	OrgID        *string `db:"org_id"` // the organization that the user joined first
}

const accountQuery = `SELECT ` + columns + `, u.password_hash, (SELECT m.org_id FROM memberships m
	WHERE m.user_id = u.id AND m.scope = 'organization' ORDER BY m.created_at, m.id LIMIT 1) AS org_id FROM users u `

// account returns the user with an e-mail address, an empty one if there is none.
func (s *Service) account(ctx context.Context, email string) (*account, error) {
	u := &account{}
	err := s.db.Get(ctx, u, accountQuery+`WHERE u.email = $1`, email)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = nil
	}
	return u, err
}

func accountByID(ctx context.Context, tx *sqldb.Tx, userID string) (*account, error) {
	u := &account{}
	return u, tx.Get(ctx, u, accountQuery+`WHERE u.id = $1`, userID)
}

// Insert makes a user of an instance that is being set up, with the hash of a password.
func Insert(ctx context.Context, tx *sqldb.Tx, u org.User, hash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`, u.ID, u.Email, u.FirstName, u.LastName, hash, u.SuperAdmin, tx.Now().UnixMilli())
	return err
}

const sessionColumns = `id, user_id, org_id, born, refresh_version, refreshed_at, ip, user_agent, last_used_at, expires_at, created_at, updated_at`

func insertSession(ctx context.Context, tx *sqldb.Tx, x Session) error {
	_, err := tx.Exec(ctx, `INSERT INTO user_sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		x.ID, x.UserID, x.OrgID, x.Born, x.RefreshVersion, x.RefreshedAt, x.IP, x.UserAgent, x.LastUsedAt, x.ExpiresAt, x.CreatedAt, x.UpdatedAt)
	return err
}

// sessionOf returns a session of a user; ErrNoRows if it has ended.
func sessionOf(ctx context.Context, tx *sqldb.Tx, userID, sessionID string) (x Session, err error) {
	return x, tx.Get(ctx, &x, `SELECT `+sessionColumns+` FROM user_sessions WHERE id = $1 AND user_id = $2 AND expires_at > $3`,
		sessionID, userID, tx.Now().UnixMilli())
}

const sessionsMax = 1000

func (s *Service) sessionsOf(ctx context.Context, userID string, now time.Time) (rows []Session, err error) {
	return rows, s.db.Select(ctx, &rows, `SELECT `+sessionColumns+` FROM user_sessions WHERE user_id = $1 AND expires_at > $2
		ORDER BY created_at DESC, id DESC LIMIT $3`, userID, now.UnixMilli(), sessionsMax)
}

// chooseOrg notes the organization of the actor's session; ErrNoRows if it has ended.
func chooseOrg(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, orgID string) (x Session, err error) {
	return x, tx.Get(ctx, &x, `UPDATE user_sessions SET org_id = $1, updated_at = $2 WHERE id = $3 AND user_id = $4 RETURNING `+sessionColumns,
		orgID, tx.Now().UnixMilli(), actor.TokenID, actor.ID)
}

// rotate moves a session on to its next refresh token; ErrNoRows if the one that was shown is not its newest.
func rotate(ctx context.Context, tx *sqldb.Tx, c *token.UserClaims) (x Session, err error) {
	return x, tx.Get(ctx, &x, `UPDATE user_sessions SET refresh_version = refresh_version + 1, refreshed_at = $1, last_used_at = $1, updated_at = $1
		WHERE id = $2 AND user_id = $3 AND refresh_version = $4 RETURNING `+sessionColumns,
		tx.Now().UnixMilli(), c.SessionID, c.UserID, c.RefreshVersion)
}

func deleteSession(ctx context.Context, tx *sqldb.Tx, sessionID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM user_sessions WHERE id = $1`, sessionID)
	return err
}

func deleteSessionsOf(ctx context.Context, tx *sqldb.Tx, userID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM user_sessions WHERE user_id = $1`, userID)
	return err
}

// ForgetSessions deletes every session of the instance. It is for when no token of theirs can be good any more.
func (s *Service) ForgetSessions(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM user_sessions`)
		return err
	})
}

// AdminOrg returns an organization of the first user who administers the instance; ErrNoRows if none does.
func (s *Service) AdminOrg(ctx context.Context) (orgID string, err error) {
	return orgID, s.db.Get(ctx, &orgID, `SELECT m.org_id FROM users u JOIN memberships m ON m.user_id = u.id AND m.scope = 'organization'
		WHERE u.super_admin ORDER BY u.created_at, u.id, m.created_at, m.id LIMIT 1`)
}

// Flush writes when sessions were last used. What cannot be written is tried again the next time.
func (s *Service) Flush(ctx context.Context) error {
	return s.uses.Flush(func(part []tally.Count) error {
		crashpoint.Reach(crashpoint.SessionsFlush)
		err := s.db.Write(ctx, func(tx *sqldb.Tx) error { return noteUses(ctx, tx, part) })
		crashpoint.Reach(crashpoint.SessionsFlushed)
		return err
	})
}

func noteUses(ctx context.Context, tx *sqldb.Tx, part []tally.Count) error {
	for _, c := range part {
		_, err := tx.Exec(ctx, `UPDATE user_sessions SET last_used_at = $1 WHERE id = $2 AND last_used_at < $1`, c.Last, c.ID.String())
		if err != nil {
			return err
		}
	}
	return nil
}

// Clean deletes up to n sessions that have expired, and returns how many went.
func (s *Service) Clean(ctx context.Context, n int64) (deleted int64, err error) {
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		deleted, err = tx.Exec(ctx, `DELETE FROM user_sessions WHERE id IN
			(SELECT id FROM user_sessions WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2)`, tx.Now().UnixMilli(), n)
		return err
	})
	return deleted, err
}
