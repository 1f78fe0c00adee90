package user

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
)

// Member is a user in an organization. Times are milliseconds UTC.
type Member struct {
	ID        string        `db:"id"` // of the membership
	OrgID     string        `db:"org_id"`
	Active    bool          `db:"active"`
	CreatedAt int64         `db:"created_at"`
	UpdatedAt int64         `db:"updated_at"`
	User      User          `db:"user"`
	Roles     []member.Held `db:"-"`
}

// inOrg answers for another organization than the actor's as for one that does not exist.
func inOrg(actor *access.Actor, orgID string) error {
	if orgID != actor.OrgID {
		return fault.New(fault.NotFound, "There is no organization with ID %q that your token is for.", orgID)
	}
	return nil
}

func unknownMember(membershipID string) error {
	return fault.New(fault.NotFound, "There is no membership of a user with ID %q in your organization.", membershipID)
}

// Members returns the users of the actor's organization, by e-mail address. Errors: PermissionDenied, NotFound for another organization.
func (s *Service) Members(ctx context.Context, actor *access.Actor, orgID string) ([]Member, error) {
	if err := actor.Check(access.Read, access.SubjectMember, nil); err != nil {
		return nil, err
	}
	if err := inOrg(actor, orgID); err != nil {
		return nil, err
	}
	return s.members(ctx, actor.OrgID, "", s.quota)
}

// Member returns one membership of the actor's organization. Errors: PermissionDenied, NotFound.
func (s *Service) Member(ctx context.Context, actor *access.Actor, orgID, membershipID string) (*Member, error) {
	if err := actor.Check(access.Read, access.SubjectMember, nil); err != nil {
		return nil, err
	}
	if err := inOrg(actor, orgID); err != nil {
		return nil, err
	}
	return s.member(ctx, actor.OrgID, membershipID)
}

// MemberChanges are those fields of a membership that are to change; nil leaves one as it is.
type MemberChanges struct {
	Role   *string
	Active *bool
}

// ChangeMember changes the role of a user in the organization, or shuts them out of it for a while. When it returns nil every
// replica knows. Errors: PermissionDenied, NotFound, Boundary, Forbidden for an instance administrator, BadRequest for the actor
// itself.
func (s *Service) ChangeMember(ctx context.Context, actor *access.Actor, orgID, membershipID string, c MemberChanges) (*Member, error) {
	const base = "The membership was not changed"
	if err := actor.Check(access.Edit, access.SubjectMember, nil); err != nil {
		return nil, err
	}
	if err := inOrg(actor, orgID); err != nil {
		return nil, err
	}
	m, err := s.target(ctx, actor, membershipID, base)
	if err != nil {
		return nil, err
	}
	var roles []member.Assignment
	if c.Role != nil {
		// Other roles may lift what the present ones deny, so the actor must hold all that the user can come to do.
		if err = s.covers(ctx, actor, m, base); err == nil {
			roles, err = s.assignable(ctx, actor, *c.Role, base)
		}
	}
	if c.Active != nil && *c.Active && c.Role == nil && err == nil {
		err = s.coversHeld(ctx, actor, m, base)
	}
	if err != nil {
		return nil, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error { return s.changeMember(ctx, tx, actor, m, c, roles) })
	if err != nil {
		return nil, err
	}
	return s.member(ctx, actor.OrgID, membershipID)
}

func (s *Service) changeMember(ctx context.Context, tx *feed.Tx, actor *access.Actor, m *Member, c MemberChanges, roles []member.Assignment) error {
	facts := map[string]any{"userId": m.User.ID, "email": m.User.Email}
	if roles != nil {
		err := member.SetRoles(ctx, tx, m.OrgID, "", m.User.ID, roles)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = unknownMember(m.ID)
		}
		if err != nil {
			return err
		}
		facts["role"] = roles[0].Role.Slug
	}
	if c.Active != nil {
		if err := member.SetActive(ctx, tx, m.User.ID, m.OrgID, *c.Active); err != nil {
			return err
		}
		facts["isActive"] = *c.Active
	}
	return s.record(ctx, tx.Tx, actor, audit.Event{Type: audit.UpdateUserOrgMembership, Metadata: facts})
}

// RemoveMembers takes users out of the organization, all of them or none, with what they hold in its projects. Their accounts stay.
// When it returns nil none of their sessions is accepted for the organization on any replica. Errors: as ChangeMember.
func (s *Service) RemoveMembers(ctx context.Context, actor *access.Actor, orgID string, membershipIDs []string) (removed []Member, err error) {
	if err := actor.Check(access.Delete, access.SubjectMember, nil); err != nil {
		return nil, err
	}
	if err := inOrg(actor, orgID); err != nil {
		return nil, err
	}
	for _, membershipID := range membershipIDs {
		m, err := s.target(ctx, actor, membershipID, "Nobody was removed")
		if err != nil {
			return nil, err
		}
		removed = append(removed, *m)
	}
	return removed, s.feed.Change(ctx, func(tx *feed.Tx) error {
		for _, m := range removed {
			if err := s.remove(ctx, tx, actor, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) remove(ctx context.Context, tx *feed.Tx, actor *access.Actor, m Member) error {
	projects, err := member.Leave(ctx, tx, m.User.ID, m.OrgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return unknownMember(m.ID)
	}
	if err != nil {
		return err
	}
	until, err := s.tokens.ExpiryBound(ctx, tx.Tx)
	if err != nil {
		return err
	}
	tx.Append(feed.CutMembership, feed.Key(m.User.ID, m.OrgID), until)
	return s.record(ctx, tx.Tx, actor, audit.Event{Type: audit.DeleteUserOrgMembership,
		Metadata: map[string]any{"userId": m.User.ID, "email": m.User.Email, "projectIds": projects}})
}

// target finds a membership for a change that only takes away: it asks for the boundary over what the user may do now.
func (s *Service) target(ctx context.Context, actor *access.Actor, membershipID, base string) (*Member, error) {
	m, err := s.member(ctx, actor.OrgID, membershipID)
	if err != nil {
		return nil, err
	}
	if m.User.ID == actor.ID {
		return nil, fault.New(fault.BadRequest, "%s. You cannot change your own membership. Ask another administrator to do it.", base)
	}
	now, err := s.memberships.OfNow(ctx, m.User.ID, m.OrgID)
	if err != nil {
		return nil, err
	}
	if m.User.SuperAdmin && !actor.InstanceAdmin {
		return nil, fault.New(fault.Forbidden, "%s. This user administers the instance, and only another instance administrator may do this.", base)
	}
	return m, member.CoversNow(actor, now, base)
}

// covers asks that the actor holds all that a member's roles allow, now and later.
func (s *Service) covers(ctx context.Context, actor *access.Actor, m *Member, base string) error {
	grants, err := s.memberships.Of(ctx, m.User.ID, m.OrgID)
	if err == nil {
		err = actor.Covers(grants.Reach, base)
	}
	return err
}

// coversHeld is covers for a member who is not active: those roles are asked that count again then.
func (s *Service) coversHeld(ctx context.Context, actor *access.Actor, m *Member, base string) error {
	for _, h := range m.Roles {
		slug := h.Role
		if h.CustomSlug != nil {
			slug = *h.CustomSlug
		}
		if _, err := s.assignable(ctx, actor, slug, base); err != nil {
			return err
		}
	}
	return nil
}
