package member

import (
	"context"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/role"
)

const memberTag = "Project Identities"

// projectRoutes mounts the memberships of identities in projects, under their three names (docs/reference/secrets.md section 4.7).
func (s *Service) projectRoutes(api *httpapi.API) {
	for _, v := range []struct {
		base, suffix string
		old          bool
	}{
		{"/api/v1/projects/{projectId}/memberships/identities", "", false},
		{"/api/v1/projects/{projectId}/identity-memberships", "-alias", true},
		{"/api/v2/workspace/{projectId}/identity-memberships", "-old", true},
	} {
		route := func(method, tail, id, summary string, action access.Action) httpapi.Route {
			return httpapi.Route{Method: method, Path: v.base + tail, ID: id + v.suffix, Tag: memberTag, Summary: summary, Yields: true, Deprecated: v.old,
				Permission: httpapi.Permission{Action: action, Subject: access.SubjectIdentity}}
		}
		list := route(http.MethodGet, "", "list-project-identities", "List the identities of a project", access.Read)
		if v.suffix == "-old" {
			httpapi.Handle(api, list, s.oldMembersRoute)
		} else {
			httpapi.Handle(api, list, s.membersRoute)
		}
		httpapi.Handle(api, route(http.MethodGet, "/{identityId}", "get-project-identity", "Read the membership of an identity in a project", access.Read), s.memberRoute)
		httpapi.Handle(api, route(http.MethodPost, "/{identityId}", "add-project-identity", "Make an identity a member of a project", access.Create), s.addMemberRoute)
		httpapi.Handle(api, route(http.MethodPatch, "/{identityId}", "update-project-identity", "Replace the roles of an identity in a project, also temporarily", access.Edit), s.memberRolesRoute)
		httpapi.Handle(api, route(http.MethodDelete, "/{identityId}", "remove-project-identity", "Remove an identity from a project", access.Delete), s.removeMemberRoute)
	}
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v2/workspace/identity-memberships/{membershipId}", ID: "get-project-identity-membership",
		Tag: memberTag, Summary: "Read the membership of an identity in a project by the id of the membership", Deprecated: true,
		Permission: httpapi.Permission{Action: access.Read, Subject: access.SubjectIdentity}}, s.membershipRoute)
}

type memberInput struct {
	ProjectID  string `path:"projectId"`
	IdentityID string `path:"identityId"`
}

type addMemberInput struct {
	ProjectID  string `path:"projectId"`
	IdentityID string `path:"identityId"`
	Body       struct {
		Role  *httpapi.Text     `json:"role,omitempty" minLength:"1" maxLength:"64" doc:"Slug or id of one role, in place of roles; default no-access"`
		Roles []AssignmentInput `json:"roles,omitempty" maxItems:"50"`
	}
}

