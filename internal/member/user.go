package member

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
)

// UserMember is a user in a project. Times are milliseconds UTC.
type UserMember struct {
	ID        string `db:"id"`
	ProjectID string `db:"project_id"`
	CreatedAt int64  `db:"created_at"`
	UpdatedAt int64  `db:"updated_at"`
	User      Person `db:"user"`
	Roles     []Held `db:"-"`
}

// Person is a user as the members of a project see them.
type Person struct {
	ID        string `db:"id"`
	Email     string `db:"email"`
	FirstName string `db:"first_name"`
	LastName  string `db:"last_name"`
}

// AddUsers makes users of the organization members of a project: all of them, or none; naming nobody is no error. It returns
// the memberships, by e-mail address. Errors: those of entering the project, PermissionDenied, NotFound for an unknown role
// and for an address of nobody in the organization, Boundary for roles that allow more than the actor may, BadRequest for a
// user who is a member already.
func (s *Service) AddUsers(ctx context.Context, actor *access.Actor, projectID string, emails []string, roles []AssignmentInput) ([]UserMember, Scope, error) {
	sc, given, err := s.assignableToUsers(ctx, actor, projectID, access.Create, roles, "The users were not added")
	if err != nil {
		return nil, sc, err
	}
	emails = addresses(emails)
	if len(emails) == 0 {
		return nil, sc, nil
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := s.holdProject(ctx, tx, sc); err != nil {
			return err
		}
		for _, email := range emails {
			if err := joinUser(ctx, tx, Draft{OrgID: actor.OrgID, ProjectID: sc.ProjectID, Roles: given}, email); err != nil {
				return err
			}
		}
		return s.recordUsers(ctx, tx, sc, audit.AddWorkspaceMembers, emails, given)
	})
	if err != nil {
		return nil, sc, err
	}
	found, err := s.usersWith(ctx, sc.ProjectID, emails)
	return found, sc, err
}

// assignableToUsers resolves the roles of a request, for an actor who may do an action to users of a project: others do not
// learn which roles exist. It returns the roles as they may be given, see MayAssign.
func (s *Service) assignableToUsers(ctx context.Context, actor *access.Actor, projectID string, action access.Action,
	in []AssignmentInput, base string) (Scope, []Assignment, error) {
	sc, err := s.enterProject(ctx, actor, projectID)
	if err != nil {
		return sc, nil, err
	}
	if err := sc.Check(action, access.SubjectMember, nil); err != nil {
		return sc, nil, err
	}
	roles, err := s.resolve(ctx, sc, in)
	if err != nil {
		return sc, nil, err
	}
	given, err := MayAssign(sc, sc.ProjectID, roles, base, s.db.Now())
	return sc, given, err
}

// joinUser makes the user with an e-mail address the member that d describes.
func joinUser(ctx context.Context, tx *feed.Tx, d Draft, email string) error {
	var err error
	if d.UserID, err = userWith(ctx, tx.Tx, d.OrgID, email); err != nil {
		return err
	}
	_, err = Join(ctx, tx.Tx, d)
	if sqldb.IsUnique(err) {
		return fault.New(fault.BadRequest, "The user %q is a member already. Change their roles with PATCH.", shortened(email))
	}
	Changed(tx, d.UserID, d.ProjectID)
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

// SetUserRoles gives a user roles in place of those they have. membershipID is the membership's. Errors: those of entering
// the project, PermissionDenied, NotFound, Boundary for what the user may do now and for the new roles.
func (s *Service) SetUserRoles(ctx context.Context, actor *access.Actor, projectID, membershipID string, roles []AssignmentInput) (*UserMember, error) {
	const base = "The roles were not changed"
	sc, given, err := s.assignableToUsers(ctx, actor, projectID, access.Edit, roles, base)
	if err != nil {
		return nil, err
	}
	m, err := s.userMember(ctx, sc.ProjectID, byMembership, membershipID)
	if err != nil {
		return nil, err
	}
	if err := s.coversUser(ctx, sc, m, base); err != nil {
		return nil, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		err := SetRoles(ctx, tx, actor.OrgID, sc.ProjectID, m.User.ID, given)
		if errors.Is(err, sqldb.ErrNoRows) {
			return noUserMember(membershipID)
		}
		if err != nil {
			return err
		}
		return s.recordUsers(ctx, tx, sc, audit.UpdateUserWorkspaceRole, []string{m.User.Email}, given)
	})
	if err != nil {
		return nil, err
	}
	return s.userMember(ctx, sc.ProjectID, byMembership, membershipID)
}

func (s *Service) coversUser(ctx context.Context, sc Scope, m *UserMember, base string) error {
	target, err := s.InProject(ctx, access.ActorUser, m.User.ID, sc.ProjectID)
	if err != nil {
		return err
	}
	return sc.Covers(target.Reach, base)
}

