package identity

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/role"
)

// membershipRoutes mounts the memberships of identities in the caller's organization
// (docs/reference/identity.md section 4.3).
func (s *Service) membershipRoutes(api *httpapi.API) {
	route := func(method, suffix, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/organization/identity-memberships" + suffix, ID: id, Tag: tag,
			Summary: summary, Permission: can(action)}
	}
	httpapi.Handle(api, route(http.MethodGet, "", "list-identity-memberships", "List the memberships of identities", access.Read), s.membersRoute)
	httpapi.Handle(api, route(http.MethodGet, "/{identityId}", "get-identity-membership", "Read the membership of an identity", access.Read), s.memberRoute)
	httpapi.Handle(api, route(http.MethodPost, "/{identityId}", "create-identity-membership", "Make an identity a member again", access.Edit), s.joinRoute)
	httpapi.Handle(api, route(http.MethodPatch, "/{identityId}", "update-identity-membership", "Replace the roles of an identity, also temporarily", access.Edit), s.rolesRoute)
	httpapi.Handle(api, route(http.MethodDelete, "/{identityId}", "delete-identity-membership", "Remove an identity and revoke its tokens", access.Delete), s.leaveRoute)
	s.oldMembershipRoutes(api)
}

type rolesInput struct {
	IdentityID string `path:"identityId"`
	Body       struct {
		Roles []role.AssignmentInput `json:"roles" minItems:"1" maxItems:"50"`
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
			Roles      []role.Held  `json:"roles"`
		} `json:"identityMembership"`
	}
}

func short(m *member, held []role.Held, err error) (*shortOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &shortOutput{}
	w := &out.Body.Membership
	w.ID, w.OrgID, w.IdentityID = m.ID, m.OrgID, m.Identity.ID
	w.CreatedAt, w.UpdatedAt, w.Roles = httpapi.Time(m.CreatedAt), httpapi.Time(m.UpdatedAt), append([]role.Held{}, held...)
	return out, nil
}

func (s *Service) joinRoute(ctx context.Context, actor *access.Actor, in *rolesInput) (*shortOutput, error) {
	roles, err := s.assignments(ctx, actor, in.Body.Roles)
	if err != nil {
		return nil, err
	}
	m, err := s.Join(ctx, actor, in.IdentityID, roles)
	if err != nil {
		return nil, err
	}
	held, err := s.heldBy(ctx, m.ID)
	return short(m, held, err)
}

func (s *Service) leaveRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*shortOutput, error) {
	m, err := s.Leave(ctx, actor, in.IdentityID)
	return short(m, nil, err)
}

type rolesOutput struct {
	Body struct {
		Roles []role.Held `json:"roles"`
	}
}

func (s *Service) rolesRoute(ctx context.Context, actor *access.Actor, in *rolesInput) (*rolesOutput, error) {
	roles, err := s.assignments(ctx, actor, in.Body.Roles)
	if err == nil {
		err = s.SetRoles(ctx, actor, in.IdentityID, roles)
	}
	if err != nil {
		return nil, err
	}
	out := &rolesOutput{}
	m, err := s.member(ctx, actor.OrgID, in.IdentityID)
	if err == nil {
		out.Body.Roles, err = s.heldBy(ctx, m.ID)
	}
	return out, err
}

type memberOutput struct {
	Body struct {
		Membership wireMembership `json:"identityMembership"`
	}
}

func (s *Service) memberRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*memberOutput, error) {
	m, err := s.Read(ctx, actor, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &memberOutput{}
	out.Body.Membership = wireMember(m)
	return out, nil
}

type membersInput struct {
	Offset int64        `query:"offset" minimum:"0" default:"0"`
	Limit  int64        `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Name   httpapi.Text `query:"identityName" maxLength:"255" doc:"Part of the name"`
	Roles  httpapi.Text `query:"roles" maxLength:"1024" doc:"Slugs of roles, with commas between; members that have one of them"`
}

type membersOutput struct {
	Body struct {
		Memberships []wireMembership `json:"identityMemberships"`
		TotalCount  int64            `json:"totalCount"`
	}
}

func (s *Service) membersRoute(ctx context.Context, actor *access.Actor, in *membersInput) (*membersOutput, error) {
	q := Search{OrderBy: "name", Offset: in.Offset, Limit: in.Limit}
	var all []Match
	if in.Name != "" {
		all = append(all, Match{"name", "$contains", []string{string(in.Name)}})
	}
	if slugs := role.Slugs(string(in.Roles)); len(slugs) > 0 {
		all = append(all, Match{"role", "$in", slugs})
	}
	if q.AnyOf = [][]Match{all}; checkSize(q.AnyOf) != nil {
		return nil, fault.Invalid("too_big", "Ask for at most 100 roles at once.", "roles")
	}
	members, total, err := s.Search(ctx, actor, q)
	return memberList(members, total, err)
}

// memberList answers with memberships and all their roles.
func memberList(members []Membership, total int64, err error) (*membersOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &membersOutput{}
	out.Body.TotalCount, out.Body.Memberships = total, make([]wireMembership, len(members))
	for i := range members {
		out.Body.Memberships[i] = wireMember(&members[i])
	}
	return out, nil
}

// heldBy returns the roles of a membership, oldest first.
func (s *Service) heldBy(ctx context.Context, membershipID string) ([]role.Held, error) {
	held, err := role.HeldBy(ctx, s.DB, []string{membershipID})
	return held[membershipID], err
}
