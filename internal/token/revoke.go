package token

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
)

// Revoke kills the token of a row for good, on behalf of actor, who was allowed to. Row, revocation, log entry and
// audit event are one transaction. It returns when every replica refuses the token; NotFound if it was dead already.
func (s *Service) Revoke(ctx context.Context, actor *access.Actor, row Row) error {
	if s.Dead(row) {
		return s.deadAlready(ctx, ErrNotFound)
	}
	err := s.revokeRow(ctx, actor, row)
	if err == ErrNotFound { //nolint:errorlint // the very value
		return s.deadAlready(ctx, ErrNotFound)
	}
	return err
}

// deadAlready answers, with answer, a caller who revokes a dead token. Whoever killed it may still be waiting for a
// replica that accepts it; the answer must be no less true than theirs.
func (s *Service) deadAlready(ctx context.Context, answer error) error {
	if err := s.feed.Settled(ctx); err != nil {
		return err
	}
	return answer
}

func (s *Service) revokeRow(ctx context.Context, actor *access.Actor, row Row) error {
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		until, err := markRevoked(ctx, tx.Tx, row.ID, tx.Now().UnixMilli())
		if err != nil {
			return err
		}
		tx.Append(feed.TokenRevoked, feed.Key(row.ID, row.IdentityID), time.UnixMilli(until))
		return s.audit.Record(ctx, tx.Tx, actor, revokedEvent(row.OrgID, row.ID, row.IdentityID, row.Method))
	})
}

// RevokeSelf kills the token that jwt belongs to, for whoever holds it. Doing it again changes nothing.
func (s *Service) RevokeSelf(ctx context.Context, jwt string, client access.Client) error {
	c, err := s.readNamed(ctx, jwt)
	if err == nil {
		err = s.alive(ctx, c, s.db.Now())
	}
	if err == ErrRevoked { //nolint:errorlint // the very value
		return s.deadAlready(ctx, nil)
	}
	if err != nil {
		return err
	}
	return s.feed.Change(ctx, func(tx *feed.Tx) error { return s.revokeClaims(ctx, tx, c, client) })
}

func (s *Service) revokeClaims(ctx context.Context, tx *feed.Tx, c *Claims, client access.Client) error {
	if c.hasRow() {
		if _, err := markRevoked(ctx, tx.Tx, c.ID, tx.Now().UnixMilli()); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	until, err := s.lastExpiry(ctx, tx.Tx, c)
	if err != nil {
		return err
	}
	tx.Append(feed.TokenRevoked, feed.Key(c.ID, c.IdentityID), until)
	return s.audit.Record(ctx, tx.Tx, c.actor(client), revokedEvent(c.OrgID, c.ID, c.IdentityID, c.Method))
}

// lastExpiry is the time by which every JWT of a token has expired, also one that was renewed later than this one. Only
// what the claims prove shortens it: a configuration that was lowered since does not shorten the life of JWTs that are out.
func (s *Service) lastExpiry(ctx context.Context, tx *sqldb.Tx, c *Claims) (time.Time, error) {
	longest, err := org.TokenAge(ctx, tx)
	return time.Unix(c.limits().lastEnd(c.CreatedAt, tx.Now().Unix(), longest), 0), err
}

// actor is the identity that holds the token, without any permission.
func (c *Claims) actor(client access.Client) *access.Actor {
	return &access.Actor{Type: access.ActorIdentity, ID: c.IdentityID, Name: c.IdentityName, OrgID: c.OrgID,
		AuthMethod: c.Method, TokenID: c.ID, Client: client}
}

func revokedEvent(orgID, tokenID, identityID, method string) audit.Event {
	return audit.Event{Type: audit.RevokeIdentityAccessToken, OrgID: orgID, Metadata: map[string]any{
		"identityId": identityID, "identityAccessTokenId": tokenID, "authMethod": method,
	}}
}

// CutOff reports whether a token of these sets that was born at b would be dead by now: cut off, or as old as a token can
// become. Code that remembers what a cut-off ends must ask this before each use. secretID may be empty.
func (s *Service) CutOff(b Birth, identityID, orgID, method, secretID string) bool {
	c := &Claims{IdentityID: identityID, OrgID: orgID, Method: method, ClientSecretID: secretID, Born: b.Seq}
	c.cuts = cutScopes(c)
	return s.db.Now().Sub(b.At) >= s.maxAge || s.revoked.dead(c)
}

// Dead reports whether the token of a row can no longer be used: revoked, or cut off with others.
func (s *Service) Dead(row Row) bool { return row.Revoked || s.revoked.dead(row.claims()) }