// RemoveUsers ends the memberships of users, all of them or none: when it returns no replica lets them in. It asks for the
// permission alone, as Remove does in a project. Errors: those of entering the project, PermissionDenied, Validation where
// nobody is named, NotFound where one is not a member, BadRequest for the actor itself.
func (s *Service) RemoveUsers(ctx context.Context, actor *access.Actor, projectID string, emails []string) ([]UserMember, Scope, error) {
	sc, err := s.enterMembers(ctx, actor, projectID, access.Delete)
	if err != nil {
		return nil, sc, err
	}
	if emails = addresses(emails); len(emails) == 0 {
		return nil, sc, fault.Invalid("too_small", "The request names no users, so nobody was removed. Send the users to remove from the project.", "usernames")
	}
	members, err := s.usersWith(ctx, sc.ProjectID, emails)
	if err != nil {
		return nil, sc, err
	}
	for _, email := range emails {
		if !slices.ContainsFunc(members, func(m UserMember) bool { return m.User.Email == email }) {
			return nil, sc, noUserMember(email)
		}
	}
	return members, sc, s.removeUsers(ctx, sc, members)
}

// RemoveUser is RemoveUsers for one membership by its id.
func (s *Service) RemoveUser(ctx context.Context, actor *access.Actor, projectID, membershipID string) (*UserMember, Scope, error) {
	sc, err := s.enterMembers(ctx, actor, projectID, access.Delete)
	if err != nil {
		return nil, sc, err
	}
	m, err := s.userMember(ctx, sc.ProjectID, byMembership, membershipID)
	if err != nil {
		return nil, sc, err
	}
	return m, sc, s.removeUsers(ctx, sc, []UserMember{*m})
}

// enterMembers lets an actor into a project to do an action to its users.
func (s *Service) enterMembers(ctx context.Context, actor *access.Actor, projectID string, action access.Action) (Scope, error) {
	sc, err := s.enterProject(ctx, actor, projectID)
	if err != nil {
		return sc, err
	}
	return sc, sc.Check(action, access.SubjectMember, nil)
}

func (s *Service) removeUsers(ctx context.Context, sc Scope, members []UserMember) error {
	emails := make([]string, len(members))
	for i := range members {
		m := &members[i]
		if m.User.ID == sc.Actor.ID {
			return errSelfInProject
		}
		emails[i] = m.User.Email
	}
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		for _, m := range members {
			err := leaveProject(ctx, tx, sc.ProjectID, m.User.ID)
			if errors.Is(err, sqldb.ErrNoRows) {
				return noUserMember(m.User.Email)
			}
			if err != nil {
				return err
			}
		}
		return s.recordUsers(ctx, tx, sc, audit.RemoveWorkspaceMember, emails, nil)
	})
}

func (s *Service) recordUsers(ctx context.Context, tx *feed.Tx, sc Scope, event audit.Type, emails []string, roles []Assignment) error {
	return s.record(ctx, tx, sc, event, facts{"emails": emails, "roles": slugsOf(roles)})
}

// ReadUser returns the membership of a user by its id. Errors: those of entering the project, PermissionDenied, NotFound.
func (s *Service) ReadUser(ctx context.Context, actor *access.Actor, projectID, membershipID string) (*UserMember, Scope, error) {
	return s.readUser(ctx, actor, projectID, byMembership, membershipID)
}

// ReadUserByID is ReadUser by the user's id.
func (s *Service) ReadUserByID(ctx context.Context, actor *access.Actor, projectID, userID string) (*UserMember, Scope, error) {
	return s.readUser(ctx, actor, projectID, byUser, userID)
}

// ReadUserNamed is ReadUser by the user's e-mail address.
func (s *Service) ReadUserNamed(ctx context.Context, actor *access.Actor, projectID, email string) (*UserMember, Scope, error) {
	return s.readUser(ctx, actor, projectID, byEmail, strings.ToLower(email))
}

func (s *Service) readUser(ctx context.Context, actor *access.Actor, projectID, by, what string) (*UserMember, Scope, error) {
	sc, err := s.enterMembers(ctx, actor, projectID, access.Read)
	if err != nil {
		return nil, sc, err
	}
	m, err := s.userMember(ctx, sc.ProjectID, by, what)
	return m, sc, err
}

// Users returns a page of the users in a project, by e-mail address, and how many there are in all. Errors: those of
// entering the project, PermissionDenied.
func (s *Service) Users(ctx context.Context, actor *access.Actor, projectID string, offset, limit int64) ([]UserMember, int64, Scope, error) {
	sc, err := s.enterMembers(ctx, actor, projectID, access.Read)
	if err != nil {
		return nil, 0, sc, err
	}
	found, total, err := s.userPage(ctx, sc.ProjectID, offset, limit)
	return found, total, sc, err
}
