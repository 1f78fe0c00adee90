package project

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/role"
)

const roleTag = "Project Roles"

// roleRoutes mounts the roles of projects, under their three names (docs/reference/secrets.md section 4.6). The oldest
// one names the project by its slug.
func (s *Service) roleRoutes(api *httpapi.API) {
	for _, v := range []struct {
		base, suffix string
		old          bool
		ref          func(project string) Ref
	}{
		{"/api/v1/projects/{projectId}/roles", "", false, byID},
		{"/api/v2/workspace/{projectId}/roles", "-old", true, byID},
		{"/api/v1/workspace/{projectId}/roles", "-oldest", true, bySlug},
	} {
		r := roleRoute{s, v.ref}
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

// roleRoute is one name of the routes, with its way to name a project.
type roleRoute struct {
	projects *Service
	ref      func(project string) Ref
}

func byID(project string) Ref   { return Ref{ID: project} }
func bySlug(project string) Ref { return Ref{Slug: project} }

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
	rules, err := role.ParseRules(in.Body.Permissions)
	if err != nil {
		return nil, err
	}
	slug, name, description := in.Body.Slug.Trimmed(), in.Body.Name.Trimmed(), string(in.Body.Description)
	return oneRole(r.projects.CreateRole(ctx, actor, r.ref(in.ProjectID), role.Changes{Slug: &slug, Name: &name, Description: &description, Rules: &rules}))
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
	c := role.Changes{Slug: trimmed(in.Body.Slug), Name: trimmed(in.Body.Name), Description: (*string)(in.Body.Description)}
	if in.Body.Permissions != nil {
		rules, err := role.ParseRules(*in.Body.Permissions)
		if err != nil {
			return nil, err
		}
		c.Rules = &rules
	}
	return oneRole(r.projects.UpdateRole(ctx, actor, r.ref(in.ProjectID), in.RoleID, c))
}

type roleInput struct {
	ProjectID string `path:"projectId" doc:"Id; in the oldest routes the slug"`
	RoleID    string `path:"roleId"`
}

func (r roleRoute) delete(ctx context.Context, actor *access.Actor, in *roleInput) (*roleOutput, error) {
	return oneRole(r.projects.DeleteRole(ctx, actor, r.ref(in.ProjectID), in.RoleID))
}

type roleSlugInput struct {
	ProjectID string `path:"projectId" doc:"Id; in the oldest routes the slug"`
	Slug      string `path:"slug"`
}

func (r roleRoute) bySlug(ctx context.Context, actor *access.Actor, in *roleSlugInput) (*roleOutput, error) {
	return oneRole(r.projects.ReadRole(ctx, actor, r.ref(in.ProjectID), in.Slug))
}

func (r roleRoute) list(ctx context.Context, actor *access.Actor, in *projectInput) (*rolesOutput, error) {
	roles, err := r.projects.ListRoles(ctx, actor, r.ref(in.ProjectID))
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
	return oneRole(s.ReadAnyRole(ctx, actor, in.RoleID))
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
