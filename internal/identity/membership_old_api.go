package identity

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// oldMembershipRoutes mounts the list of memberships under its older name, which names the organization.
func (s *Service) oldMembershipRoutes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v2/organizations/{orgId}/identity-memberships", ID: "list-identity-memberships-old", Tag: tag,
		Summary: "List the memberships of identities", Deprecated: true, Permission: can(access.Read)}, s.oldMembersRoute)
}

type oldMembersInput struct {
	OrgID     string       `path:"orgId" doc:"Your own organization"`
	Offset    int64        `query:"offset" minimum:"0" default:"0"`
	Limit     int64        `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	OrderBy   string       `query:"orderBy" enum:"name,role" default:"name"`
	Direction string       `query:"orderDirection" enum:"asc,desc" default:"asc"`
	Name      httpapi.Text `query:"search" maxLength:"255" doc:"Part of the name"`
}

func (s *Service) oldMembersRoute(ctx context.Context, actor *access.Actor, in *oldMembersInput) (*membersOutput, error) {
	q := Search{OrderBy: in.OrderBy, Descending: in.Direction == "desc", Offset: in.Offset, Limit: in.Limit}
	if in.Name != "" {
		q.AnyOf = [][]Match{{{"name", "$contains", []string{string(in.Name)}}}}
	}
	members, total, err := s.SearchIn(ctx, actor, in.OrgID, q)
	return memberList(members, total, err)
}

// SearchIn is Search in the organization with an id; NotFound for another one than the actor's.
func (s *Service) SearchIn(ctx context.Context, actor *access.Actor, orgID string, q Search) ([]Membership, int64, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, access.Fields{}); err != nil {
		return nil, 0, err
	}
	if orgID != actor.OrgID {
		return nil, 0, fault.New(fault.NotFound, "There is no organization with ID %q that you are a member of.", orgID)
	}
	return s.Search(ctx, actor, q)
}
