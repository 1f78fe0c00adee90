package member

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// CoversIdentity asks that the actor holds all that an identity of its organization may do, in the organization and in every
// project. Otherwise the error is a Boundary fault that begins with base, or Forbidden for an instance administrator.
func (s *Service) CoversIdentity(ctx context.Context, actor *access.Actor, identityID, base string) error {
	target, err := s.Of(ctx, identityID, actor.OrgID)
	if err != nil {
		return err
	}
	if err := actor.Covers(target.Reach, base); err != nil {
		return err
	}
	if err := s.CoversProjects(ctx, actor, identityID, base); err != nil {
		return err
	}
	return guardAdmin(actor, target)
}

// CoversIdentityNow asks that the actor holds what an identity of its organization may do in the organization now, and
// nothing that it may do in projects: the boundary of acts that only take away. The errors are those of CoversIdentity.
func (s *Service) CoversIdentityNow(ctx context.Context, actor *access.Actor, identityID, base string) error {
	target, err := s.OfNow(ctx, identityID, actor.OrgID)
	if err != nil {
		return err
	}
	if err := CoversNow(actor, target, base); err != nil {
		return err
	}
	return guardAdmin(actor, target)
}

// GuardAdmin refuses with Forbidden if an identity is an instance administrator and the actor is not.
func (s *Service) GuardAdmin(ctx context.Context, actor *access.Actor, identityID string) error {
	target, err := s.OfNow(ctx, identityID, actor.OrgID)
	if err != nil {
		return err
	}
	return guardAdmin(actor, target)
}

func guardAdmin(actor *access.Actor, target *Grants) error {
	if target.InstanceAdmin && !actor.InstanceAdmin {
		return fault.New(fault.Forbidden, "This identity administers the instance. Only another instance administrator can change it.")
	}
	return nil
}
