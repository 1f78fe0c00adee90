package token

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/feed"
)

// The authTokenType claims of what a user holds (docs/reference/identity.md section 8.8): an access token opens routes,
// and a refresh token only gets the next access token.
const (
	UserType    = "accessToken"
	RefreshType = "refreshToken"
)

// accessVersion is in every access token of a user. Sessions die by their id, not by counting versions up.
const accessVersion = 1

// UserClaims is what a token of a user says. Times are seconds since 1970.
type UserClaims struct {
	Type           string `json:"authTokenType"`
	Method         string `json:"authMethod"`
	UserID         string `json:"userId"`
	SessionID      string `json:"tokenVersionId"`
	AccessVersion  int64  `json:"accessVersion,omitempty"`
	RefreshVersion int64  `json:"refreshVersion,omitempty"` // of a refresh token: how many the session has had
	OrgID          string `json:"organizationId,omitempty"` // once one was chosen
	Issuer         string `json:"iss,omitempty"`
	IssuedAt       int64  `json:"iat"`
	ExpiresAt      int64  `json:"exp"`
	Born           int64  `json:"born"` // of the login; all tokens of the session have it
}

func readUser(payload []byte) (*UserClaims, error) {
	u := &UserClaims{}
	if err := json.Unmarshal(payload, u); err != nil {
		return nil, errClaims.Because(err)
	}
	return u, nil
}

// claims returns what the checks of every token look at.
func (u *UserClaims) claims() *Claims {
	return &Claims{ID: u.SessionID, TokenID: u.SessionID, Type: UserType, IdentityID: u.UserID, Method: u.Method, OrgID: u.OrgID,
		Issuer: u.Issuer, IssuedAt: u.IssuedAt, ExpiresAt: u.ExpiresAt, Born: u.Born}
}

// Session is the session of a user, as far as its tokens go. All of them die when the feed tells of a TokenRevoked with
// the ids of session and user, or of a cut-off above Born.
type Session struct {
	ID, UserID  string
	Method      string    // how the user logged in
	OrgID       string    // the organization that was chosen, or ""
	Born        int64     // Birth.Seq of the login
	RefreshedAt time.Time // access tokens count their life from here
	ExpiresAt   time.Time // no token lives longer
}

// The lives of a user's session and of its access tokens, where MaxAge is no shorter
// (docs/reference/identity.md section 8.8).
const (
	sessionLife    = 90 * 24 * time.Hour
	userAccessLife = 10 * 24 * time.Hour
)

// SessionLife is how long a session that begins now may last.
func (s *Service) SessionLife() time.Duration { return min(sessionLife, s.maxAge) }

// UserAccess signs an access token of a session. ErrRevoked: the session, or its organization's tokens, have been cut
// off since the login.
func (s *Service) UserAccess(ctx context.Context, session Session, now time.Time) (jwt string, err error) {
	end := session.RefreshedAt.Add(min(userAccessLife, s.maxAge))
	if end.After(session.ExpiresAt) {
		end = session.ExpiresAt
	}
	c := session.claims(UserType, now, end)
	c.AccessVersion = accessVersion
	return s.signUser(ctx, c, now)
}

// UserRefresh signs the refresh token of a session with a version. Errors: as UserAccess.
func (s *Service) UserRefresh(ctx context.Context, session Session, version int64, now time.Time) (jwt string, err error) {
	c := session.claims(RefreshType, now, session.ExpiresAt)
	c.RefreshVersion = version
	return s.signUser(ctx, c, now)
}

func (x Session) claims(sort string, now, end time.Time) *UserClaims {
	return &UserClaims{Type: sort, Method: x.Method, UserID: x.UserID, SessionID: x.ID, OrgID: x.OrgID, Born: x.Born,
		IssuedAt: now.Unix(), ExpiresAt: end.Unix()}
}

func (s *Service) signUser(ctx context.Context, c *UserClaims, now time.Time) (string, error) {
	if err := s.userAlive(ctx, c, now); err != nil {
		return "", err
	}
	keys, err := s.keyring(ctx)
	if err != nil {
		return "", err
	}
	c.Issuer = s.issuer
	return keys.sign(c, now)
}

// userAlive refuses a token that expired, was revoked, or was cut off.
func (s *Service) userAlive(ctx context.Context, u *UserClaims, now time.Time) error {
	c := u.claims()
	if err := c.complete(); err != nil {
		return err
	}
	return s.alive(ctx, c, now)
}

// ReadRefresh returns what a refresh token says, if it is ours, lives, and was not taken back with its session. Whether
// it is the newest of the session is for the caller to know. Every failure is a DeadToken fault.
func (s *Service) ReadRefresh(ctx context.Context, jwt string) (*UserClaims, error) {
	keys, err := s.keyring(ctx)
	if err != nil {
		return nil, err
	}
	payload, _, err := openJWT(keys, jwt)
	if err != nil {
		return nil, err
	}
	u, err := readUser(payload)
	if err == nil && u.Type != RefreshType {
		err = fault.Dead("type", "This is not a refresh token. Log in again.")
	}
	if err == nil {
		err = s.userAlive(ctx, u, s.db.Now())
	}
	return u, err
}

// SessionDead reports whether a session was revoked, or cut off with others.
func (s *Service) SessionDead(x Session) bool {
	c := x.claims(UserType, x.RefreshedAt, x.ExpiresAt).claims()
	return c.complete() != nil || s.revoked.dead(c)
}

// EndSession kills every token of a session. It is part of the transaction that deletes its row.
func EndSession(tx *feed.Tx, x Session) {
	tx.Append(feed.TokenRevoked, feed.Key(x.ID, x.UserID), x.ExpiresAt)
}

// EndSessions kills every token of every session of a user that was begun before.
func (s *Service) EndSessions(ctx context.Context, tx *feed.Tx, userID string) error {
	until, err := s.ExpiryBound(ctx, tx.Tx)
	if err == nil {
		tx.Append(feed.CutIdentity, userID, until)
	}
	return err
}
