package identity

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// orgRoutes mounts the newer routes of identities, under the caller's organization
// (docs/reference/identity.md section 4.2). They say the same as those of section 4.1; roles are given with
// memberships.
func (s *Service) orgRoutes(api *httpapi.API) {
	route := func(method, suffix, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/organization/identities" + suffix, ID: id, Tag: tag, Summary: summary, Permission: can(action)}
	}
	httpapi.Handle(api, route(http.MethodPost, "", "create-org-identity", "Create an identity without access", access.Create), s.createInOrg)
	httpapi.Handle(api, route(http.MethodGet, "", "list-org-identities", "List identities", access.Read), s.listInOrg)
	httpapi.Handle(api, route(http.MethodGet, "/{identityId}", "get-org-identity", "Read an identity", access.Read), s.readInOrg)
	httpapi.Handle(api, route(http.MethodPatch, "/{identityId}", "update-org-identity", "Update an identity", access.Edit), s.updateInOrg)
	httpapi.Handle(api, route(http.MethodDelete, "/{identityId}", "delete-org-identity", "Delete an identity and revoke its tokens", access.Delete), s.deleteRoute)
}

type createInOrgInput struct {
	Body struct {
		Name             httpapi.Name   `json:"name" minLength:"1" maxLength:"255"`
		DeleteProtection bool           `json:"hasDeleteProtection,omitempty" default:"false"`
		Metadata         []metadataItem `json:"metadata,omitempty" maxItems:"100"`
	}
}

func (s *Service) createInOrg(ctx context.Context, actor *access.Actor, in *createInOrgInput) (*identityOutput, error) {
	name, none, metadata := in.Body.Name.Trimmed(), role.NoAccess, toMetadata(in.Body.Metadata)
	d, err := s.Create(ctx, actor, actor.OrgID,
		Changes{Name: &name, Role: &none, DeleteProtection: &in.Body.DeleteProtection, Metadata: &metadata})
	return output(d, err)
}

type updateInOrgInput struct {
	IdentityID string `path:"identityId"`
	Body       struct {
		Name             *httpapi.Name   `json:"name,omitempty" minLength:"1" maxLength:"255"`
		DeleteProtection *bool           `json:"hasDeleteProtection,omitempty"`
		Metadata         *[]metadataItem `json:"metadata,omitempty" maxItems:"100" doc:"Replaces all metadata"`
	}
}

func (s *Service) updateInOrg(ctx context.Context, actor *access.Actor, in *updateInOrgInput) (*identityOutput, error) {
	c := Changes{DeleteProtection: in.Body.DeleteProtection}
	if in.Body.Name != nil {
		name := in.Body.Name.Trimmed()
		c.Name = &name
	}
	if in.Body.Metadata != nil {
		metadata := toMetadata(*in.Body.Metadata)
		c.Metadata = &metadata
	}
	d, err := s.Update(ctx, actor, in.IdentityID, c)
	return output(d, err)
}

func (s *Service) readInOrg(ctx context.Context, actor *access.Actor, in *oneInput) (*identityOutput, error) {
	return output(s.Read(ctx, actor, in.IdentityID))
}

type listInOrgInput struct {
	Offset int64        `query:"offset" minimum:"0" default:"0"`
	Limit  int64        `query:"limit" minimum:"1" maximum:"1000" default:"20"`
	Search httpapi.Text `query:"search" maxLength:"255" doc:"Part of the name"`
}

type listInOrgOutput struct {
	Body struct {
		Identities []wireIdentity `json:"identities"`
		TotalCount int64          `json:"totalCount"`
	}
}

func (s *Service) listInOrg(ctx context.Context, actor *access.Actor, in *listInOrgInput) (*listInOrgOutput, error) {
	q := member.Search{AnyOf: member.Named(in.Search, ""), Offset: in.Offset, Limit: in.Limit}
	members, total, _, err := s.members.Search(ctx, actor, member.InOrganization, q)
	if err != nil {
		return nil, err
	}
	out := &listInOrgOutput{}
	out.Body.TotalCount, out.Body.Identities = total, make([]wireIdentity, len(members))
	for i, m := range members {
		out.Body.Identities[i] = wireDetail(&Detail{Identity: Identity(m.Identity), Methods: m.Methods})
	}
	return out, nil
}
