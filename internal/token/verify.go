package token

import (
	"context"
	"crypto/sha256"
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
	if c.hasRow() {
		s.uses.Add(c.id, s.DB.Now())
	}
	return c, nil
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
	allowed, err := s.AddressAllowed(ctx, c.IdentityID, c.Method, ip)
	if err == nil && !allowed {
		err = errors.Join(errAddress, s.noteAddress(ctx, c))
	}
	return c, err
}

// read returns the claims of a JWT whose signature is good. The signature is computed once for each JWT: what was
// verified is remembered by its hash, for as long as the key that signed it is in use.
func (s *Service) read(ctx context.Context, jwt string) (*Claims, error) {
	if len(jwt) > maxJWT {
		return nil, errMalformed
	}
	keys, err := s.keyring(ctx)
	if err != nil {
		return nil, err
	}
	var room [1 << 10]byte // on the stack: most tokens fit, and are then hashed without an allocation
	sum := sha256.Sum256(append(room[:0], jwt...))
	if c, ok := s.verified.GetIfPresent(sum); ok && keys.public[c.kid] != nil {
		return c, nil
	}
	c, err := parse(keys, jwt)
	if err == nil {
		s.verified.Set(sum, c)
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
	if err := s.alive(ctx, c, s.DB.Now()); err != nil || c.OrgID == "" {
		return err
	}
	member, err := s.Member(ctx, c.IdentityID, c.OrgID)
	if err == nil && !member {
		err = NotMember(c)
	}
	return err
}

// alive refuses a token that expired, was revoked, or was cut off.
func (s *Service) alive(ctx context.Context, c *Claims, now time.Time) error {
	if err := s.Feed.Current(ctx); err != nil {
		return err
	}
	if now.Unix() >= c.ExpiresAt {
		return errExpired
	}
	if s.revoked.dead(c) {
		return ErrRevoked
	}
	return nil
}
