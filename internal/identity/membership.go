package identity

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

var (
	errNotMember = fault.New(fault.BadRequest, "The identity is not a member of your organization. Add it with POST.")
	errMember    = fault.New(fault.BadRequest, "The identity is a member already. Change its roles with PATCH.")
	errOwned     = fault.New(fault.BadRequest, "The identity belongs to a project, so it is a member of the organization as long as it exists. Delete it, or revoke its tokens.")
)

// Join makes an identity of the actor's organization a member again. Errors: PermissionDenied, NotFound, Boundary,
// Forbidden, BadRequest where it is a member.
func (s *Service) Join(ctx context.Context, actor *access.Actor, identityID string, roles []role.Assignment) (*member, error) {
	roles, err := s.mayAssign(ctx, actor, identityID, roles, "The membership was not created")
	if err != nil {
		return nil, err
	}
	err = s.Feed.Change(ctx, func(tx *feed.Tx) error {
		if err := s.join(ctx, tx, role.Member{OrgID: actor.OrgID, IdentityID: identityID, Roles: roles}); err != nil {
			return err
		}
		return s.recordMembership(ctx, tx.Tx, actor, audit.CreateIdentityOrgMembership, identityID, facts{"roles": slugsOf(roles)})
	})
	if err != nil {
		return nil, err
	}
	m, err := s.member(ctx, actor.OrgID, identityID)
	return &m, err
}

// join makes an identity a member and cuts off every token that it got before. There should be none, but a token that a
// former member got by a mistake must not come to life.
func (s *Service) join(ctx context.Context, tx *feed.Tx, m role.Member) error {
	_, err := role.Join(ctx, tx.Tx, m)
	if sqldb.IsUnique(err) {
		return errMember
	}
	if err == nil {
		err = s.cutMembership(ctx, tx, m.IdentityID, m.OrgID)
	}
	role.Changed(tx, m.IdentityID, m.OrgID)
	return err
}

// cutMembership kills every token that an identity has in an organization.
func (s *Service) cutMembership(ctx context.Context, tx *feed.Tx, identityID, orgID string) error {
	until, err := s.ExpiryBound(ctx, tx.Tx)
	if err == nil {
		tx.Append(feed.CutMembership, feed.Key(identityID, orgID), until)
	}
	return err
}

// SetRoles gives an identity roles in place of those it has. Errors: PermissionDenied, NotFound, Boundary, Forbidden,
// BadRequest where it is no member.
func (s *Service) SetRoles(ctx context.Context, actor *access.Actor, identityID string, roles []role.Assignment) error {
	roles, err := s.mayAssign(ctx, actor, identityID, roles, "The roles were not changed")
	if err != nil {
		return err
	}
	return s.Feed.Change(ctx, func(tx *feed.Tx) error {
		if err := setRoles(ctx, tx, identityID, actor.OrgID, roles); err != nil {
			return err
		}
		return s.recordMembership(ctx, tx.Tx, actor, audit.UpdateIdentityOrgMembership, identityID, facts{"roles": slugsOf(roles)})
	})
}

// Leave takes an identity out of the organization. That ends its tokens, its client secrets, its memberships in projects and
// what it holds there; nothing of it comes back when the identity joins again. Login methods stay attached. Errors:
// PermissionDenied, NotFound, Boundary, Forbidden, BadRequest where it is not a member or belongs to a project, or for the
// actor itself.
func (s *Service) Leave(ctx context.Context, actor *access.Actor, identityID string) (*member, error) {
	if err := actor.Check(access.Delete, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if actor.ID == identityID {
		return nil, fault.New(fault.BadRequest, "You cannot remove yourself from the organization. Ask an administrator to do it.")
	}
	i, err := s.Take(ctx, actor, identityID, "The membership was not ended")
	if err == nil && i.ProjectID != nil {
		err = errOwned
	}
	if err != nil {
		return nil, err
	}
	m, err := s.member(ctx, actor.OrgID, identityID)
	if fault.Is(err, fault.NotFound) {
		err = errNotMember
	}
	if err != nil {
		return nil, err
	}
	return &m, s.Feed.Change(ctx, func(tx *feed.Tx) error {
		projects, err := s.leave(ctx, tx, identityID, actor.OrgID)
		if err != nil {
			return err
		}
		return s.recordMembership(ctx, tx.Tx, actor, audit.DeleteIdentityOrgMembership, identityID, facts{"projectIds": projects})
	})
}

// leave ends a membership with all that hangs on it, and returns the projects of which the identity was a member.
func (s *Service) leave(ctx context.Context, tx *feed.Tx, identityID, orgID string) (projects []string, err error) {
	projects, err = role.Leave(ctx, tx, identityID, orgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = errNotMember
	}
	if err == nil {
		err = s.EndSecrets(ctx, tx, identityID)
	}
	if err == nil {
		err = s.cutMembership(ctx, tx, identityID, orgID)
	}
	return projects, err
}

// assignments resolves the roles of a request, for an actor who may assign roles: others do not learn which there are.
func (s *Service) assignments(ctx context.Context, actor *access.Actor, in []role.AssignmentInput) ([]role.Assignment, error) {
	if err := actor.Check(access.Edit, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	return s.Roles.Assignments(ctx, actor.OrgID, "", in)
}

// mayAssign asks that the actor holds all that the roles allow, and all that the identity may come to do. It returns the
// roles as they may be given, see role.MayAssign.
func (s *Service) mayAssign(ctx context.Context, actor *access.Actor, identityID string, roles []role.Assignment, base string) ([]role.Assignment, error) {
	if err := actor.Check(access.Edit, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	i, err := s.Find(ctx, actor, identityID)
	if err == nil {
		err = s.mayGrant(ctx, actor, i, base)
	}
	if err != nil {
		return nil, err
	}
	return role.MayAssign(actor, "", roles, base, s.DB.Now())
}

// facts is what an audit event says beyond which identity it is about.
type facts map[string]any

func (s *Service) recordMembership(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, event audit.Type, identityID string, more facts) error {
	more["identityId"] = identityID
	return s.Audit.Record(ctx, tx, actor, audit.Event{Type: event, Metadata: more})
}

func slugsOf(roles []role.Assignment) []string {
	slugs := make([]string, len(roles))
	for i, a := range roles {
		slugs[i] = a.Role.Slug
	}
	return slugs
}
