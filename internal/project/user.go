package project

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// UserMember is a user in a project. Times are milliseconds UTC.
type UserMember struct {
	ID        string      `db:"id"`
	ProjectID string      `db:"project_id"`
	CreatedAt int64       `db:"created_at"`
	UpdatedAt int64       `db:"updated_at"`
	User      Person      `db:"user"`
	Roles     []role.Held `db:"-"`
}

// Person is a user as the members of a project see them.
type Person struct {
	ID        string `db:"id"`
	Email     string `db:"email"`
	FirstName string `db:"first_name"`
	LastName  string `db:"last_name"`
}

// AddUsers makes users of the organization members with roles: all of them, or none; naming nobody is no error. It returns
// the memberships, by e-mail address. Errors: those of Enter, PermissionDenied, NotFound for an address that is no user's
// of the organization, Boundary for roles that allow more than the actor may, BadRequest for a user who is a member already.
func (s *Service) AddUsers(ctx context.Context, actor *access.Actor, projectID string, emails []string, roles []role.Assignment) ([]UserMember, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Create, access.SubjectMember, nil)
	}
	if err == nil {
		roles, err = role.MayAssign(a, projectID, roles, "The users were not added", s.DB.Now())
	}
	if emails = addresses(emails); err != nil || len(emails) == 0 {
		return nil, err
	}
	err = s.Feed.Change(ctx, func(tx *feed.Tx) error {
		err := alive(ctx, tx, projectID)
		for _, email := range emails {
			if err == nil {
				err = joinUser(ctx, tx, role.Member{OrgID: actor.OrgID, ProjectID: projectID, Roles: roles}, email)
			}
		}
		if err != nil {
			return err
		}
		return s.recordUsers(ctx, tx, actor, projectID, audit.AddWorkspaceMembers, emails, roles)
	})
	if err != nil {
		return nil, err
	}
	return s.usersWith(ctx, projectID, emails)
}

// joinUser makes the user with an e-mail address the member that m describes.
func joinUser(ctx context.Context, tx *feed.Tx, m role.Member, email string) error {
	var err error
	if m.UserID, err = userWith(ctx, tx.Tx, m.OrgID, email); err != nil {
		return err
	}
	_, err = role.Join(ctx, tx.Tx, m)
	if sqldb.IsUnique(err) {
		return fault.New(fault.BadRequest, "The user %q is a member already. Change their roles with PATCH.", brief(email))
	}
	role.Changed(tx, m.UserID, m.ProjectID)
	return err
}

// addresses returns e-mail addresses as they are stored, each once.
func addresses(emails []string) []string {
	all := make([]string, len(emails))
	for i, e := range emails {
		all[i] = strings.ToLower(strings.TrimSpace(e))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SetUserRoles gives a user roles in place of those they have. membershipID is the membership's. Errors: those of Enter,
// PermissionDenied, NotFound, Boundary for what the user may do now and for the new roles.
func (s *Service) SetUserRoles(ctx context.Context, actor *access.Actor, projectID, membershipID string, roles []role.Assignment) (*UserMember, error) {
	const base = "The roles were not changed"
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Edit, access.SubjectMember, nil)
	}
	if err == nil {
		roles, err = role.MayAssign(a, projectID, roles, base, s.DB.Now())
	}
	if err != nil {
		return nil, err
	}
	m, err := s.userMember(ctx, projectID, byMembership, membershipID)
	if err == nil {
		err = s.coversUser(ctx, a, m, base)
	}
	if err != nil {
		return nil, err
	}
	err = s.Feed.Change(ctx, func(tx *feed.Tx) error {
		err := role.SetRolesIn(ctx, tx, projectID, m.User.ID, roles)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = noUserMember(membershipID)
		}
		if err != nil {
			return err
		}
		return s.recordUsers(ctx, tx, actor, projectID, audit.UpdateUserWorkspaceRole, []string{m.User.Email}, roles)
	})
	if err != nil {
		return nil, err
	}
	return s.userMember(ctx, projectID, byMembership, membershipID)
}

func (s *Service) coversUser(ctx context.Context, a *Access, m *UserMember, base string) error {
	target, err := s.Roles.InProject(ctx, access.ActorUser, m.User.ID, a.Project.ID)
	if err == nil {
		err = a.Covers(target.Reach, base)
	}
	return err
}

