package role

import (
	"context"
	"slices"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
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

// MayLift asks that someone holds all that rules of a project deny. Taking a denial away does more than take away: it gives
// what was denied to a member who also holds a role that allows it.
func MayLift(by Authority, projectID string, rules []access.Rule, base string) error {
	_, denied, err := reaches(projectID, rules)
	if err == nil {
		err = by.CoversForever(denied, base)
	}
	return err
}

// Hold keeps an identity or a user in an organization until tx is done: a change that is for members only must not be
// committed behind the end of the membership. ErrNotMember where it is not an active member.
func Hold(ctx context.Context, tx *sqldb.Tx, actorID, orgID string) error {
	n, err := tx.Exec(ctx, `UPDATE memberships SET active = active
		WHERE (identity_id = $1 OR user_id = $1) AND scope = 'organization' AND org_id = $2 AND active`, actorID, orgID)
	if err == nil && n == 0 {
		err = ErrNotMember
	}
	return err
}

// Leave ends the membership of an identity or a user in an organization and everything that it holds by it: its memberships in
// projects, with their roles and additional privileges, and the administration of the instance. Nothing of that comes back
// when it joins again. It returns the ids of the projects; sqldb.ErrNoRows for who is not a member.
func Leave(ctx context.Context, tx *feed.Tx, actorID, orgID string) (projects []string, err error) {
	var scopes []string
	err = tx.Select(ctx, &scopes, `DELETE FROM memberships WHERE (identity_id = $1 OR user_id = $1) AND org_id = $2 RETURNING coalesce(project_id, org_id)`, actorID, orgID)
	if err == nil && !slices.Contains(scopes, orgID) {
		err = sqldb.ErrNoRows
	}
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM instance_admins WHERE identity_id = $1`, actorID)
	}
	for _, scope := range scopes {
		Changed(tx, actorID, scope)
	}
	return slices.DeleteFunc(scopes, func(scope string) bool { return scope == orgID }), err
}
