package project

import (
	"context"
	"errors"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

const roleTag = "Project Roles"

// roleRoutes mounts the roles of projects, under their three names (docs/reference/secrets.md section 4.6). The oldest
// one names the project by its slug.
func (s *Service) roleRoutes(api *httpapi.API) {
	for _, v := range []struct {
		base, suffix string
		old          bool
		enter        func(context.Context, *access.Actor, string) (member.Scope, error)
	}{
		{"/api/v1/projects/{projectId}/roles", "", false, s.Scope},
		{"/api/v2/workspace/{projectId}/roles", "-old", true, s.Scope},
		{"/api/v1/workspace/{projectId}/roles", "-oldest", true, s.ScopeOf},
	} {
		r := roleRoute{s.Roles, v.enter}
		route := func(method, tail, id, summary string, action access.Action) httpapi.Route {
			return httpapi.Route{Method: method, Path: v.base + tail, ID: id + v.suffix, Tag: roleTag, Summary: summary, Yields: true, Deprecated: v.old,
				Permission: httpapi.Permission{Action: action, Subject: access.SubjectRole}}
		}
		httpapi.Handle(api, route(http.MethodPost, "", "create-project-role", "Create a role", access.Create), r.create)
		httpapi.Handle(api, route(http.MethodGet, "", "list-project-roles", "List the roles, built-in ones first", access.Read), r.list)
		httpapi.Handle(api, route(http.MethodGet, "/slug/{slug}", "get-project-role-by-slug", "Read a role by its slug", access.Read), r.bySlug)
		httpapi.Handle(api, route(http.MethodPatch, "/{roleId}", "update-project-role", "Change a role, for every member who has it", access.Edit), r.update)
		httpapi.Handle(api, route(http.MethodDelete, "/{roleId}", "delete-project-role", "Delete a role that no member has", access.Delete), r.delete)
	}
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/projects/roles/{roleId}", ID: "get-any-project-role", Tag: roleTag,
		Summary: "Read a role of any project", Permission: httpapi.Permission{Action: access.Read, Subject: access.SubjectRole}}, s.anyRoleRoute)
}

// roleRoute is one name of the routes, with its way into a project.
type roleRoute struct {
	roles *role.Service
	enter func(context.Context, *access.Actor, string) (member.Scope, error)
}

type createRoleInput struct {
	ProjectID string `path:"projectId" doc:"Id; in the oldest routes the slug"`
	Body      struct {
		Slug        httpapi.Name     `json:"slug" minLength:"1" maxLength:"64"`
		Name        httpapi.Name     `json:"name" minLength:"1" maxLength:"255"`
		Description httpapi.Prose    `json:"description,omitempty" maxLength:"4096"`
		Permissions []role.RuleInput `json:"permissions" maxItems:"500"`
	}
}

func (r roleRoute) create(ctx context.Context, actor *access.Actor, in *createRoleInput) (*roleOutput, error) {
	sc, err := r.enter(ctx, actor, in.ProjectID)
	if err != nil {
		return nil, err
	}
	rules, err := role.ParseRules(in.Body.Permissions)
	if err != nil {
		return nil, err
	}
	slug, name, description := in.Body.Slug.Trimmed(), in.Body.Name.Trimmed(), string(in.Body.Description)
	return oneRole(r.roles.CreateIn(ctx, sc.Scope, role.Changes{Slug: &slug, Name: &name, Description: &description, Rules: &rules}))
}

type updateRoleInput struct {
	ProjectID string `path:"projectId" doc:"Id; in the oldest routes the slug"`
	RoleID    string `path:"roleId"`
	Body      struct {
		Slug        *httpapi.Name     `json:"slug,omitempty" minLength:"1" maxLength:"64"`
		Name        *httpapi.Name     `json:"name,omitempty" minLength:"1" maxLength:"255"`
		Description *httpapi.Prose    `json:"description,omitempty" maxLength:"4096"`
		Permissions *[]role.RuleInput `json:"permissions,omitempty" maxItems:"500"`
	}
}

func (r roleRoute) update(ctx context.Context, actor *access.Actor, in *updateRoleInput) (*roleOutput, error) {
	sc, err := r.enter(ctx, actor, in.ProjectID)
	if err != nil {
		return nil, err
	}
	c := role.Changes{Slug: trimmed(in.Body.Slug), Name: trimmed(in.Body.Name), Description: (*string)(in.Body.Description)}
	if in.Body.Permissions != nil {
		rules, err := role.ParseRules(*in.Body.Permissions)
		if err != nil {
			return nil, err
		}
		c.Rules = &rules
	}
	return oneRole(r.roles.UpdateIn(ctx, sc.Scope, in.RoleID, c))
}

