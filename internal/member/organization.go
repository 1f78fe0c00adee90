package member

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// ErrNotMember is the BadRequest fault of an identity or a user that is not an active member of its organization.
var ErrNotMember = fault.New(fault.BadRequest, "This identity or user is not an active member of your organization. Add it to the organization first.")

// Member reports whether an identity or a user is an active member of an organization. Whatever depends on membership
// asks here: using, renewing and introspecting a token, logging in, and making credentials.
func (s *Service) Member(ctx context.Context, actorID, orgID string) (bool, error) {
	g, err := s.OfNow(ctx, actorID, orgID)
	return err == nil && g.Member, err
}

// OfNow is Of for those who do not hand anything out. Roles with more rules than can be compiled are an error of Of; here they
// count for nothing, since nobody can use them. Otherwise they would put their holder out of reach.
func (s *Service) OfNow(ctx context.Context, actorID, orgID string) (*Grants, error) {
	g, err := s.Of(ctx, actorID, orgID)
	if g != nil && fault.Is(err, fault.Validation) {
		return g, nil
	}
	return g, err
}

// CoversNow asks that the actor holds what a target's roles in the organization allow it at this moment. It is the boundary
// of acts that only take away. They hand out nothing, so what the target will hold later, and what it holds in projects,
// is not asked: otherwise anyone could get out of reach by making a project.
func CoversNow(actor *access.Actor, target *Grants, base string) error {
	return actor.CoversNow(target.Ability, base)
}
