package project

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/role"
)

// MaxOwned is how many identities one project owns at most.
const MaxOwned = 1000

// CreateOwned makes an identity that lives and dies with the project, and that is a member of no other. Errors: those of
// Enter, PermissionDenied, Boundary for roles that allow more than the actor may, BadRequest for one too many.
func (s *Service) CreateOwned(ctx context.Context, actor *access.Actor, projectID string, c identity.Changes, roles []role.Assignment) (*Member, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		roles, err = s.mayAssign(a, access.Create, "", roles, "The identity was not created")
	}
	if err != nil {
		return nil, err
	}
	c.ProjectID = &projectID
	var d identity.Detail
	err = s.Feed.Change(ctx, func(tx *feed.Tx) error {
		err := alive(ctx, tx, projectID)
		if err == nil {
			err = countOwned(ctx, tx, projectID)
		}
		if err == nil {
			d, err = s.Identities.Insert(ctx, tx, actor, c, role.BuiltIn(role.NoAccess))
		}
		if err == nil {
			_, err = role.Join(ctx, tx.Tx, role.Member{OrgID: actor.OrgID, ProjectID: projectID, IdentityID: d.ID, Roles: roles})
		}
		if err != nil {
			return err
		}
		role.Changed(tx, d.ID, projectID)
		return s.recordOwned(ctx, tx, actor, projectID, audit.CreateIdentity, &d, roles)
	})
	if err != nil {
		return nil, err
	}
	return s.member(ctx, projectID, d.ID)
}

func countOwned(ctx context.Context, tx *feed.Tx, projectID string) error {
	var n int64
	err := tx.Get(ctx, &n, `SELECT count(*) FROM identities WHERE project_id = $1`, projectID)
	if err == nil && n >= MaxOwned {
		err = fault.New(fault.BadRequest, "The project owns %d identities, which is the maximum. Delete one, or add identities of the organization as members.", n)
	}
	return err
}

func (s *Service) recordOwned(ctx context.Context, tx *feed.Tx, actor *access.Actor, projectID string, event audit.Type, d *identity.Detail, roles []role.Assignment) error {
	slugs := make([]string, len(roles))
	for i, r := range roles {
		slugs[i] = r.Role.Slug
	}
	return s.record(ctx, tx, actor, projectID, event, map[string]any{"identityId": d.ID, "name": d.Name, "hasDeleteProtection": d.DeleteProtection,
		"metadata": d.Metadata, "roles": slugs})
}

// owned lets an actor do something to an identity that the project owns.
func (s *Service) owned(ctx context.Context, actor *access.Actor, projectID, identityID string, action access.Action) (*Access, *identity.Identity, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(action, access.SubjectIdentity, whom(identityID))
	}
	if err != nil {
		return nil, nil, err
	}
	i, err := s.Identities.Find(ctx, actor, identityID)
	if fault.Is(err, fault.NotFound) || err == nil && (i.ProjectID == nil || *i.ProjectID != projectID) {
		err = fault.New(fault.NotFound, "The project owns no identity with ID %q. List its identities to see their ids.", brief(identityID))
	}
	return a, i, err
}

// ReadOwned returns an identity that the project owns. Errors: those of Enter, PermissionDenied, NotFound.
func (s *Service) ReadOwned(ctx context.Context, actor *access.Actor, projectID, identityID string) (*Member, error) {
	if _, _, err := s.owned(ctx, actor, projectID, identityID, access.Read); err != nil {
		return nil, err
	}
	return s.member(ctx, projectID, identityID)
}

// Owned returns a page of the identities that the project owns, by name, and how many match in all. Errors: those of
// Enter, PermissionDenied.
func (s *Service) Owned(ctx context.Context, actor *access.Actor, projectID string, q MemberSearch) ([]Member, int64, error) {
	q.owned = true
	members, total, _, err := s.Members(ctx, actor, projectID, q)
	return members, total, err
}

// UpdateOwned changes an identity that the project owns; nil roles stay as they are. Errors: those of Enter,
// PermissionDenied, NotFound, Boundary.
func (s *Service) UpdateOwned(ctx context.Context, actor *access.Actor, projectID, identityID string, c identity.Changes, roles []role.Assignment) (*Member, error) {
	const base = "The identity was not changed"
	a, _, err := s.owned(ctx, actor, projectID, identityID, access.Edit)
	if err == nil && (c.Name != nil || c.Metadata != nil) {
		err = s.Roles.CoversTemplates(ctx, actor, identityID, base)
	}
	if err == nil && roles != nil {
		if roles, err = s.mayAssign(a, access.Edit, identityID, roles, base); err == nil {
			err = s.mayReplaceRoles(ctx, a, identityID, base)
		}
	}
	if err != nil {
		return nil, err
	}
	err = s.Feed.Change(ctx, func(tx *feed.Tx) error {
		d, err := s.Identities.Change(ctx, tx, identityID, c)
		if err == nil && roles != nil {
			err = role.SetRolesIn(ctx, tx, projectID, identityID, roles)
		}
		if err != nil {
			return err
		}
		return s.recordOwned(ctx, tx, actor, projectID, audit.UpdateIdentity, &d, roles)
	})
	if err != nil {
		return nil, err
	}
	return s.member(ctx, projectID, identityID)
}

// DeleteOwned deletes an identity that the project owns and kills every token of it. Errors: those of Enter,
// PermissionDenied, NotFound, Boundary over its rights in the organization, BadRequest while it is protected.
func (s *Service) DeleteOwned(ctx context.Context, actor *access.Actor, projectID, identityID string) (*Member, error) {
	_, i, err := s.owned(ctx, actor, projectID, identityID, access.Delete)
	if err == nil {
		_, err = s.Identities.Take(ctx, actor, identityID, "The identity was not deleted")
	}
	if err != nil {
		return nil, err
	}
	m, err := s.member(ctx, projectID, identityID)
	if err != nil {
		return nil, err
	}
	return m, s.Feed.Change(ctx, func(tx *feed.Tx) error {
		if err := s.Identities.Remove(ctx, tx, i); err != nil {
			return err
		}
		role.Changed(tx, identityID, projectID)
		return s.recordOwned(ctx, tx, actor, projectID, audit.DeleteIdentity, &identity.Detail{Identity: *i}, nil)
	})
}

// killOwned deletes the identities that a project owns, protected ones too, with all their tokens.
func (s *Service) killOwned(ctx context.Context, tx *feed.Tx, projectID string) error {
	if _, err := tx.Exec(ctx, `UPDATE identities SET delete_protection = FALSE WHERE project_id = $1`, projectID); err != nil {
		return err
	}
	var all []identity.Identity
	err := tx.Select(ctx, &all, `SELECT id, org_id, project_id, name, delete_protection, created_at, updated_at FROM identities WHERE project_id = $1`, projectID)
	for i := range all {
		if err == nil {
			err = s.Identities.Remove(ctx, tx, &all[i])
		}
	}
	return err
}
