package token

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Verify checks an access token for a request from ip and spends one use of it, if its uses are limited. The order is:
// signature, algorithm and type; expiry; revocations and cutoffs; membership; the address; the use. Each failure is a
// DeadToken fault (the address: Forbidden) and spends nothing. Without a use limit it makes no database trip. It takes
// the tokens of users too: see Claims.
func (s *Service) Verify(ctx context.Context, jwt string, ip netip.Addr) (*Claims, error) {
	c, err := s.check(ctx, jwt, ip)
	if err != nil {
		return nil, err
	}
	if c.UsesLimit > 0 {
		return c, s.spend(ctx, c)
	}
	s.count(c, s.db.Now())
	return c, nil
}

// count counts a use of a token without a limit.
func (s *Service) count(c *Claims, now time.Time) {
	if c.hasRow() {
		s.uses.Add(c.id, now)
	}
}

// check is Verify without spending a use.
func (s *Service) check(ctx context.Context, jwt string, ip netip.Addr) (*Claims, error) {
	c, err := s.read(ctx, jwt)
	if err != nil {
		return nil, err
	}
	if err := s.good(ctx, c); err != nil {
		return nil, err
	}
	if c.Type == UserType { // people come from everywhere
		return c, nil
	}
	allowed, err := s.addressAllowed(ctx, c.IdentityID, c.Method, ip)
	if err == nil && !allowed {
		err = errors.Join(errAddress, s.noteAddress(ctx, c))
	}
	return c, err
}

// read returns the claims of a JWT whose signature is good. The signature is computed once for each JWT: what was
// verified is remembered, for as long as the key that signed it is in use.
func (s *Service) read(ctx context.Context, jwt string) (*Claims, error) {
	if len(jwt) > maxJWT {
		return nil, errMalformed
	}
	keys, err := s.keyring(ctx)
	if err != nil {
		return nil, err
	}
	if m := s.verified.find(jwt); m != nil && keys.public[m.claims.kid] != nil {
		return m.claims, nil
	}
	c, err := parse(keys, jwt)
	if err == nil {
		s.verified.keep(jwt, c)
	}
	return c, err
}

// readIdentity is read for the token of an identity; that of a user is of the wrong type.
func (s *Service) readIdentity(ctx context.Context, jwt string) (*Claims, error) {
	c, err := s.read(ctx, jwt)
	if err == nil && c.Type != Type {
		err = errType
	}
	return c, err
}

// good refuses a token that is dead, and one whose holder is not a member of its organization.
func (s *Service) good(ctx context.Context, c *Claims) error {
	if err := s.current(ctx, c, s.db.Now()); err != nil {
		return err
	}
	mark := s.feed.Mark() // before anything is looked at
	if c.memory.foundGood(mark) {
		return nil
	}
	if s.revoked.dead(c) {
		return ErrRevoked
	}
	if c.OrgID != "" {
		member, err := s.member(ctx, c.IdentityID, c.OrgID)
		if err == nil && !member {
			err = NotMember(c)
		}
		if err != nil {
			return err
		}
	}
	c.memory.noteGood(mark)
	return nil
}

// current asks what is asked of every token on every request: that this replica may decide now, and that it has not expired.
func (s *Service) current(ctx context.Context, c *Claims, now time.Time) error {
	if err := s.feed.Current(ctx); err != nil {
		return err
	}
	if now.Unix() >= c.ExpiresAt {
		return errExpired
	}
	return nil
}

// alive refuses a token that expired, was revoked, or was cut off.
func (s *Service) alive(ctx context.Context, c *Claims, now time.Time) error {
	err := s.current(ctx, c, now)
	if err == nil && s.revoked.dead(c) {
		err = ErrRevoked
	}
	return err
}
