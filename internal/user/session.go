package user

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/token"
)

// Session is a login of a user, as stored. Times are milliseconds UTC.
type Session struct {
	ID             string  `db:"id"`
	UserID         string  `db:"user_id"`
	OrgID          *string `db:"org_id"` // the organization that was chosen last
	Born           int64   `db:"born"`
	RefreshVersion int64   `db:"refresh_version"` // of the refresh token that is good now
	RefreshedAt    int64   `db:"refreshed_at"`    // when it was made
	IP             string  `db:"ip"`              // of the login
	UserAgent      string  `db:"user_agent"`
	LastUsedAt     int64   `db:"last_used_at"`
	ExpiresAt      int64   `db:"expires_at"`
	CreatedAt      int64   `db:"created_at"`
	UpdatedAt      int64   `db:"updated_at"`
}

// facts is what the session's tokens are made of.
func (x *Session) facts() token.Session {
	f := token.Session{ID: x.ID, UserID: x.UserID, Method: Method, Born: x.Born,
		RefreshedAt: time.UnixMilli(x.RefreshedAt), ExpiresAt: time.UnixMilli(x.ExpiresAt)}
	if x.OrgID != nil {
		f.OrgID = *x.OrgID
	}
	return f
}

// sign makes the tokens of a session as it is now.
func (s *Service) sign(ctx context.Context, x Session) (*Pair, error) {
	facts, now := x.facts(), s.db.Now()
	made := &Pair{OrgID: facts.OrgID}
	var err error
	if made.Access, err = s.tokens.UserAccess(ctx, facts, now); err == nil {
		made.Refresh, err = s.tokens.UserRefresh(ctx, facts, x.RefreshVersion, now)
	}
	return made, err
}

// SelectOrg returns an access token of the actor's session for an organization that the user is a member of. It lives
// no longer than the one in use may. Errors: NotFound for every other organization, DeadToken when the session has ended.
func (s *Service) SelectOrg(ctx context.Context, actor *access.Actor, orgID string) (jwt string, err error) {
	if err := isUser(actor); err != nil {
		return "", err
	}
	grants, err := s.memberships.Of(ctx, actor.ID, orgID)
	if err == nil && !grants.Member {
		err = fault.New(fault.NotFound, "There is no organization with ID %q that you are a member of. GET /api/v1/organization lists yours.", orgID)
	}
	if err != nil {
		return "", err
	}
	o, err := s.orgs.Find(ctx, orgID)
	if err != nil {
		return "", err
	}
	var x Session
	err = s.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		if x, err = chooseOrg(ctx, tx, actor, orgID); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, actor, audit.Event{Type: audit.SelectOrganization, OrgID: orgID,
			Metadata: map[string]any{"organizationId": orgID, "organizationName": o.Name}})
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		err = token.ErrRevoked
	}
	if err != nil {
		return "", err
	}
	return s.tokens.UserAccess(ctx, x.facts(), s.db.Now())
}

// refreshGrace is how long the refresh token before the newest one is still good, for callers that use the same one at
// the same time.
const refreshGrace = 30 * time.Second

var errReused = fault.Dead("reused", "This refresh token was replaced by a newer one, so another client may have used it. The session has been ended; log in again.")

// Refresh returns the next tokens of a session for its newest refresh token. The one before is good for a short time
// longer, and gets the same refresh token as its successor; an older one ends the session. Errors: DeadToken.
func (s *Service) Refresh(ctx context.Context, jwt string, client access.Client) (*Pair, error) {
	claims, err := s.tokens.ReadRefresh(ctx, jwt)
	if err != nil {
		return nil, err
	}
	var x Session
	var reused bool
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if x, reused, err = turn(ctx, tx.Tx, claims); err != nil {
			return err
		}
		u, err := accountByID(ctx, tx.Tx, x.UserID)
		if err != nil {
			return err
		}
		actor := u.actor(client)
		actor.TokenID = x.ID
		if !reused {
			return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: audit.RefreshUserSession, OrgID: x.facts().OrgID,
				Metadata: map[string]any{"userId": x.UserID, "sessionId": x.ID}})
		}
		return s.end(ctx, tx, actor, x, "refresh_token_reused")
	})
	switch {
	case errors.Is(err, sqldb.ErrNoRows):
		return nil, s.endedAlready(ctx, token.ErrRevoked)
	case err != nil:
		return nil, err
	case reused:
		return nil, errReused
	}
	return s.sign(ctx, x)
}

// turn rotates the refresh token of a session, if it is the newest one that is shown. Else it tells whether that is too
// old to be an honest mistake. ErrNoRows: the session has ended.
func turn(ctx context.Context, tx *sqldb.Tx, c *token.UserClaims) (x Session, reused bool, err error) {
	x, err = rotate(ctx, tx, c)
	if !errors.Is(err, sqldb.ErrNoRows) {
		return x, false, err
	}
	x, err = sessionOf(ctx, tx, c.UserID, c.SessionID)
	late := tx.Now().Sub(time.UnixMilli(x.RefreshedAt)) > refreshGrace
	return x, err == nil && (late || c.RefreshVersion != x.RefreshVersion-1), err
}
