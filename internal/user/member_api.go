package user

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/member"
)

// memberRoutes mounts the users of an organization (docs/reference/people.md section 4.1).
func (s *Service) memberRoutes(api *httpapi.API) {
	const all = "/api/v2/organizations/{orgId}/memberships"
	const one = all + "/{membershipId}"
	route := func(method, path, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: path, ID: id, Tag: tag, Summary: summary, Permission: httpapi.Permission{Action: action, Subject: access.SubjectMember}}
	}
	httpapi.Handle(api, route(http.MethodGet, all, "list-organization-users", "List the users of an organization", access.Read), s.membersRoute)
	httpapi.Handle(api, route(http.MethodDelete, all, "remove-organization-users", "Remove users from an organization", access.Delete), s.removeMembersRoute)
	httpapi.Handle(api, route(http.MethodGet, one, "get-organization-user", "Read a user's membership in an organization", access.Read), s.memberRoute)
	httpapi.Handle(api, route(http.MethodPatch, one, "update-organization-user", "Change the role of a user in an organization, or make the membership inactive", access.Edit), s.changeMemberRoute)
	httpapi.Handle(api, route(http.MethodDelete, one, "remove-organization-user", "Remove a user from an organization", access.Delete), s.removeMemberRoute)
}

type wireMember struct {
	ID         string       `json:"id"`
	OrgID      string       `json:"orgId"`
	UserID     string       `json:"userId"`
	Role       string       `json:"role" doc:"Slug; \"custom\" for a custom role"`
	RoleID     *string      `json:"roleId" doc:"ID of a custom role"`
	CustomSlug *string      `json:"customRoleSlug"`
	Status     string       `json:"status" enum:"invited,accepted"`
	Active     bool         `json:"isActive"`
	CreatedAt  httpapi.Time `json:"createdAt"`
	UpdatedAt  httpapi.Time `json:"updatedAt"`
	User       wirePerson   `json:"user"`
}

// wirePerson is a user as the members of an organization see them.
type wirePerson struct {
	ID          string `json:"id"`
	Username    string `json:"username" doc:"The e-mail address"`
	Email       string `json:"email"`
	FirstName   string `json:"firstName"`
	LastName    string `json:"lastName"`
	SuperAdmin  bool   `json:"superAdmin" doc:"Whether the user administers the instance"`
	Deactivated bool   `json:"isDeactivated" doc:"Whether the user is shut out of the instance"`
}

func (m *Member) wire() wireMember {
	w := wireMember{ID: m.ID, OrgID: m.OrgID, UserID: m.User.ID, Role: member.Main(m.Roles), Status: "invited", Active: m.Active,
		CreatedAt: httpapi.Time(m.CreatedAt), UpdatedAt: httpapi.Time(m.UpdatedAt)}
	if m.User.Accepted {
		w.Status = "accepted"
	}
	if len(m.Roles) > 0 {
		w.RoleID, w.CustomSlug = m.Roles[0].CustomID, m.Roles[0].CustomSlug
	}
	w.User = wirePerson{m.User.ID, m.User.Email, m.User.Email, m.User.FirstName, m.User.LastName, m.User.SuperAdmin, m.User.Deactivated()}
	return w
}

type orgInput struct {
	OrgID string `path:"orgId"`
}

type membersOutput struct {
	Body struct {
		Users []wireMember `json:"users"`
	}
}

func (s *Service) membersRoute(ctx context.Context, actor *access.Actor, in *orgInput) (*membersOutput, error) {
	found, err := s.Members(ctx, actor, in.OrgID)
	if err != nil {
		return nil, err
	}
	out := &membersOutput{}
	out.Body.Users = make([]wireMember, len(found))
	for i := range found {
		out.Body.Users[i] = found[i].wire()
	}
	return out, nil
}

type memberInput struct {
	OrgID        string `path:"orgId"`
	MembershipID string `path:"membershipId"`
}

type memberOutput struct {
	Body struct {
		Membership wireMember `json:"membership"`
	}
}

func oneMember(m *Member, err error) (*memberOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &memberOutput{}
	out.Body.Membership = m.wire()
	return out, nil
}

func (s *Service) memberRoute(ctx context.Context, actor *access.Actor, in *memberInput) (*memberOutput, error) {
	return oneMember(s.Member(ctx, actor, in.OrgID, in.MembershipID))
}

type changeMemberInput struct {
	OrgID        string `path:"orgId"`
	MembershipID string `path:"membershipId"`

	Body struct {
		Role   *httpapi.Text `json:"role,omitempty" minLength:"1" maxLength:"64" doc:"Slug or ID of the role, in place of all that the user has"`
		Active *bool         `json:"isActive,omitempty" doc:"false: the user may do nothing in this organization"`
	}
}

func (s *Service) changeMemberRoute(ctx context.Context, actor *access.Actor, in *changeMemberInput) (*memberOutput, error) {
	c := MemberChanges{Active: in.Body.Active}
	if in.Body.Role != nil {
		slug := in.Body.Role.Trimmed()
		c.Role = &slug
	}
	return oneMember(s.ChangeMember(ctx, actor, in.OrgID, in.MembershipID, c))
}

func (s *Service) removeMemberRoute(ctx context.Context, actor *access.Actor, in *memberInput) (*memberOutput, error) {
	removed, err := s.RemoveMembers(ctx, actor, in.OrgID, []string{in.MembershipID})
	if err != nil {
		return nil, err
	}
	return oneMember(&removed[0], nil)
}

type removeMembersInput struct {
	OrgID string `path:"orgId"`
	Body  struct {
		MembershipIDs []httpapi.Text `json:"membershipIds" minItems:"1" maxItems:"100" maxLength:"64"`
	}
}

type removeMembersOutput struct {
	Body struct {
		Memberships []wireMember `json:"memberships"`
	}
}

func (s *Service) removeMembersRoute(ctx context.Context, actor *access.Actor, in *removeMembersInput) (*removeMembersOutput, error) {
	ids := make([]string, len(in.Body.MembershipIDs))
	for i, m := range in.Body.MembershipIDs {
		ids[i] = m.Trimmed()
	}
	removed, err := s.RemoveMembers(ctx, actor, in.OrgID, ids)
	if err != nil {
		return nil, err
	}
	out := &removeMembersOutput{}
	out.Body.Memberships = make([]wireMember, len(removed))
	for i := range removed {
		out.Body.Memberships[i] = removed[i].wire()
	}
	return out, nil
}
