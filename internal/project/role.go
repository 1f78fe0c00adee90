package project

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/role"
)

// roleScope lets an actor into a project for what is about its roles. Errors: those of Enter.
func (s *Service) roleScope(ctx context.Context, actor *access.Actor, ref Ref) (role.Scope, error) {
	sc, err := scope(s.enterRef(ctx, actor, ref))
	return sc.Scope, err
}

// CreateRole makes a role of a project. Errors: those of Enter and of role.CreateIn.
func (s *Service) CreateRole(ctx context.Context, actor *access.Actor, ref Ref, c role.Changes) (*role.Role, error) {
	sc, err := s.roleScope(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	return s.roles.CreateIn(ctx, sc, c)
}

// UpdateRole changes a role of a project. Errors: those of Enter and of role.UpdateIn.
func (s *Service) UpdateRole(ctx context.Context, actor *access.Actor, ref Ref, roleID string, c role.Changes) (*role.Role, error) {
	sc, err := s.roleScope(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	return s.roles.UpdateIn(ctx, sc, roleID, c)
}

// DeleteRole deletes a role of a project that no member has. Errors: those of Enter and of role.DeleteIn.
func (s *Service) DeleteRole(ctx context.Context, actor *access.Actor, ref Ref, roleID string) (*role.Role, error) {
	sc, err := s.roleScope(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	return s.roles.DeleteIn(ctx, sc, roleID)
}

// ReadRole returns a role of a project by its slug or its id. Errors: those of Enter and of role.ReadIn.
func (s *Service) ReadRole(ctx context.Context, actor *access.Actor, ref Ref, slugOrID string) (*role.Role, error) {
	sc, err := s.roleScope(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	return s.roles.ReadIn(ctx, sc, slugOrID)
}

// ListRoles returns the roles of a project, the built-in ones first. Errors: those of Enter and of role.ListIn.
func (s *Service) ListRoles(ctx context.Context, actor *access.Actor, ref Ref) ([]role.Role, error) {
	sc, err := s.roleScope(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	return s.roles.ListIn(ctx, sc)
}

// ReadAnyRole returns a custom role of any project of the actor's organization. Errors: NotFound, and those of ReadRole.
func (s *Service) ReadAnyRole(ctx context.Context, actor *access.Actor, roleID string) (*role.Role, error) {
	projectID, err := s.projectOfRole(ctx, actor.OrgID, roleID)
	if err != nil {
		return nil, err
	}
	return s.ReadRole(ctx, actor, Ref{ID: projectID}, roleID)
}

func (s *Service) projectOfRole(ctx context.Context, orgID, roleID string) (projectID string, err error) {
	err = s.db.Get(ctx, &projectID, `SELECT c.project_id FROM custom_roles c JOIN projects p ON p.id = c.project_id
		WHERE c.id = $1 AND p.org_id = $2 AND p.deleted_at IS NULL`, roleID, orgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no role with ID %q in the projects of your organization.", shortened(roleID))
	}
	return projectID, err
}