// RemoveUsers ends the memberships of users, all of them or none: when it returns no replica lets them in. It asks for the
// permission alone, as RemoveMember does. Errors: those of Enter, PermissionDenied, Validation where nobody is named, NotFound
// where one is no member, BadRequest for the actor itself.
func (s *Service) RemoveUsers(ctx context.Context, actor *access.Actor, projectID string, emails []string) ([]UserMember, error) {
	a, err := s.mayRemove(ctx, actor, projectID)
	if emails = addresses(emails); err == nil && len(emails) == 0 {
		err = fault.Invalid("too_small", "The request names no users, so nobody was removed. Send the users to remove from the project.", "usernames")
	}
	if err != nil {
		return nil, err
	}
	members, err := s.usersWith(ctx, projectID, emails)
	if err != nil {
		return nil, err
	}
	for _, email := range emails {
		if !slices.ContainsFunc(members, func(m UserMember) bool { return m.User.Email == email }) {
			return nil, noUserMember(email)
		}
	}
	return members, s.removeUsers(ctx, a, members)
}

// RemoveUser is RemoveUsers for one membership by its id.
func (s *Service) RemoveUser(ctx context.Context, actor *access.Actor, projectID, membershipID string) (*UserMember, error) {
	a, err := s.mayRemove(ctx, actor, projectID)
	if err != nil {
		return nil, err
	}
	m, err := s.userMember(ctx, projectID, byMembership, membershipID)
	if err != nil {
		return nil, err
	}
	return m, s.removeUsers(ctx, a, []UserMember{*m})
}

func (s *Service) mayRemove(ctx context.Context, actor *access.Actor, projectID string) (*Access, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err != nil {
		return nil, err
	}
	return a, a.Check(access.Delete, access.SubjectMember, nil)
}

func (s *Service) removeUsers(ctx context.Context, a *Access, members []UserMember) error {
	emails := make([]string, len(members))
	for i := range members {
		m := &members[i]
		if m.User.ID == a.Actor.ID {
			return fault.New(fault.BadRequest, "You cannot remove yourself from the project. Ask an administrator of the project to do it.")
		}
		emails[i] = m.User.Email
	}
	return s.Feed.Change(ctx, func(tx *feed.Tx) error {
		for _, m := range members {
			err := role.LeaveProject(ctx, tx, a.Project.ID, m.User.ID)
			if errors.Is(err, sqldb.ErrNoRows) {
				err = noUserMember(m.User.Email)
			}
			if err != nil {
				return err
			}
		}
		return s.recordUsers(ctx, tx, a.Actor, a.Project.ID, audit.RemoveWorkspaceMember, emails, nil)
	})
}

func (s *Service) recordUsers(ctx context.Context, tx *feed.Tx, actor *access.Actor, projectID string, event audit.Type, emails []string, roles []role.Assignment) error {
	return s.record(ctx, tx, actor, projectID, event, map[string]any{"emails": emails, "roles": slugsOf(roles)})
}

func slugsOf(roles []role.Assignment) []string {
	slugs := make([]string, len(roles))
	for i, a := range roles {
		slugs[i] = a.Role.Slug
	}
	return slugs
}

// ReadUser returns the membership of a user by its id. Errors: those of Enter, PermissionDenied, NotFound.
func (s *Service) ReadUser(ctx context.Context, actor *access.Actor, projectID, membershipID string) (*UserMember, *Project, error) {
	return s.readUser(ctx, actor, projectID, byMembership, membershipID)
}

// ReadUserByID is ReadUser by the user's id.
func (s *Service) ReadUserByID(ctx context.Context, actor *access.Actor, projectID, userID string) (*UserMember, *Project, error) {
	return s.readUser(ctx, actor, projectID, byUser, userID)
}

// ReadUserNamed is ReadUser by the user's e-mail address.
func (s *Service) ReadUserNamed(ctx context.Context, actor *access.Actor, projectID, email string) (*UserMember, *Project, error) {
	return s.readUser(ctx, actor, projectID, byEmail, strings.ToLower(email))
}

func (s *Service) readUser(ctx context.Context, actor *access.Actor, projectID, by, what string) (*UserMember, *Project, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Read, access.SubjectMember, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := s.userMember(ctx, projectID, by, what)
	return m, a.Project, err
}

// Users returns a page of the users in a project, by e-mail address, and how many there are in all. Errors: those of
// Enter, PermissionDenied.
func (s *Service) Users(ctx context.Context, actor *access.Actor, projectID string, offset, limit int64) ([]UserMember, int64, *Project, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Read, access.SubjectMember, nil)
	}
	if err != nil {
		return nil, 0, nil, err
	}
	found, total, err := s.userPage(ctx, projectID, offset, limit)
	return found, total, a.Project, err
}
