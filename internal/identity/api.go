package identity

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const tag = "Identities"

func can(action access.Action) httpapi.Permission {
	return httpapi.Permission{Action: action, Subject: access.SubjectIdentity}
}

// Routes mounts the routes of identities (docs/reference/identity.md section 4.1).
func (s *Service) Routes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/identities", ID: "create-identity", Tag: tag,
		Summary: "Create an identity", Permission: can(access.Create)}, s.createRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/identities", ID: "list-identities", Tag: tag,
		Summary: "List identities", Permission: can(access.Read)}, s.listRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/identities/search", ID: "search-identities", Tag: tag,
		Summary: "Search identities by name and role", Permission: can(access.Read)}, s.searchRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/identities/{identityId}", ID: "get-identity", Tag: tag,
		Summary: "Read an identity", Permission: can(access.Read)}, s.readRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPatch, Path: "/api/v1/identities/{identityId}", ID: "update-identity", Tag: tag,
		Summary: "Update an identity", Permission: can(access.Edit)}, s.updateRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodDelete, Path: "/api/v1/identities/{identityId}", ID: "delete-identity", Tag: tag,
		Summary: "Delete an identity and revoke its tokens", Permission: can(access.Delete)}, s.deleteRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/identities/{identityId}/identity-memberships",
		ID: "list-identity-projects", Tag: tag, Summary: "List the projects of an identity", Permission: can(access.Read)}, s.projectsRoute)
	s.orgRoutes(api)
	s.membershipRoutes(api)
}

// metadataItem is a pair in a request.
type metadataItem struct {
	Key   httpapi.Text `json:"key" minLength:"1" maxLength:"255"`
	Value httpapi.Text `json:"value" minLength:"1" maxLength:"4096"`
}

func toMetadata(items []metadataItem) []Metadata {
	metadata := make([]Metadata, len(items))
	for i, m := range items {
		metadata[i] = Metadata{Key: string(m.Key), Value: string(m.Value)}
	}
	return metadata
}

type createInput struct {
	Body struct {
		Name             httpapi.Name   `json:"name" minLength:"1" maxLength:"255" doc:"For people; does not have to be unique"`
		OrganizationID   httpapi.Text   `json:"organizationId" doc:"Your own organization"`
		Role             httpapi.Text   `json:"role,omitempty" minLength:"1" maxLength:"64" default:"no-access" doc:"Slug of an organization role"`
		DeleteProtection bool           `json:"hasDeleteProtection,omitempty" default:"false"`
		Metadata         []metadataItem `json:"metadata,omitempty" maxItems:"100"`
	}
}

type identityOutput struct {
	Body struct {
		Identity wireIdentity `json:"identity"`
	}
}

func (s *Service) createRoute(ctx context.Context, actor *access.Actor, in *createInput) (*identityOutput, error) {
	name, role, metadata := in.Body.Name.Trimmed(), in.Body.Role.Trimmed(), toMetadata(in.Body.Metadata)
	d, err := s.Create(ctx, actor, in.Body.OrganizationID.Trimmed(),
		Changes{Name: &name, Role: &role, DeleteProtection: &in.Body.DeleteProtection, Metadata: &metadata})
	return output(d, err)
}

type updateInput struct {
	IdentityID string `path:"identityId"`
	Body       struct {
		Name             *httpapi.Name   `json:"name,omitempty" minLength:"1" maxLength:"255"`
		Role             *httpapi.Text   `json:"role,omitempty" minLength:"1" maxLength:"64"`
		DeleteProtection *bool           `json:"hasDeleteProtection,omitempty"`
		Metadata         *[]metadataItem `json:"metadata,omitempty" maxItems:"100" doc:"Replaces all metadata"`
	}
}

func (s *Service) updateRoute(ctx context.Context, actor *access.Actor, in *updateInput) (*identityOutput, error) {
	c := Changes{DeleteProtection: in.Body.DeleteProtection}
	if in.Body.Name != nil {
		name := in.Body.Name.Trimmed()
		c.Name = &name
	}
	if in.Body.Role != nil {
		role := in.Body.Role.Trimmed()
		c.Role = &role
	}
	if in.Body.Metadata != nil {
		metadata := toMetadata(*in.Body.Metadata)
		c.Metadata = &metadata
	}
	d, err := s.Update(ctx, actor, in.IdentityID, c)
	return output(d, err)
}

type oneInput struct {
	IdentityID string `path:"identityId"`
}

func (s *Service) deleteRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*identityOutput, error) {
	d, err := s.Delete(ctx, actor, in.IdentityID)
	return output(d, err)
}

type membershipOutput struct {
	Body struct {
		Identity wireMembership `json:"identity"`
	}
}

func (s *Service) readRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*membershipOutput, error) {
	m, err := s.Read(ctx, actor, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &membershipOutput{}
	out.Body.Identity = wireMember(m)
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
		return nil, errOtherOrg
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
	memberships, total, err := s.Search(ctx, actor, q)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Identities = make([]wireMembership, len(memberships))
	for i := range memberships {
		out.Body.Identities[i] = wireMember(&memberships[i])
	}
	out.Body.TotalCount = total
	return out, nil
}
