package project

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// workspaceRoutes mounts projects under the name that they once had, for older clients
// (docs/reference/secrets.md section 3.3). Version 1 names them by id and wraps its answers as "workspace", version 2
// names them by slug and does not wrap.
func (s *Service) workspaceRoutes(api *httpapi.API) {
	route := func(method, path, id, summary string, p httpapi.Permission) httpapi.Route {
		return httpapi.Route{Method: method, Path: path, ID: id, Tag: projectTag, Summary: summary, Permission: p, AnyActor: p == httpapi.Permission{}, Deprecated: true}
	}
	const v1, v2 = "/api/v1/workspace", "/api/v2/workspace"
	anyone := httpapi.Permission{}
	edit := httpapi.Permission{Action: access.Edit, Subject: access.SubjectSettings}
	remove := httpapi.Permission{Action: access.Delete, Subject: access.SubjectWorkspace}
	httpapi.Handle(api, route(http.MethodGet, v1, "list-workspaces", "List projects, as workspaces", anyone), s.workspacesRoute)
	httpapi.Handle(api, route(http.MethodGet, v1+"/{projectId}", "get-workspace", "Read a project, as a workspace", anyone), s.workspaceRoute)
	httpapi.Handle(api, route(http.MethodGet, v1+"/slug/{slug}", "get-workspace-by-slug", "Read a project by its slug, as a workspace", anyone), s.readSlugRoute)
	httpapi.Handle(api, route(http.MethodPatch, v1+"/{projectId}", "update-workspace", "Change the settings of a project, as a workspace", edit), s.updateWorkspaceRoute)
	httpapi.Handle(api, route(http.MethodDelete, v1+"/{projectId}", "delete-workspace", "Delete a project, as a workspace", remove), s.deleteWorkspaceRoute)
	httpapi.Handle(api, route(http.MethodPost, v2, "create-workspace", "Create a project, as a workspace",
		httpapi.Permission{Action: access.Create, Subject: access.SubjectWorkspace}), s.createRoute)
	httpapi.Handle(api, route(http.MethodGet, v2+"/{slug}", "get-workspace-v2", "Read a project by its slug, without a wrapper", anyone), s.readSlugRoute)
	httpapi.Handle(api, route(http.MethodPatch, v2+"/{slug}", "update-workspace-v2", "Change the settings of a project by its slug", edit), s.updateSlugRoute)
	httpapi.Handle(api, route(http.MethodDelete, v2+"/{slug}", "delete-workspace-v2", "Delete a project by its slug", remove), s.deleteSlugRoute)
}

type workspacesOutput struct {
	Body struct {
		Workspaces []wireProject `json:"workspaces"`
	}
}

func (s *Service) workspacesRoute(ctx context.Context, actor *access.Actor, in *listInput) (*workspacesOutput, error) {
	projects, err := s.List(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &workspacesOutput{}
	out.Body.Workspaces = wireAll(projects, in.Type)
	return out, nil
}

type workspaceOutput struct {
	Body struct {
		Workspace wireProject `json:"workspace"`
	}
}

func workspace(p *Project, err error) (*workspaceOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &workspaceOutput{}
	out.Body.Workspace = wire(p)
	return out, nil
}

func (s *Service) workspaceRoute(ctx context.Context, actor *access.Actor, in *projectInput) (*workspaceOutput, error) {
	return workspace(s.Read(ctx, actor, in.ProjectID))
}

func (s *Service) updateWorkspaceRoute(ctx context.Context, actor *access.Actor, in *updateInput) (*workspaceOutput, error) {
	return workspace(s.Update(ctx, actor, in.ProjectID, in.Body.changes()))
}

func (s *Service) deleteWorkspaceRoute(ctx context.Context, actor *access.Actor, in *projectInput) (*workspaceOutput, error) {
	return workspace(s.Delete(ctx, actor, in.ProjectID))
}

type updateSlugInput struct {
	Slug string `path:"slug"`
	Body updateBody
}

func (s *Service) updateSlugRoute(ctx context.Context, actor *access.Actor, in *updateSlugInput) (*bareOutput, error) {
	return bare(s.UpdateSlug(ctx, actor, in.Slug, in.Body.changes()))
}

func (s *Service) deleteSlugRoute(ctx context.Context, actor *access.Actor, in *slugInput) (*bareOutput, error) {
	return bare(s.DeleteSlug(ctx, actor, in.Slug))
}
