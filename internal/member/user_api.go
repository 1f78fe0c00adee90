package member

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const userTag = "Project Users"

// userRoutes mounts the memberships of users (docs/reference/secrets.md sections 3.3 and 8.6), under the names of all
// versions: adding and taking out by e-mail address were version 2 of the workspace routes once, everything else
// version 1.
func (s *Service) userRoutes(api *httpapi.API) {
	const now, v1, v2 = "/api/v1/projects/{projectId}/memberships", "/api/v1/workspace/{projectId}/memberships", "/api/v2/workspace/{projectId}/memberships"
	const one = "/{membershipId}"
	for _, v := range []struct{ suffix, base string }{{"", now}, {"-old", v2}} {
		route := userRoute(v.base, v.suffix)
		httpapi.Handle(api, route(http.MethodPost, "", "add-project-users", "Make users members of a project, by their e-mail addresses", access.Create), s.addUsersRoute)
		httpapi.Handle(api, route(http.MethodDelete, "", "remove-project-users", "Remove users from a project, by their e-mail addresses", access.Delete), s.removeUsersRoute)
	}
	for _, v := range []struct{ suffix, base string }{{"", now}, {"-old", v1}} {
		route := userRoute(v.base, v.suffix)
		httpapi.Handle(api, route(http.MethodGet, "", "list-project-users", "List the users of a project", access.Read), s.usersRoute)
		httpapi.Handle(api, route(http.MethodGet, one, "get-project-user", "Read the membership of a user in a project", access.Read), s.userRoute)
		httpapi.Handle(api, route(http.MethodPost, "/details", "find-project-user", "Read the membership of a user in a project, by their e-mail address", access.Read), s.findUserRoute)
		httpapi.Handle(api, route(http.MethodPatch, one, "update-project-user", "Replace the roles of a user in a project, also temporarily", access.Edit), s.userRolesRoute)
		httpapi.Handle(api, route(http.MethodDelete, one, "remove-project-user", "Remove a user from a project", access.Delete), s.removeUserRoute)
	}
	httpapi.Handle(api, userRoute("/api/v1/projects/{projectId}/user/{userId}/membership", "")(http.MethodGet, "", "get-project-user-by-id",
		"Read the membership of a user in a project, by the id of the user", access.Read), s.userByIDRoute)
}

type userIDInput struct {
	ProjectID string `path:"projectId"`
	UserID    string `path:"userId"`
}

func (s *Service) userByIDRoute(ctx context.Context, actor *access.Actor, in *userIDInput) (*userMemberOutput, error) {
	return oneUser(s.ReadUserByID(ctx, actor, in.ProjectID, in.UserID))
}

func userRoute(base, suffix string) func(method, tail, id, summary string, action access.Action) httpapi.Route {
	return func(method, tail, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: base + tail, ID: id + suffix, Tag: userTag, Summary: summary, Yields: true, Deprecated: suffix != "",
			Permission: httpapi.Permission{Action: action, Subject: access.SubjectMember}}
	}
}

type addUsersInput struct {
	ProjectID string `path:"projectId"`
	Body      struct {
		Usernames []httpapi.Text `json:"usernames,omitempty" maxItems:"100" doc:"E-mail addresses of users of the organization"`
		Emails    []httpapi.Text `json:"emails,omitempty" maxItems:"100" doc:"Same as usernames"`
		Roles     []httpapi.Text `json:"roleSlugs,omitempty" maxItems:"50" doc:"Slugs or ids; default member"`
	}
}

// texts returns what lists of a body hold.
func texts(lists ...[]httpapi.Text) (all []string) {
	for _, list := range lists {
		for _, t := range list {
			all = append(all, t.Trimmed())
		}
	}
	return all
}

func (s *Service) addUsersRoute(ctx context.Context, actor *access.Actor, in *addUsersInput) (*userMembersOutput, error) {
	var roles []AssignmentInput
	for _, slug := range in.Body.Roles {
		roles = append(roles, AssignmentInput{Role: slug})
	}
	if len(roles) == 0 {
		roles = []AssignmentInput{{Role: "member"}}
	}
	return someUsers(s.AddUsers(ctx, actor, in.ProjectID, texts(in.Body.Usernames, in.Body.Emails), roles))
}

type removeUsersInput struct {
	ProjectID string `path:"projectId"`
	Body      struct {
		Usernames []httpapi.Text `json:"usernames,omitempty" maxItems:"100" doc:"E-mail addresses of users of the organization"`
		Emails    []httpapi.Text `json:"emails,omitempty" maxItems:"100" doc:"Same as usernames"`
	}
}

func (s *Service) removeUsersRoute(ctx context.Context, actor *access.Actor, in *removeUsersInput) (*userMembersOutput, error) {
	return someUsers(s.RemoveUsers(ctx, actor, in.ProjectID, texts(in.Body.Usernames, in.Body.Emails)))
}

