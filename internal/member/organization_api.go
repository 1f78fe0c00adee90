package member

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// organizationRoutes mounts the memberships of identities in the caller's organization
// (docs/reference/identity.md section 4.3).
func (s *Service) organizationRoutes(api *httpapi.API) {
	route := func(method, suffix, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/organization/identity-memberships" + suffix, ID: id, Tag: identityTag,
			Summary: summary, Permission: can(action)}
	}
	const one = "/{identityId}"
	httpapi.Handle(api, route(http.MethodGet, "", "list-identity-memberships", "List the memberships of identities", access.Read),
		s.orgMembersRoute)
	httpapi.Handle(api, route(http.MethodGet, one, "get-identity-membership", "Read the membership of an identity", access.Read),
		s.orgMemberRoute)
	httpapi.Handle(api, route(http.MethodPost, one, "create-identity-membership", "Make an identity a member again", access.Edit),
		s.addOrgMemberRoute)
	httpapi.Handle(api, route(http.MethodPatch, one, "update-identity-membership", "Replace the roles of an identity, also temporarily",
		access.Edit), s.orgRolesRoute)
	httpapi.Handle(api, route(http.MethodDelete, one, "delete-identity-membership", "Remove an identity and revoke its tokens",
		access.Delete), s.removeOrgMemberRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v2/organizations/{orgId}/identity-memberships",
		ID: "list-identity-memberships-old", Tag: identityTag, Summary: "List the memberships of identities", Deprecated: true,
		Permission: can(access.Read)}, s.oldOrgMembersRoute)
}

type rolesInput struct {
	IdentityID string `path:"identityId"`
	Body       struct {
		Roles []AssignmentInput `json:"roles" minItems:"1" maxItems:"50"`
	}
}

type shortOutput struct {
	Body struct {
		Membership struct {
			ID         string       `json:"id"`
			OrgID      string       `json:"orgId"`
			IdentityID string       `json:"identityId"`
			CreatedAt  httpapi.Time `json:"createdAt"`
			UpdatedAt  httpapi.Time `json:"updatedAt"`
			Roles      []Held       `json:"roles"`
		} `json:"identityMembership"`
	}
}

func short(m *Member, held []Held) *shortOutput {
	out := &shortOutput{}
	w := &out.Body.Membership
	w.ID, w.OrgID, w.IdentityID = m.ID, m.OrgID, m.Identity.ID
	w.CreatedAt, w.UpdatedAt, w.Roles = httpapi.Time(m.CreatedAt), httpapi.Time(m.UpdatedAt), append([]Held{}, held...)
	return out
}

func (s *Service) addOrgMemberRoute(ctx context.Context, actor *access.Actor, in *rolesInput) (*shortOutput, error) {
	m, err := s.Add(ctx, actor, InOrganization, in.IdentityID, in.Body.Roles)
	if err != nil {
		return nil, err
	}
	return short(m, m.Roles), nil
}

func (s *Service) removeOrgMemberRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*shortOutput, error) {
	m, err := s.Remove(ctx, actor, InOrganization, in.IdentityID)
	if err != nil {
		return nil, err
	}
	return short(m, nil), nil
}

func (s *Service) orgRolesRoute(ctx context.Context, actor *access.Actor, in *rolesInput) (*memberRolesOutput, error) {
	return rolesOf(s.SetRoles(ctx, actor, InOrganization, in.IdentityID, in.Body.Roles))
}

type orgMemberOutput struct {
	Body struct {
		Membership wireMembership `json:"identityMembership"`
	}
}

func (s *Service) orgMemberRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*orgMemberOutput, error) {
	m, _, err := s.Read(ctx, actor, InOrganization, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &orgMemberOutput{}
	out.Body.Membership = wireMembershipOf(m)
	return out, nil
}

type orgMembersInput struct {
	Offset int64        `query:"offset" minimum:"0" default:"0"`
	Limit  int64        `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Name   httpapi.Text `query:"identityName" maxLength:"255" doc:"Part of the name"`
	Roles  httpapi.Text `query:"roles" maxLength:"1024" doc:"Slugs of roles, with commas between; members that have one of them"`
}

type orgMembersOutput struct {
	Body struct {
		Memberships []wireMembership `json:"identityMemberships"`
		TotalCount  int64            `json:"totalCount"`
	}
}

func (s *Service) orgMembersRoute(ctx context.Context, actor *access.Actor, in *orgMembersInput) (*orgMembersOutput, error) {
	q := Search{Offset: in.Offset, Limit: in.Limit}
	if q.AnyOf = Named(in.Name, in.Roles); checkSize(q.AnyOf) != nil {
		return nil, fault.Invalid("too_big", "Ask for at most 100 roles at once.", "roles")
	}
	members, total, _, err := s.Search(ctx, actor, InOrganization, q)
	return orgMembers(members, total, err)
}

type oldOrgMembersInput struct {
	OrgID     string       `path:"orgId" doc:"Your own organization"`
	Offset    int64        `query:"offset" minimum:"0" default:"0"`
	Limit     int64        `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	OrderBy   string       `query:"orderBy" enum:"name,role" default:"name"`
	Direction string       `query:"orderDirection" enum:"asc,desc" default:"asc"`
	Name      httpapi.Text `query:"search" maxLength:"255" doc:"Part of the name"`
}

// oldOrgMembersRoute lists memberships under the older name of the route, which names the organization.
func (s *Service) oldOrgMembersRoute(ctx context.Context, actor *access.Actor, in *oldOrgMembersInput) (*orgMembersOutput, error) {
	q := Search{AnyOf: Named(in.Name, ""), OrderBy: in.OrderBy, Descending: in.Direction == "desc", Offset: in.Offset, Limit: in.Limit}
	return orgMembers(s.SearchIn(ctx, actor, in.OrgID, q))
}

// orgMembers answers with memberships and all their roles.
func orgMembers(members []Member, total int64, err error) (*orgMembersOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &orgMembersOutput{}
	out.Body.TotalCount, out.Body.Memberships = total, wireMemberships(members)
	return out, nil
}
