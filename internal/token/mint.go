package token

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/quota"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Grant is what a login method hands over once it has checked the credentials. Durations are seconds.
type Grant struct {
	IdentityID, IdentityName, OrgID string
	Method                          string
	ClientSecretID                  string
	Name                            *string // of a token made by hand
	Limits
	UsesLimit    int64
	Born         Birth           // noted before the credentials were checked
	IdentityAuth json.RawMessage // a small JSON object: what the token says of the credentials; or nil
}

// Birth says when a token came to be: after every change up to Seq, at the time At.
type Birth struct {
	Seq int64
	At  time.Time
}

// Birth notes the present. A login does so before it checks anything: a cut-off that its checks cannot see yet is above
// Seq, and is remembered for longer than the token lives, which counts from At, however long the login takes.
func (s *Service) Birth() Birth {
	now := s.db.Now() // first: a freeze between the two may only shorten the token's life
	return Birth{Seq: s.feed.Applied(), At: now}
}

// Issued is a new JWT. ExpiresIn is its true life in seconds; MaxTTL is 0 where renewals can go on without end.
type Issued struct {
	AccessToken string
	ExpiresIn   int64
	MaxTTL      int64
	Row         Row
}

// Mint signs a token. It writes nothing: a token that has a row lives only once Insert is committed.
func (s *Service) Mint(ctx context.Context, g Grant) (*Issued, error) {
	now := g.Born.At
	c := &Claims{
		ID: id.New(), Type: Type, IdentityID: g.IdentityID, IdentityName: g.IdentityName, Method: g.Method, OrgID: g.OrgID,
		ClientSecretID: g.ClientSecretID, TTL: g.TTL, MaxTTL: g.MaxTTL, Period: g.Period, CreatedAt: now.Unix(),
		UsesLimit: g.UsesLimit, Born: g.Born.Seq, IdentityAuth: g.IdentityAuth,
	}
	c.TokenID = c.ID
	issued, err := s.issue(ctx, c, c.limits(), now)
	if err != nil {
		return nil, err
	}
	issued.Row = newRow(c, g.Name, issued.ExpiresIn, now)
	return issued, nil
}

// issue signs claims for as long as the limits allow from now.
func (s *Service) issue(ctx context.Context, c *Claims, limits Limits, now time.Time) (*Issued, error) {
	life := limits.end(c.CreatedAt, now.Unix(), int64(s.maxAge/time.Second)) - now.Unix()
	if life <= 0 {
		return nil, errPastMaxTTL
	}
	keys, err := s.keyring(ctx)
	if err != nil {
		return nil, err
	}
	c.Issuer, c.IssuedAt, c.ExpiresAt = s.issuer, now.Unix(), now.Unix()+life
	jwt, err := keys.sign(c, now)
	return &Issued{AccessToken: jwt, ExpiresIn: life, MaxTTL: limits.maxTTL()}, err
}

func newRow(c *Claims, name *string, life int64, now time.Time) Row {
	ms := now.UnixMilli()
	row := Row{
		ID: c.ID, IdentityID: c.IdentityID, OrgID: c.OrgID, Method: c.Method, Name: name, TTL: life, MaxTTL: c.MaxTTL,
		Period: c.Period, UsesLimit: c.UsesLimit, Born: c.Born, ExpiresAt: c.ExpiresAt * 1000, CreatedAt: ms, UpdatedAt: ms,
	}
	if c.ClientSecretID != "" {
		row.ClientSecretID = &c.ClientSecretID
	}
	return row
}

// Insert writes the row of a minted token, in the transaction that also records who made it. The error is a BadRequest fault where
// the identity has as many tokens as it may.
func (s *Service) Insert(ctx context.Context, tx *sqldb.Tx, row Row) error {
	n, err := insertRow(ctx, tx, row)
	if err != nil {
		return err
	}
	return quota.Quota{Setting: "--quota-tokens", Owner: "The identity has", Things: "stored access tokens of this login method", Most: s.quota}.Room(n - 1)
}