type userMembersOutput struct {
	Body struct {
		Memberships []wireUserMember `json:"memberships"`
	}
}

// someUsers answers with the memberships that a change was about.
func someUsers(members []UserMember, sc Scope, err error) (*userMembersOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &userMembersOutput{}
	out.Body.Memberships = wireUsers(members, sc)
	return out, nil
}

type usersInput struct {
	ProjectID string `path:"projectId"`
	Offset    int64  `query:"offset" minimum:"0" default:"0"`
	Limit     int64  `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

type usersOutput struct {
	Body struct {
		Memberships []wireUserMember `json:"memberships"`
		TotalCount  int64            `json:"totalCount"`
	}
}

func (s *Service) usersRoute(ctx context.Context, actor *access.Actor, in *usersInput) (*usersOutput, error) {
	members, total, sc, err := s.Users(ctx, actor, in.ProjectID, in.Offset, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &usersOutput{}
	out.Body.Memberships, out.Body.TotalCount = wireUsers(members, sc), total
	return out, nil
}

type userInput struct {
	ProjectID    string `path:"projectId"`
	MembershipID string `path:"membershipId"`
}

type userMemberOutput struct {
	Body struct {
		Membership wireUserMember `json:"membership"`
	}
}

func oneUser(m *UserMember, sc Scope, err error) (*userMemberOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &userMemberOutput{}
	out.Body.Membership = wireUser(m, sc)
	return out, nil
}

func (s *Service) userRoute(ctx context.Context, actor *access.Actor, in *userInput) (*userMemberOutput, error) {
	return oneUser(s.ReadUser(ctx, actor, in.ProjectID, in.MembershipID))
}

type findUserInput struct {
	ProjectID string `path:"projectId"`
	Body      struct {
		Username httpapi.Text `json:"username" minLength:"1" maxLength:"320" doc:"The e-mail address"`
	}
}

func (s *Service) findUserRoute(ctx context.Context, actor *access.Actor, in *findUserInput) (*userMemberOutput, error) {
	return oneUser(s.ReadUserNamed(ctx, actor, in.ProjectID, in.Body.Username.Trimmed()))
}

func (s *Service) removeUserRoute(ctx context.Context, actor *access.Actor, in *userInput) (*userMemberOutput, error) {
	return oneUser(s.RemoveUser(ctx, actor, in.ProjectID, in.MembershipID))
}

type userRolesInput struct {
	ProjectID    string `path:"projectId"`
	MembershipID string `path:"membershipId"`
	Body         struct {
		Roles []AssignmentInput `json:"roles" minItems:"1" maxItems:"50" doc:"Replaces the roles that they have"`
	}
}

func (s *Service) userRolesRoute(ctx context.Context, actor *access.Actor, in *userRolesInput) (*memberRolesOutput, error) {
	m, err := s.SetUserRoles(ctx, actor, in.ProjectID, in.MembershipID, in.Body.Roles)
	if err != nil {
		return nil, err
	}
	out := &memberRolesOutput{}
	out.Body.Roles = m.Roles
	return out, nil
}

// wireUserMember is a user in a project.
type wireUserMember struct {
	ID        string       `json:"id"`
	UserID    string       `json:"userId"`
	ProjectID string       `json:"projectId"`
	Role      string       `json:"role" doc:"The first of roles; for older clients"`
	Status    string       `json:"status" doc:"Always accepted"`
	CreatedAt httpapi.Time `json:"createdAt"`
	UpdatedAt httpapi.Time `json:"updatedAt"`
	Roles     []Held       `json:"roles"`
	User      struct {
		ID        string `json:"id"`
		Email     string `json:"email"`
		Username  string `json:"username" doc:"Same as email"`
		FirstName string `json:"firstName"`
		LastName  string `json:"lastName"`
	} `json:"user"`
	Project struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"project"`
}

func wireUser(m *UserMember, sc Scope) wireUserMember {
	w := wireUserMember{ID: m.ID, UserID: m.User.ID, ProjectID: m.ProjectID, Status: "accepted", CreatedAt: httpapi.Time(m.CreatedAt),
		UpdatedAt: httpapi.Time(m.UpdatedAt), Roles: append([]Held{}, m.Roles...)}
	w.Role = Main(m.Roles)
	w.User.ID, w.User.Email, w.User.Username, w.User.FirstName, w.User.LastName = m.User.ID, m.User.Email, m.User.Email, m.User.FirstName, m.User.LastName
	w.Project.ID, w.Project.Name, w.Project.Type = sc.ProjectID, sc.Name, sc.Type
	return w
}

func wireUsers(members []UserMember, sc Scope) []wireUserMember {
	all := make([]wireUserMember, len(members))
	for i := range members {
		all[i] = wireUser(&members[i], sc)
	}
	return all
}
