package project

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/role"
)

// Member is an identity in a project. Times are milliseconds UTC.
type Member struct {
	ID              string  `db:"id"`
	ProjectID       string  `db:"project_id"`
	LastLoginMethod *string `db:"last_login_method"`
	LastLoginAt     *int64  `db:"last_login_at"`
	CreatedAt       int64   `db:"created_at"`
	UpdatedAt       int64   `db:"updated_at"`

	Identity  identity.Identity   `db:"identity"`
	Roles     []role.Held         `db:"-"`
	Methods   []string            `db:"-"` // how the identity may log in
	LockedOut []string            `db:"-"` // those of the methods by which a caller is shut out now
	Metadata  []identity.Metadata `db:"-"`
}

var (
	errNoMember = fault.New(fault.BadRequest, "The identity is not a member of the project. Add it first.")
	errOwned    = fault.New(fault.BadRequest, "The identity belongs to a project, so it cannot be a member of another project.")
)

// AddMember makes an identity of the organization a member with roles. Errors: those of Enter, PermissionDenied, NotFound,
// Boundary for roles that allow more than the actor may, BadRequest for an identity that is a member already, that is
// none of the organization, or that belongs to a project.
func (s *Service) AddMember(ctx context.Context, actor *access.Actor, projectID, identityID string, roles []role.Assignment) (*Member, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		roles, err = s.mayAssign(a, access.Create, identityID, roles, "The membership was not created")
	}
	if err == nil {
		err = s.mayJoin(ctx, actor, identityID)
	}
	if err != nil {
		return nil, err
	}
	err = s.Feed.Change(ctx, func(tx *feed.Tx) error {
		if err := alive(ctx, tx, projectID); err != nil {
			return err
		}
		_, err := role.Join(ctx, tx.Tx, role.Member{OrgID: actor.OrgID, ProjectID: projectID, IdentityID: identityID, Roles: roles})
		if sqldb.IsUnique(err) {
			err = fault.New(fault.BadRequest, "The identity is a member already. Change its roles with PATCH.")
		}
		if err != nil {
			return err
		}
		role.Changed(tx, identityID, projectID)
		return s.recordMember(ctx, tx, actor, projectID, audit.CreateIdentityProjectMembership, identityID, roles)
	})
	if err != nil {
		return nil, err
	}
	return s.member(ctx, projectID, identityID)
}

// mayAssign asks that the actor may do an action to an identity with each of the roles, and holds all that they allow. It
// returns the roles as they may be given, see role.MayAssign.
func (s *Service) mayAssign(a *Access, action access.Action, identityID string, roles []role.Assignment, base string) ([]role.Assignment, error) {
	for _, r := range roles {
		err := a.Check(action, access.SubjectIdentity, append(whom(identityID), access.AssignableRole(r.Role.Slug)))
		if err != nil {
			return nil, err
		}
	}
	return role.MayAssign(a, a.Project.ID, roles, base, s.DB.Now())
}

// whom returns an identity as conditions of rules see it. What is longer than any id is cut off: it is nobody's anyway.
func whom(identityID string) access.Fields {
	return access.Fields{access.IdentityID(identityID[:min(len(identityID), 64)])}
}

// mayJoin asks that an identity is one that can be made a member of projects.
func (s *Service) mayJoin(ctx context.Context, actor *access.Actor, identityID string) error {
	i, err := s.Identities.Find(ctx, actor, identityID)
	if err != nil {
		return err
	}
	if i.ProjectID != nil {
		return errOwned
	}
	member, err := s.Roles.Member(ctx, identityID, actor.OrgID)
	if err == nil && !member {
		err = role.ErrNotMember
	}
	return err
}

// alive refuses a change in a project that is gone, and keeps it from going before the change is done.
func alive(ctx context.Context, tx *feed.Tx, projectID string) error {
	n, err := tx.Exec(ctx, `UPDATE projects SET updated_at = updated_at WHERE id = $1 AND deleted_at IS NULL`, projectID)
	if err == nil && n == 0 {
		err = unknown(projectID)
	}
	return err
}

// SetMemberRoles gives a member roles in place of those it has; one that the project owns too. Errors: those of Enter,
// PermissionDenied, NotFound, Boundary for what it may do now and for the new roles, BadRequest where it is no member.
func (s *Service) SetMemberRoles(ctx context.Context, actor *access.Actor, projectID, identityID string, roles []role.Assignment) (*Member, error) {
	const base = "The roles were not changed"
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		roles, err = s.mayAssign(a, access.Edit, identityID, roles, base)
	}
	if err == nil {
		err = s.guest(ctx, a, identityID, a.Project.ID)
	}
	if err == nil {
		err = s.mayReplaceRoles(ctx, a, identityID, base)
	}
	if err != nil {
		return nil, err
	}
	err = s.Feed.Change(ctx, func(tx *feed.Tx) error {
		err := role.SetRolesIn(ctx, tx, projectID, identityID, roles)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = errNoMember
		}
		if err != nil {
			return err
		}
		return s.recordMember(ctx, tx, actor, projectID, audit.UpdateIdentityProjectMembership, identityID, roles)
	})
	if err != nil {
		return nil, err
	}
	return s.member(ctx, projectID, identityID)
}

