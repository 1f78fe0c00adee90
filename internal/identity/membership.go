package identity

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/sqldb"
)

var errNotMember = fault.New(fault.BadRequest, "The identity is not a member of your organization.")

// Join makes an identity of the actor's organisation a member again. Errors: PermissionDenied, NotFound, Boundary,
// Forbidden, BadRequest where it is a member.
func (s *Service) Join(ctx context.Context, actor *access.Actor, identityID string, roles []role.Assignment) (*member, error) {
	roles, err := s.mayAssign(ctx, actor, identityID, roles, "The membership was not made")
	if err != nil {
		return nil, err
	}
	err = s.Feed.Change(ctx, func(tx *feed.Tx) error {
		var there bool
		err := tx.Get(ctx, &there, `SELECT EXISTS (SELECT 1 FROM memberships WHERE identity_id = $1 AND scope = 'organization' AND org_id = $2)`,
			identityID, actor.OrgID)
		if err == nil && there {
			err = fault.New(fault.BadRequest, "The identity is a member already. Change its roles with PATCH.")
		}
		if err == nil {
			_, err = role.Join(ctx, tx.Tx, role.Member{OrgID: actor.OrgID, IdentityID: identityID, Roles: roles})
		}
		if err != nil {
			return err
		}
		role.Changed(tx, identityID, actor.OrgID)
		return s.recordMembership(ctx, tx.Tx, actor, "create-identity-org-membership", identityID, roles)
	})
	if err != nil {
		return nil, err
	}
	m, err := s.member(ctx, actor.OrgID, identityID)
	return &m, err
}

// SetRoles gives an identity roles in place of those it has. Errors: PermissionDenied, NotFound, Boundary, Forbidden,
// BadRequest where it is no member.
func (s *Service) SetRoles(ctx context.Context, actor *access.Actor, identityID string, roles []role.Assignment) error {
	roles, err := s.mayAssign(ctx, actor, identityID, roles, "The roles were not changed")
	if err != nil {
		return err
	}
	return s.Feed.Change(ctx, func(tx *feed.Tx) error {
		err := role.SetRoles(ctx, tx, identityID, actor.OrgID, roles)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = errNotMember
		}
		if err != nil {
			return err
		}
		return s.recordMembership(ctx, tx.Tx, actor, "update-identity-org-membership", identityID, roles)
	})
}

// Leave takes an identity out of the organisation and kills its tokens there. They stay dead when it joins again.
// Errors: PermissionDenied, NotFound, Boundary, Forbidden, BadRequest where it is no member, or for the actor itself.
func (s *Service) Leave(ctx context.Context, actor *access.Actor, identityID string) (*member, error) {
	if err := actor.Check(access.Delete, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if actor.ID == identityID {
		return nil, fault.New(fault.BadRequest, "You cannot take yourself out of the organization.")
	}
	if _, err := s.Touch(ctx, actor, identityID, "The membership was not ended"); err != nil {
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
		err := role.Leave(ctx, tx, identityID, actor.OrgID)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = errNotMember
		}
		if err != nil {
			return err
		}
		until, err := s.ExpiryBound(ctx, tx.Tx)
		if err != nil {
			return err
		}
		tx.Append(feed.CutMembership, feed.Key(identityID, actor.OrgID), until)
		return s.recordMembership(ctx, tx.Tx, actor, "delete-identity-org-membership", identityID, nil)
	})
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
	if _, err := s.Touch(ctx, actor, identityID, base); err != nil {
		return nil, err
	}
	return role.MayAssign(actor, "", roles, base, s.DB.Now())
}

func (s *Service) recordMembership(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, event, identityID string, roles []role.Assignment) error {
	slugs := make([]string, len(roles))
	for i, a := range roles {
		slugs[i] = a.Role.Slug
	}
	return s.Audit.Record(ctx, tx, actor, audit.Event{Type: event, Metadata: map[string]any{"identityId": identityID, "roles": slugs}})
}
