package token

import (
	"context"
	"net/netip"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/testhook/bug"
)

var errPastMaxTTL = fault.New(fault.Unauthenticated, "The access token has used up its maximum TTL and cannot be renewed. It stays valid until it expires; log in again for a new one.")

// Renew signs a new JWT for the token that jwt belongs to: same id, same born, the life that both its own limits and
// the present configuration of its login method allow. The old JWT stays as it was. It spends no use, but asks for a
// trusted address.
func (s *Service) Renew(ctx context.Context, jwt string, ip netip.Addr) (*Issued, error) {
	// Noted before the check: a revocation that the check cannot see yet is then remembered for longer than the new JWT
	// lives, however long this takes.
	now := s.db.Now()
	old, err := s.readNamed(ctx, jwt)
	if err == nil {
		old, err = s.check(ctx, jwt, ip)
	}
	if err != nil {
		return nil, err
	}
	present, err := s.limits(ctx, old.IdentityID, old.Method)
	if err != nil {
		return nil, err
	}
	c := *old
	if bug.RenewForgetsBorn {
		c.Born = s.presentBorn(ctx)
	}
	issued, err := s.issue(ctx, &c, c.limits().lesser(present), now)
	if err != nil {
		return nil, err
	}
	holder := c.actor(httpapi.Client(ctx))
	if !c.hasRow() { // nothing changes but what the holder has
		return issued, s.audit.Note(ctx, holder, c.renewedEvent())
	}
	return issued, s.db.Write(ctx, func(tx *sqldb.Tx) error {
		if err := renewRow(ctx, tx, &c); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, holder, c.renewedEvent())
	})
}

// presentBorn is the born of a token that is made now. A renewed one must not have it: only a planted bug asks.
func (s *Service) presentBorn(ctx context.Context) (born int64) {
	_ = s.db.Read(ctx, func(tx *sqldb.Tx) (err error) {
		born, err = feed.Head(ctx, tx)
		return err
	})
	return born
}

// readNamed reads a token that came in a body. One of another sort is the caller's mistake, not a dead token.
func (s *Service) readNamed(ctx context.Context, jwt string) (*Claims, error) {
	c, err := s.readIdentity(ctx, jwt)
	if err == errType { //nolint:errorlint // the very value
		err = fault.New(fault.BadRequest, "%s", errType.Message)
	}
	return c, err
}

// renewRow notes the renewal in the token's row. A revoke that got there first wins.
func renewRow(ctx context.Context, tx *sqldb.Tx, c *Claims) error {
	n, err := touchRenewed(ctx, tx, c, tx.Now().UnixMilli())
	if err != nil || n == 1 {
		return err
	}
	return whyNot(ctx, tx, c.ID)
}
