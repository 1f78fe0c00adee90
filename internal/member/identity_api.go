package member

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const identityTag = "Identities"

func can(action access.Action) httpapi.Permission {
	return httpapi.Permission{Action: action, Subject: access.SubjectIdentity}
}

// Routes mounts the routes of memberships.
func (s *Service) Routes(api *httpapi.API) {
	s.effectiveRoutes(api)
	s.decideRoutes(api)
	s.identityRoutes(api)
	s.organizationRoutes(api)
	s.projectRoutes(api)
	s.userRoutes(api)
	s.privilegeRoutes(api)
}

// identityRoutes mounts those routes of identities that answer with memberships (docs/reference/identity.md section 4.1).
func (s *Service) identityRoutes(api *httpapi.API) {
	route := func(method, suffix, id, summary string) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/identities" + suffix, ID: id, Tag: identityTag, Summary: summary,
			Permission: can(access.Read)}
	}
	httpapi.Handle(api, route(http.MethodGet, "", "list-identities", "List identities"), s.listRoute)
	httpapi.Handle(api, route(http.MethodPost, "/search", "search-identities", "Search identities by name and role"), s.searchRoute)
	httpapi.Handle(api, route(http.MethodGet, "/{identityId}", "get-identity", "Read an identity"), s.readRoute)
	httpapi.Handle(api, route(http.MethodGet, "/{identityId}/identity-memberships", "list-identity-projects",
		"List the projects of an identity"), s.projectsRoute)
}

type oneInput struct {
	IdentityID string `path:"identityId"`
}

type membershipOutput struct {
	Body struct {
		Identity wireMembership `json:"identity"`
	}
}

func (s *Service) readRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*membershipOutput, error) {
	m, _, err := s.Read(ctx, actor, InOrganization, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &membershipOutput{}
	out.Body.Identity = wireMembershipOf(m)
	metadata := append([]Metadata{}, m.Metadata...)
	out.Body.Identity.Metadata = &metadata
	return out, nil
}

type listInput struct {
	OrgID  httpapi.Text `query:"orgId" doc:"Your own organization; may be left out"`
	Offset int64        `query:"offset" minimum:"0" default:"0"`
	Limit  int64        `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

type listOutput struct {
	Body struct {
		Identities []wireMembership `json:"identities"`
		TotalCount int64            `json:"totalCount"`
	}
}

func (s *Service) listRoute(ctx context.Context, actor *access.Actor, in *listInput) (*listOutput, error) {
	if in.OrgID != "" && string(in.OrgID) != actor.OrgID {
		return nil, fault.New(fault.Forbidden, "Your token belongs to another organization. Pass your own organization's id.")
	}
	return s.found(ctx, actor, Search{OrderBy: "name", Offset: in.Offset, Limit: in.Limit})
}

type searchInput struct {
	Body struct {
		OrderBy        string          `json:"orderBy,omitempty" enum:"name,role" default:"name"`
		OrderDirection string          `json:"orderDirection,omitempty" enum:"asc,desc" default:"asc"`
		Limit          int64           `json:"limit,omitempty" minimum:"1" maximum:"100" default:"50"`
		Offset         int64           `json:"offset,omitempty" minimum:"0" default:"0"`
		Search         json.RawMessage `json:"search,omitempty" doc:"Conditions on name ($eq, $contains, $in) and role ($eq, $in), or $or with a list of such objects"`
	}
}

func (s *Service) searchRoute(ctx context.Context, actor *access.Actor, in *searchInput) (*listOutput, error) {
	anyOf, err := parseSearch(in.Body.Search)
	if err != nil {
		return nil, err
	}
	return s.found(ctx, actor, Search{AnyOf: anyOf, OrderBy: in.Body.OrderBy, Descending: in.Body.OrderDirection == "desc",
		Offset: in.Body.Offset, Limit: in.Body.Limit})
}

func (s *Service) found(ctx context.Context, actor *access.Actor, q Search) (*listOutput, error) {
	members, total, _, err := s.Search(ctx, actor, InOrganization, q)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Identities, out.Body.TotalCount = wireMemberships(members), total
	return out, nil
}