func (s *Service) addMemberRoute(ctx context.Context, actor *access.Actor, in *addMemberInput) (*shortMemberOutput, error) {
	roles := in.Body.Roles
	if len(roles) == 0 {
		roles = []AssignmentInput{{Role: or(in.Body.Role, role.NoAccess)}}
	}
	return shortMember(s.Add(ctx, actor, InProject(in.ProjectID), in.IdentityID, roles))
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

func (s *Service) removeMemberRoute(ctx context.Context, actor *access.Actor, in *memberInput) (*shortMemberOutput, error) {
	return shortMember(s.Remove(ctx, actor, InProject(in.ProjectID), in.IdentityID))
}

type shortMemberOutput struct {
	Body struct {
		Membership struct {
			ID         string       `json:"id"`
			ProjectID  string       `json:"projectId"`
			IdentityID string       `json:"identityId"`
			CreatedAt  httpapi.Time `json:"createdAt"`
			UpdatedAt  httpapi.Time `json:"updatedAt"`
			Roles      []Held       `json:"roles"`
		} `json:"identityMembership"`
	}
}

func shortMember(m *Member, err error) (*shortMemberOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &shortMemberOutput{}
	w := &out.Body.Membership
	w.ID, w.ProjectID, w.IdentityID = m.ID, *m.ProjectID, m.Identity.ID
	w.CreatedAt, w.UpdatedAt, w.Roles = httpapi.Time(m.CreatedAt), httpapi.Time(m.UpdatedAt), append([]Held{}, m.Roles...)
	return out, nil
}

type memberRolesInput struct {
	ProjectID  string `path:"projectId"`
	IdentityID string `path:"identityId"`
	Body       struct {
		Roles []AssignmentInput `json:"roles" minItems:"1" maxItems:"50" doc:"Replaces the roles that it has"`
	}
}

type memberRolesOutput struct {
	Body struct {
		Roles []Held `json:"roles"`
	}
}

func (s *Service) memberRolesRoute(ctx context.Context, actor *access.Actor, in *memberRolesInput) (*memberRolesOutput, error) {
	return rolesOf(s.SetRoles(ctx, actor, InProject(in.ProjectID), in.IdentityID, in.Body.Roles))
}

func rolesOf(m *Member, err error) (*memberRolesOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &memberRolesOutput{}
	out.Body.Roles = m.Roles
	return out, nil
}

// wireMember is an identity in a project.
type wireMember struct {
	ID              string        `json:"id"`
	ProjectID       string        `json:"projectId"`
	IdentityID      string        `json:"identityId"`
	CreatedAt       httpapi.Time  `json:"createdAt"`
	UpdatedAt       httpapi.Time  `json:"updatedAt"`
	Roles           []Held        `json:"roles"`
	LastLoginMethod *string       `json:"lastLoginAuthMethod"`
	LastLoginTime   *httpapi.Time `json:"lastLoginTime"`
	Identity        struct {
		ID            string       `json:"id"`
		Name          string       `json:"name"`
		OrgID         string       `json:"orgId"`
		ProjectID     *string      `json:"projectId"`
		HasProtection bool         `json:"hasDeleteProtection"`
		AuthMethod    *string      `json:"authMethod" doc:"The first of authMethods; for older clients"`
		AuthMethods   []string     `json:"authMethods"`
		LockedOut     []string     `json:"activeLockoutAuthMethods"`
		Metadata      []Metadata   `json:"metadata"`
		CreatedAt     httpapi.Time `json:"createdAt"`
		UpdatedAt     httpapi.Time `json:"updatedAt"`
	} `json:"identity"`
	Project struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"project"`
}

func wireOf(m *Member, sc Scope) wireMember {
	w := wireMember{ID: m.ID, ProjectID: *m.ProjectID, IdentityID: m.Identity.ID, CreatedAt: httpapi.Time(m.CreatedAt), UpdatedAt: httpapi.Time(m.UpdatedAt),
		Roles: append([]Held{}, m.Roles...), LastLoginMethod: m.LastLoginMethod, LastLoginTime: (*httpapi.Time)(m.LastLoginAt)}
	i := &w.Identity
	i.ID, i.Name, i.OrgID, i.ProjectID, i.HasProtection = m.Identity.ID, m.Identity.Name, m.Identity.OrgID, m.Identity.ProjectID, m.Identity.DeleteProtection
	i.CreatedAt, i.UpdatedAt = httpapi.Time(m.Identity.CreatedAt), httpapi.Time(m.Identity.UpdatedAt)
	i.AuthMethods, i.LockedOut, i.Metadata = append([]string{}, m.Methods...), append([]string{}, m.LockedOut...), append([]Metadata{}, m.Metadata...)
	if len(m.Methods) > 0 {
		i.AuthMethod = &m.Methods[0]
	}
	w.Project.ID, w.Project.Name, w.Project.Type = sc.ProjectID, sc.Name, sc.Type
	return w
}

type memberOutput struct {
	Body struct {
		Membership wireMember `json:"identityMembership"`
	}
}

func oneMember(m *Member, sc Scope, err error) (*memberOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &memberOutput{}
	out.Body.Membership = wireOf(m, sc)
	return out, nil
}

func (s *Service) memberRoute(ctx context.Context, actor *access.Actor, in *memberInput) (*memberOutput, error) {
	return oneMember(s.Read(ctx, actor, InProject(in.ProjectID), in.IdentityID))
}

type membershipInput struct {
	MembershipID string `path:"membershipId"`
}

func (s *Service) membershipRoute(ctx context.Context, actor *access.Actor, in *membershipInput) (*memberOutput, error) {
	return oneMember(s.ReadByID(ctx, actor, in.MembershipID))
}

type membersInput struct {
	ProjectID string       `path:"projectId"`
	Offset    int64        `query:"offset" minimum:"0" default:"0"`
	Limit     int64        `query:"limit" minimum:"1" maximum:"1000" default:"20"`
	Name      httpapi.Text `query:"identityName" maxLength:"255" doc:"Part of the name"`
	Roles     httpapi.Text `query:"roles" maxLength:"1024" doc:"Slugs of roles, with commas between; members that have one of them"`
}

type oldMembersInput struct {
	ProjectID string       `path:"projectId"`
	Offset    int64        `query:"offset" minimum:"0" default:"0"`
	Limit     int64        `query:"limit" minimum:"1" maximum:"20000" default:"100"`
	OrderBy   string       `query:"orderBy" enum:"name" default:"name"`
	Direction string       `query:"orderDirection" enum:"asc,desc,ASC,DESC" default:"asc"`
	Search    httpapi.Text `query:"search" maxLength:"255" doc:"Part of the name"`
}

type membersOutput struct {
	Body struct {
		Memberships []wireMember `json:"identityMemberships"`
		TotalCount  int64        `json:"totalCount"`
	}
}

func (s *Service) membersRoute(ctx context.Context, actor *access.Actor, in *membersInput) (*membersOutput, error) {
	q := Search{Offset: in.Offset, Limit: in.Limit}
	q.AnyOf = Named(in.Name, in.Roles)
	if len(Slugs(string(in.Roles))) > 50 {
		return nil, fault.Invalid("too_big", "Ask for at most 50 roles at once.", "roles")
	}
	return memberPage(s.Search(ctx, actor, InProject(in.ProjectID), q))
}

func (s *Service) oldMembersRoute(ctx context.Context, actor *access.Actor, in *oldMembersInput) (*membersOutput, error) {
	descending := strings.EqualFold(in.Direction, "desc")
	q := Search{AnyOf: Named(in.Search, ""), Descending: descending, Offset: in.Offset, Limit: in.Limit}
	return memberPage(s.Search(ctx, actor, InProject(in.ProjectID), q))
}

func memberPage(members []Member, total int64, sc Scope, err error) (*membersOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &membersOutput{}
	out.Body.TotalCount, out.Body.Memberships = total, make([]wireMember, len(members))
	for i := range members {
		out.Body.Memberships[i] = wireOf(&members[i], sc)
	}
	return out, nil
}
