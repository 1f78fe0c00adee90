package project

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// MaxOwned is how many identities one project owns at most.
const MaxOwned = 1000

// CreateOwned makes an identity that lives and dies with the project, and that is a member of no other. Errors: those of
// Enter, PermissionDenied, NotFound for an unknown role, Boundary for roles that allow more than the actor may, BadRequest
// for one too many.
func (s *Service) CreateOwned(ctx context.Context, actor *access.Actor, projectID string, c identity.Changes, roles []member.AssignmentInput) (*member.Member, error) {
	sc, err := s.Scope(ctx, actor, projectID)
	if err != nil {
		return nil, err
	}
	given, err := s.members.Assignable(ctx, sc, access.Create, "", roles, "The identity was not created")
	if err != nil {
		return nil, err
	}
	c.ProjectID = &projectID
	var d identity.Detail
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if d, err = s.insertOwned(ctx, tx, sc, c, given); err != nil {
			return err
		}
		member.Changed(tx, d.ID, projectID)
		return s.recordOwned(ctx, tx, actor, projectID, audit.CreateIdentity, &d, given)
	})
	if err != nil {
		return nil, err
	}
	return s.members.Find(ctx, sc, d.ID)
}

func (s *Service) insertOwned(ctx context.Context, tx *feed.Tx, sc member.Scope, c identity.Changes, roles []member.Assignment) (identity.Detail, error) {
	if err := Hold(ctx, tx, sc.ProjectID); err != nil {
		return identity.Detail{}, err
	}
	if err := countOwned(ctx, tx, sc.ProjectID); err != nil {
		return identity.Detail{}, err
	}
	d, err := s.identities.Insert(ctx, tx, sc.Actor, c, role.BuiltIn(role.NoAccess))
	if err != nil {
		return d, err
	}
	_, err = member.Join(ctx, tx.Tx, member.Draft{OrgID: sc.Actor.OrgID, ProjectID: sc.ProjectID, IdentityID: d.ID, Roles: roles})
	return d, err
}

func countOwned(ctx context.Context, tx *feed.Tx, projectID string) error {
	n, err := identity.CountOwned(ctx, tx, projectID)
	if err == nil && n >= MaxOwned {
		err = fault.New(fault.BadRequest, "The project owns %d identities, which is the maximum. Delete one, or add identities of the organization as members.", n)
	}
	return err
}

func (s *Service) recordOwned(ctx context.Context, tx *feed.Tx, actor *access.Actor, projectID string, event audit.Type, d *identity.Detail, roles []member.Assignment) error {
	slugs := make([]string, len(roles))
	for i, r := range roles {
		slugs[i] = r.Role.Slug
	}
	return s.record(ctx, tx, actor, projectID, event, map[string]any{"identityId": d.ID, "name": d.Name, "hasDeleteProtection": d.DeleteProtection,
		"metadata": d.Metadata, "roles": slugs})
}

// owned lets an actor do something to an identity that the project owns.
func (s *Service) owned(ctx context.Context, actor *access.Actor, projectID, identityID string, action access.Action) (member.Scope, *identity.Identity, error) {
	sc, err := s.Scope(ctx, actor, projectID)
	if err != nil {
		return sc, nil, err
	}
	if err := sc.Check(action, access.SubjectIdentity, whom(identityID)); err != nil {
		return sc, nil, err
	}
	i, err := s.identities.Find(ctx, actor, identityID)
	if fault.Is(err, fault.NotFound) || err == nil && (i.ProjectID == nil || *i.ProjectID != projectID) {
		err = fault.New(fault.NotFound, "The project owns no identity with ID %q. List its identities to see their ids.", shortened(identityID))
	}
	return sc, i, err
}

// whom returns an identity as conditions of rules see it. What is longer than any id is cut off: no identity has it.
func whom(identityID string) access.Fields {
	return access.Fields{access.IdentityID(identityID[:min(len(identityID), 64)])}
}

// ReadOwned returns an identity that the project owns. Errors: those of Enter, PermissionDenied, NotFound.
func (s *Service) ReadOwned(ctx context.Context, actor *access.Actor, projectID, identityID string) (*member.Member, error) {
	sc, _, err := s.owned(ctx, actor, projectID, identityID, access.Read)
	if err != nil {
		return nil, err
	}
	return s.members.Find(ctx, sc, identityID)
}

// Owned returns a page of the identities that the project owns, by name, and how many match in all. Errors: those of
// Enter, PermissionDenied.
func (s *Service) Owned(ctx context.Context, actor *access.Actor, projectID string, q member.Search) ([]member.Member, int64, error) {
	q.OwnedBy = projectID
	found, total, _, err := s.members.Search(ctx, actor, member.InProject(projectID), q)
	return found, total, err
}

// UpdateOwned changes an identity that the project owns; with no roles it keeps those it has. Errors: those of Enter,
// PermissionDenied, NotFound, Boundary.
func (s *Service) UpdateOwned(ctx context.Context, actor *access.Actor, projectID, identityID string, c identity.Changes, roles []member.AssignmentInput) (*member.Member, error) {
	sc, _, err := s.owned(ctx, actor, projectID, identityID, access.Edit)
	if err != nil {
		return nil, err
	}
	given, err := s.mayUpdateOwned(ctx, sc, identityID, c, roles)
	if err != nil {
		return nil, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		d, err := s.identities.Change(ctx, tx, identityID, c)
		if err != nil {
			return err
		}
		if given != nil {
			if err := s.members.Replace(ctx, tx, sc, identityID, given); err != nil {
				return err
			}
		}
		return s.recordOwned(ctx, tx, actor, projectID, audit.UpdateIdentity, &d, given)
	})
	if err != nil {
		return nil, err
	}
	return s.members.Find(ctx, sc, identityID)
}

// mayUpdateOwned asks that an actor may make changes of an identity that the project owns, and returns the roles that it is
// to have; nil for those it has.
func (s *Service) mayUpdateOwned(ctx context.Context, sc member.Scope, identityID string, c identity.Changes, roles []member.AssignmentInput) ([]member.Assignment, error) {
	const base = "The identity was not changed"
	if c.Name != nil || c.Metadata != nil {
		if err := s.members.CoversTemplates(ctx, sc.Actor, identityID, base); err != nil {
			return nil, err
		}
	}
	if len(roles) == 0 {
		return nil, nil
	}
	given, err := s.members.Assignable(ctx, sc, access.Edit, identityID, roles, base)
	if err != nil {
		return nil, err
	}
	return given, s.members.MayReplaceRoles(ctx, sc, identityID, base)
}

// DeleteOwned deletes an identity that the project owns and kills every token of it. Errors: those of Enter,
// PermissionDenied, NotFound, Boundary over its rights in the organization, BadRequest while it is protected.
func (s *Service) DeleteOwned(ctx context.Context, actor *access.Actor, projectID, identityID string) (*member.Member, error) {
	sc, i, err := s.owned(ctx, actor, projectID, identityID, access.Delete)
	if err != nil {
		return nil, err
	}
	if _, err := s.identities.Take(ctx, actor, identityID, "The identity was not deleted"); err != nil {
		return nil, err
	}
	m, err := s.members.Find(ctx, sc, identityID)
	if err != nil {
		return nil, err
	}
	return m, s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := s.identities.Remove(ctx, tx, i); err != nil {
			return err
		}
		member.Changed(tx, identityID, projectID)
		return s.recordOwned(ctx, tx, actor, projectID, audit.DeleteIdentity, &identity.Detail{Identity: *i}, nil)
	})
}
