package user

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// adminRoutes mounts what only administrators of the instance may do (docs/reference/identity.md section 8.4).
func (s *Service) adminRoutes(api *httpapi.API) {
	const identities, users = "/api/v1/admin/identity-management/identities", "/api/v1/admin/user-management/users"
	route := func(method, path, id, summary string) httpapi.Route {
		return httpapi.Route{Method: method, Path: path, ID: id, Tag: tag, Summary: summary,
			Description: "For instance administrators.", AnyActor: true}
	}
	httpapi.Handle(api, route(http.MethodGet, identities, "list-instance-identities",
		"List the machine identities of all organizations"), s.identitiesRoute)
	httpapi.Handle(api, route(http.MethodDelete, identities+"/{identityId}/super-admin-access", "revoke-identity-instance-admin",
		"Remove a machine identity from the administrators of the instance"), s.dropIdentityRoute)
	httpapi.Handle(api, route(http.MethodGet, users, "list-instance-users", "List the users of all organizations"), s.usersRoute)
	httpapi.Handle(api, route(http.MethodDelete, users+"/{userId}", "delete-user", "Delete a user, and end their sessions"), s.deleteRoute)
	httpapi.Handle(api, route(http.MethodPatch, users+"/{userId}/admin-access", "grant-user-instance-admin",
		"Make a user an administrator of the instance"), s.grantRoute)
	httpapi.Handle(api, route(http.MethodDelete, users+"/{userId}/admin-access", "revoke-user-instance-admin",
		"Remove a user from the administrators of the instance"), s.revokeRoute)
}

type searchInput struct {
	Term   httpapi.Text `query:"searchTerm" maxLength:"255" doc:"Part of a name, in any case"`
	Offset int64        `query:"offset" minimum:"0" maximum:"1000000000" default:"0"`
	Limit  int64        `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

func (in *searchInput) search() Search {
	return Search{Term: in.Term.Trimmed(), Offset: in.Offset, Limit: in.Limit}
}

type wireIdentity struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	InstanceAdmin bool   `json:"isInstanceAdmin"`
}

type identitiesOutput struct {
	Body struct {
		Identities []wireIdentity `json:"identities"`
		TotalCount int64          `json:"totalCount"`
	}
}

func (s *Service) identitiesRoute(ctx context.Context, actor *access.Actor, in *searchInput) (*identitiesOutput, error) {
	found, total, err := s.Identities(ctx, actor, in.search())
	if err != nil {
		return nil, err
	}
	out := &identitiesOutput{}
	out.Body.Identities, out.Body.TotalCount = make([]wireIdentity, len(found)), total
	for i, f := range found {
		out.Body.Identities[i] = wireIdentity(f)
	}
	return out, nil
}

type identityInput struct {
	IdentityID string `path:"identityId"`
}

type identityOutput struct {
	Body struct {
		Identity struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"identity"`
	}
}

func (s *Service) dropIdentityRoute(ctx context.Context, actor *access.Actor, in *identityInput) (*identityOutput, error) {
	i, err := s.DropIdentity(ctx, actor, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &identityOutput{}
	out.Body.Identity.ID, out.Body.Identity.Name = i.ID, i.Name
	return out, nil
}

type usersInput struct {
	Term       httpapi.Text `query:"searchTerm" maxLength:"255" doc:"Part of a name or an e-mail address, in any case"`
	AdminsOnly bool         `query:"adminsOnly" doc:"Only administrators of the instance"`
	Offset     int64        `query:"offset" minimum:"0" maximum:"1000000000" default:"0"`
	Limit      int64        `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

type usersOutput struct {
	Body struct {
		Users      []wireUser `json:"users"`
		TotalCount int64      `json:"totalCount"`
	}
}

func (s *Service) usersRoute(ctx context.Context, actor *access.Actor, in *usersInput) (*usersOutput, error) {
	found, total, err := s.Users(ctx, actor, Search{Term: in.Term.Trimmed(), AdminsOnly: in.AdminsOnly, Offset: in.Offset, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &usersOutput{}
	out.Body.Users, out.Body.TotalCount = make([]wireUser, len(found)), total
	for i := range found {
		out.Body.Users[i] = found[i].wire()
	}
	return out, nil
}

type deletedOutput struct {
	Body struct {
		Users wireUser `json:"users" doc:"The removed identity; clients know it by this name"`
	}
}

func (s *Service) deleteRoute(ctx context.Context, actor *access.Actor, in *userInput) (*deletedOutput, error) {
	u, err := s.Delete(ctx, actor, in.UserID)
	if err != nil {
		return nil, err
	}
	out := &deletedOutput{}
	out.Body.Users = u.wire()
	return out, nil
}

type userOutput struct {
	Body struct {
		User wireUser `json:"user"`
	}
}

func (s *Service) grantRoute(ctx context.Context, actor *access.Actor, in *userInput) (*userOutput, error) {
	return s.set(ctx, actor, in.UserID, true)
}

func (s *Service) revokeRoute(ctx context.Context, actor *access.Actor, in *userInput) (*userOutput, error) {
	return s.set(ctx, actor, in.UserID, false)
}

func (s *Service) set(ctx context.Context, actor *access.Actor, userID string, admin bool) (*userOutput, error) {
	u, err := s.SetAdmin(ctx, actor, userID, admin)
	if err != nil {
		return nil, err
	}
	out := &userOutput{}
	out.Body.User = u.wire()
	return out, nil
}