// mayReplaceRoles asks that an identity is a member that may do nothing in this project that the actor may not, with the
// roles that it has and without them.
func (s *Service) mayReplaceRoles(ctx context.Context, a *Access, identityID, base string) error {
	if err := s.coversMember(ctx, a, identityID, base); err != nil {
		return err
	}
	return s.Roles.MayReplaceRoles(ctx, a, identityID, a.Project.ID, base)
}

// guest asks that no project owns an identity, but perhaps the one with the id owner.
func (s *Service) guest(ctx context.Context, a *Access, identityID, owner string) error {
	i, err := s.Identities.Find(ctx, a.Actor, identityID)
	if err == nil && i.ProjectID != nil && *i.ProjectID != owner {
		err = errOwned
	}
	return err
}

func (s *Service) coversMember(ctx context.Context, a *Access, identityID, base string) error {
	target, err := s.Roles.InProject(ctx, access.ActorIdentity, identityID, a.Project.ID)
	if err == nil && !target.Member {
		err = errNoMember
	}
	if err == nil {
		err = a.Covers(target.Reach, base)
	}
	return err
}

// RemoveMember ends a membership, with the additional privileges that hang on it: when it returns no replica lets the
// identity in. It asks for the permission alone, whatever the identity holds: nobody can get out of reach. Errors: those of
// Enter, PermissionDenied, NotFound, BadRequest where it is no member, belongs to a project, or is the actor itself.
func (s *Service) RemoveMember(ctx context.Context, actor *access.Actor, projectID, identityID string) (*Member, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Delete, access.SubjectIdentity, whom(identityID))
	}
	if err == nil && actor.ID == identityID {
		err = fault.New(fault.BadRequest, "You cannot remove yourself from the project. Ask an administrator of the project to do it.")
	}
	if err == nil {
		err = s.guest(ctx, a, identityID, "")
	}
	if err != nil {
		return nil, err
	}
	m, err := s.member(ctx, projectID, identityID)
	if fault.Is(err, fault.NotFound) {
		err = errNoMember
	}
	if err != nil {
		return nil, err
	}
	return m, s.Feed.Change(ctx, func(tx *feed.Tx) error {
		err := role.LeaveProject(ctx, tx, projectID, identityID)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = errNoMember
		}
		if err != nil {
			return err
		}
		return s.recordMember(ctx, tx, actor, projectID, audit.DeleteIdentityProjectMembership, identityID, nil)
	})
}

func (s *Service) recordMember(ctx context.Context, tx *feed.Tx, actor *access.Actor, projectID string, event audit.Type, identityID string, roles []role.Assignment) error {
	return s.record(ctx, tx, actor, projectID, event, map[string]any{"identityId": identityID, "roles": slugsOf(roles)})
}

// ReadMember returns the membership of an identity. Errors: those of Enter, PermissionDenied, NotFound.
func (s *Service) ReadMember(ctx context.Context, actor *access.Actor, projectID, identityID string) (*Member, *Project, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Read, access.SubjectIdentity, whom(identityID))
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := s.member(ctx, projectID, identityID)
	return m, a.Project, err
}

// ReadMembership is ReadMember by the membership's id.
func (s *Service) ReadMembership(ctx context.Context, actor *access.Actor, membershipID string) (*Member, *Project, error) {
	var at struct {
		ProjectID  string `db:"project_id"`
		IdentityID string `db:"identity_id"`
	}
	err := s.DB.Get(ctx, &at, `SELECT m.project_id, m.identity_id FROM memberships m JOIN projects p ON p.id = m.project_id
		WHERE m.id = $1 AND p.org_id = $2 AND p.deleted_at IS NULL AND m.identity_id IS NOT NULL`, membershipID, actor.OrgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no membership of an identity with ID %q in the projects of your organization.", brief(membershipID))
	}
	if err != nil {
		return nil, nil, err
	}
	return s.ReadMember(ctx, actor, at.ProjectID, at.IdentityID)
}

// MemberSearch is which members of a project a page of a list has.
type MemberSearch struct {
	Name       string   // part of the name; empty for any
	Roles      []string // slugs, of which a member has one; empty for any
	Descending bool     // by name from the end
	Offset     int64
	Limit      int64
	owned      bool // those that the project owns
}

// Members returns a page of the members of a project, by name, and how many match in all. Errors: those of Enter,
// PermissionDenied.
func (s *Service) Members(ctx context.Context, actor *access.Actor, projectID string, q MemberSearch) ([]Member, int64, *Project, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Read, access.SubjectIdentity, nil)
	}
	if err != nil {
		return nil, 0, nil, err
	}
	members, total, err := s.members(ctx, projectID, q)
	return members, total, a.Project, err
}