type roleInput struct {
	ProjectID string `path:"projectId" doc:"Id; in the oldest routes the slug"`
	RoleID    string `path:"roleId"`
}

func (r roleRoute) delete(ctx context.Context, actor *access.Actor, in *roleInput) (*roleOutput, error) {
	sc, err := r.enter(ctx, actor, in.ProjectID)
	if err != nil {
		return nil, err
	}
	return oneRole(r.roles.DeleteIn(ctx, sc.Scope, in.RoleID))
}

type roleSlugInput struct {
	ProjectID string `path:"projectId" doc:"Id; in the oldest routes the slug"`
	Slug      string `path:"slug"`
}

func (r roleRoute) bySlug(ctx context.Context, actor *access.Actor, in *roleSlugInput) (*roleOutput, error) {
	sc, err := r.enter(ctx, actor, in.ProjectID)
	if err != nil {
		return nil, err
	}
	return oneRole(r.roles.ReadIn(ctx, sc.Scope, in.Slug))
}

func (r roleRoute) list(ctx context.Context, actor *access.Actor, in *projectInput) (*rolesOutput, error) {
	sc, err := r.enter(ctx, actor, in.ProjectID)
	if err != nil {
		return nil, err
	}
	roles, err := r.roles.ListIn(ctx, sc.Scope)
	if err != nil {
		return nil, err
	}
	out := &rolesOutput{}
	out.Body.Roles = make([]wireRole, len(roles))
	for i := range roles {
		out.Body.Roles[i] = wireRoleOf(&roles[i])
	}
	return out, nil
}

type anyRoleInput struct {
	RoleID string `path:"roleId"`
}

func (s *Service) anyRoleRoute(ctx context.Context, actor *access.Actor, in *anyRoleInput) (*roleOutput, error) {
	var projectID string
	err := s.DB.Get(ctx, &projectID, `SELECT c.project_id FROM custom_roles c JOIN projects p ON p.id = c.project_id
		WHERE c.id = $1 AND p.org_id = $2 AND p.deleted_at IS NULL`, in.RoleID, actor.OrgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no role with ID %q in the projects of your organization.", brief(in.RoleID))
	}
	if err != nil {
		return nil, err
	}
	sc, err := s.Scope(ctx, actor, projectID)
	if err != nil {
		return nil, err
	}
	return oneRole(s.Roles.ReadIn(ctx, sc.Scope, in.RoleID))
}

// wireRole is a role in a list.
type wireRole struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Slug        string       `json:"slug"`
	Description string       `json:"description"`
	ProjectID   string       `json:"projectId"`
	CreatedAt   httpapi.Time `json:"createdAt"`
	UpdatedAt   httpapi.Time `json:"updatedAt"`
}

func wireRoleOf(r *role.Role) wireRole {
	return wireRole{r.ID, r.Name, r.Slug, r.Description, r.ProjectID, httpapi.Time(r.CreatedAt), httpapi.Time(r.UpdatedAt)}
}

type rolesOutput struct {
	Body struct {
		Roles []wireRole `json:"roles"`
	}
}

type roleOutput struct {
	Body struct {
		Role struct {
			ID          string        `json:"id"`
			Name        string        `json:"name"`
			Slug        string        `json:"slug"`
			Description string        `json:"description"`
			Permissions []access.Rule `json:"permissions"`
			ProjectID   string        `json:"projectId"`
			CreatedAt   httpapi.Time  `json:"createdAt"`
			UpdatedAt   httpapi.Time  `json:"updatedAt"`
		} `json:"role"`
	}
}

func oneRole(r *role.Role, err error) (*roleOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &roleOutput{}
	w := &out.Body.Role
	w.ID, w.Name, w.Slug, w.Description, w.ProjectID = r.ID, r.Name, r.Slug, r.Description, r.ProjectID
	w.Permissions, w.CreatedAt, w.UpdatedAt = append([]access.Rule{}, r.Rules...), httpapi.Time(r.CreatedAt), httpapi.Time(r.UpdatedAt)
	return out, nil
}
