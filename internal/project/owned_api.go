package project

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// ownedRoutes mounts the identities that a project owns (docs/reference/secrets.md section 4.8).
func (s *Service) ownedRoutes(api *httpapi.API) {
	route := func(method, tail, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/projects/{projectId}/identities" + tail, ID: id, Tag: "Project Identities", Summary: summary, Yields: true,
			Permission: httpapi.Permission{Action: action, Subject: access.SubjectIdentity}}
	}
	httpapi.Handle(api, route(http.MethodPost, "", "create-owned-identity", "Create an identity that belongs to the project and is deleted with it", access.Create), s.createOwnedRoute)
	httpapi.Handle(api, route(http.MethodGet, "", "list-owned-identities", "List the identities that the project owns", access.Read), s.ownedsRoute)
	httpapi.Handle(api, route(http.MethodGet, "/{identityId}", "get-owned-identity", "Read an identity that the project owns", access.Read), s.ownedRoute)
	httpapi.Handle(api, route(http.MethodPatch, "/{identityId}", "update-owned-identity", "Change an identity that the project owns", access.Edit), s.updateOwnedRoute)
	httpapi.Handle(api, route(http.MethodDelete, "/{identityId}", "delete-owned-identity", "Delete an identity that the project owns, and revoke its tokens", access.Delete), s.deleteOwnedRoute)
}

// metadataInput is a pair in a request.
type metadataInput struct {
	Key   httpapi.Text `json:"key" minLength:"1" maxLength:"255"`
	Value httpapi.Text `json:"value" minLength:"1" maxLength:"4096"`
}

func metadataOf(items []metadataInput) []identity.Metadata {
	metadata := make([]identity.Metadata, len(items))
	for i, m := range items {
		metadata[i] = identity.Metadata{Key: string(m.Key), Value: string(m.Value)}
	}
	return metadata
}

type createOwnedInput struct {
	ProjectID string `path:"projectId"`
	Body      struct {
		Name             httpapi.Name             `json:"name" minLength:"1" maxLength:"255"`
		DeleteProtection bool                     `json:"hasDeleteProtection,omitempty" default:"false"`
		Metadata         []metadataInput          `json:"metadata,omitempty" maxItems:"100"`
		Roles            []member.AssignmentInput `json:"roles,omitempty" maxItems:"50" doc:"In the project; default no-access"`
	}
}

func (s *Service) createOwnedRoute(ctx context.Context, actor *access.Actor, in *createOwnedInput) (*ownedOutput, error) {
	asked := in.Body.Roles
	if len(asked) == 0 {
		asked = []member.AssignmentInput{{Role: role.NoAccess}}
	}
	name, metadata := in.Body.Name.Trimmed(), metadataOf(in.Body.Metadata)
	return owned(s.CreateOwned(ctx, actor, in.ProjectID, identity.Changes{Name: &name, DeleteProtection: &in.Body.DeleteProtection, Metadata: &metadata}, asked))
}

type updateOwnedInput struct {
	ProjectID  string `path:"projectId"`
	IdentityID string `path:"identityId"`
	Body       struct {
		Name             *httpapi.Name            `json:"name,omitempty" minLength:"1" maxLength:"255"`
		DeleteProtection *bool                    `json:"hasDeleteProtection,omitempty"`
		Metadata         *[]metadataInput         `json:"metadata,omitempty" maxItems:"100" doc:"Replaces all metadata"`
		Roles            []member.AssignmentInput `json:"roles,omitempty" maxItems:"50" doc:"Replaces the roles that it has"`
	}
}

func (s *Service) updateOwnedRoute(ctx context.Context, actor *access.Actor, in *updateOwnedInput) (*ownedOutput, error) {
	c := identity.Changes{Name: trimmed(in.Body.Name), DeleteProtection: in.Body.DeleteProtection}
	if in.Body.Metadata != nil {
		metadata := metadataOf(*in.Body.Metadata)
		c.Metadata = &metadata
	}
	return owned(s.UpdateOwned(ctx, actor, in.ProjectID, in.IdentityID, c, in.Body.Roles))
}

type ownedInput struct {
	ProjectID  string `path:"projectId"`
	IdentityID string `path:"identityId"`
}

func (s *Service) ownedRoute(ctx context.Context, actor *access.Actor, in *ownedInput) (*ownedOutput, error) {
	return owned(s.ReadOwned(ctx, actor, in.ProjectID, in.IdentityID))
}

func (s *Service) deleteOwnedRoute(ctx context.Context, actor *access.Actor, in *ownedInput) (*ownedOutput, error) {
	return owned(s.DeleteOwned(ctx, actor, in.ProjectID, in.IdentityID))
}

// wireOwned is an identity that a project owns.
type wireOwned struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	OrgID         string            `json:"orgId"`
	ProjectID     string            `json:"projectId"`
	HasProtection bool              `json:"hasDeleteProtection"`
	AuthMethods   []string          `json:"authMethods"`
	CreatedAt     httpapi.Time      `json:"createdAt"`
	UpdatedAt     httpapi.Time      `json:"updatedAt"`
	Metadata      []member.Metadata `json:"metadata"`
	Roles         []member.Held     `json:"roles"`
}

func wireOwnedOf(m *member.Member) wireOwned {
	i := &m.Identity
	return wireOwned{i.ID, i.Name, i.OrgID, *m.ProjectID, i.DeleteProtection, append([]string{}, m.Methods...), httpapi.Time(i.CreatedAt), httpapi.Time(i.UpdatedAt),
		append([]member.Metadata{}, m.Metadata...), append([]member.Held{}, m.Roles...)}
}

type ownedOutput struct {
	Body struct {
		Identity wireOwned `json:"identity"`
	}
}

func owned(m *member.Member, err error) (*ownedOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &ownedOutput{}
	out.Body.Identity = wireOwnedOf(m)
	return out, nil
}

type ownedsInput struct {
	ProjectID string       `path:"projectId"`
	Offset    int64        `query:"offset" minimum:"0" default:"0"`
	Limit     int64        `query:"limit" minimum:"1" maximum:"1000" default:"20"`
	Search    httpapi.Text `query:"search" maxLength:"255" doc:"Part of the name"`
}

type ownedsOutput struct {
	Body struct {
		Identities []wireOwned `json:"identities"`
		TotalCount int64       `json:"totalCount"`
	}
}

func (s *Service) ownedsRoute(ctx context.Context, actor *access.Actor, in *ownedsInput) (*ownedsOutput, error) {
	members, total, err := s.Owned(ctx, actor, in.ProjectID, member.Search{AnyOf: member.Named(in.Search, ""), Offset: in.Offset, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &ownedsOutput{}
	out.Body.TotalCount, out.Body.Identities = total, make([]wireOwned, len(members))
	for i := range members {
		out.Body.Identities[i] = wireOwnedOf(&members[i])
	}
	return out, nil
}
