package identity

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const tag = "Identities"

func can(action access.Action) httpapi.Permission {
	return httpapi.Permission{Action: action, Subject: access.SubjectIdentity}
}

// Routes mounts the routes of identities (docs/reference/identity.md section 4.1). Those that answer with memberships are in
// member.
func (s *Service) Routes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/identities", ID: "create-identity", Tag: tag,
		Summary: "Create an identity", Permission: can(access.Create)}, s.createRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPatch, Path: "/api/v1/identities/{identityId}", ID: "update-identity", Tag: tag,
		Summary: "Update an identity", Permission: can(access.Edit)}, s.updateRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodDelete, Path: "/api/v1/identities/{identityId}", ID: "delete-identity", Tag: tag,
		Summary: "Delete an identity and revoke its tokens", Permission: can(access.Delete)}, s.deleteRoute)
	s.orgRoutes(api)
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
