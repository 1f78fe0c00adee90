package project

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const environmentTag = "Environments"

// environmentRoutes mounts environments under projects, and under workspaces as projects were once called
// (docs/reference/secrets.md section 3.2).
func (s *Service) environmentRoutes(api *httpapi.API) {
	at := func(base, suffix string, old bool) func(method, tail, id, summary string, action access.Action) httpapi.Route {
		return func(method, tail, id, summary string, action access.Action) httpapi.Route {
			return httpapi.Route{Method: method, Path: base + "/{projectId}/environments" + tail, ID: id + "-environment" + suffix, Tag: environmentTag,
				Summary: summary, Permission: httpapi.Permission{Action: action, Subject: access.SubjectEnvironments}, Yields: true, Deprecated: old}
		}
	}
	current, old := at("/api/v1/projects", "", false), at("/api/v1/workspace", "-old", true)
	httpapi.Handle(api, current(http.MethodGet, "/slug/{slug}", "get-slug", "Read an environment by its slug", access.Read), s.readEnvironmentSlugRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/workspace/environments/{environmentId}", ID: "get-any-environment", Tag: environmentTag,
		Summary: "Read an environment of any project", Deprecated: true,
		Permission: httpapi.Permission{Action: access.Read, Subject: access.SubjectEnvironments}}, s.readAnyEnvironmentRoute)
	mountEnvironments(s, api, current, answerEnvironment)
	mountEnvironments(s, api, old, answerOldEnvironment)
}

func mountEnvironments[O any](s *Service, api *httpapi.API, at func(method, tail, id, summary string, action access.Action) httpapi.Route,
	answer func(message string, e *Environment, err error) (*O, error)) {
	httpapi.Handle(api, at(http.MethodPost, "", "create", "Create an environment", access.Create), func(ctx context.Context, actor *access.Actor, in *createEnvironmentInput) (*O, error) {
		e, err := s.AddEnvironment(ctx, actor, in.ProjectID, in.Body.Name.Trimmed(), string(in.Body.Slug), or(in.Body.Position, 0))
		return answer("The environment is created", e, err)
	})
	httpapi.Handle(api, at(http.MethodGet, "/{environmentId}", "get", "Read an environment", access.Read), s.readEnvironmentRoute)
	httpapi.Handle(api, at(http.MethodPatch, "/{environmentId}", "update", "Change an environment's name, slug or position", access.Edit), func(ctx context.Context, actor *access.Actor, in *updateEnvironmentInput) (*O, error) {
		c := EnvironmentChanges{Name: trimmed(in.Body.Name), Slug: (*string)(in.Body.Slug), Position: in.Body.Position}
		if or(c.Position, 0) == 0 {
			c.Position = nil // Terraform sends 0 for a position that is not set
		}
		e, err := s.UpdateEnvironment(ctx, actor, in.ProjectID, in.EnvironmentID, c)
		return answer("The environment is changed", e, err)
	})
	httpapi.Handle(api, at(http.MethodDelete, "/{environmentId}", "delete", "Delete an environment, by default so that it can be restored", access.Delete), func(ctx context.Context, actor *access.Actor, in *deleteEnvironmentInput) (*O, error) {
		e, err := s.DeleteEnvironment(ctx, actor, in.ProjectID, in.EnvironmentID, in.Hard == "true")
		return answer("The environment is deleted", e, err)
	})
	httpapi.Handle(api, at(http.MethodPost, "/{environmentId}/restore", "restore", "Restore a deleted environment", access.Edit), func(ctx context.Context, actor *access.Actor, in *environmentInput) (*O, error) {
		e, err := s.RestoreEnvironment(ctx, actor, in.ProjectID, in.EnvironmentID)
		return answer("The environment is restored", e, err)
	})
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

type createEnvironmentInput struct {
	ProjectID string `path:"projectId"`
	Body      struct {
		Name     httpapi.Name `json:"name" minLength:"1" maxLength:"255"`
		Slug     httpapi.Name `json:"slug" minLength:"1" maxLength:"64"`
		Position *int64       `json:"position,omitempty" minimum:"0" maximum:"100000" doc:"From 1 on; default, and 0: after all others"`
	}
}

type environmentInput struct {
	ProjectID     string `path:"projectId"`
	EnvironmentID string `path:"environmentId"`
}

type updateEnvironmentInput struct {
	ProjectID     string `path:"projectId"`
	EnvironmentID string `path:"environmentId"`
	Body          struct {
		Name     *httpapi.Name `json:"name,omitempty" minLength:"1" maxLength:"255"`
		Slug     *httpapi.Name `json:"slug,omitempty" minLength:"1" maxLength:"64"`
		Position *int64        `json:"position,omitempty" minimum:"0" maximum:"100000" doc:"From 1 on; default, and 0: as it is"`
	}
}

type deleteEnvironmentInput struct {
	ProjectID     string `path:"projectId"`
	EnvironmentID string `path:"environmentId"`
	Hard          string `query:"hardDelete" enum:"true,false" doc:"Permanently, without the grace period"`
}

// wireEnvironment is an environment as the routes about it answer.
type wireEnvironment struct {
	ID                string        `json:"id"`
	Name              string        `json:"name"`
	Slug              string        `json:"slug"`
	Position          int64         `json:"position"`
	ProjectID         string        `json:"projectId"`
	CreatedAt         httpapi.Time  `json:"createdAt"`
	UpdatedAt         httpapi.Time  `json:"updatedAt"`
	DeleteAfter       *httpapi.Time `json:"deleteAfter"`
	DeletedAt         *httpapi.Time `json:"softDeletedAt"`
	DeletedByUser     *string       `json:"deletedByUserId"`
	DeletedByIdentity *string       `json:"deletedByIdentityId"`
}

func wireEnv(e *Environment) wireEnvironment {
	return wireEnvironment{e.ID, e.Name, e.Slug, e.Position, e.ProjectID, httpapi.Time(e.CreatedAt), httpapi.Time(e.UpdatedAt),
		(*httpapi.Time)(e.DeleteAfter), (*httpapi.Time)(e.DeletedAt), e.DeletedByUser, e.DeletedByIdentity}
}

type environmentOutput struct {
	Body struct {
		Message     string          `json:"message"`
		ProjectID   string          `json:"projectId"`
		Environment wireEnvironment `json:"environment"`
	}
}

func answerEnvironment(message string, e *Environment, err error) (*environmentOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &environmentOutput{}
	out.Body.Message, out.Body.ProjectID, out.Body.Environment = message, e.ProjectID, wireEnv(e)
	return out, nil
}

// oldEnvironmentOutput is environmentOutput with the name that projects once had.
type oldEnvironmentOutput struct {
	Body struct {
		Message     string          `json:"message"`
		Workspace   string          `json:"workspace" doc:"The project's id"`
		Environment wireEnvironment `json:"environment"`
	}
}

func answerOldEnvironment(message string, e *Environment, err error) (*oldEnvironmentOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &oldEnvironmentOutput{}
	out.Body.Message, out.Body.Workspace, out.Body.Environment = message, e.ProjectID, wireEnv(e)
	return out, nil
}

type oneEnvironmentOutput struct {
	Body struct {
		Environment wireEnvironment `json:"environment"`
	}
}

func oneEnvironment(e *Environment, err error) (*oneEnvironmentOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &oneEnvironmentOutput{}
	out.Body.Environment = wireEnv(e)
	return out, nil
}

func (s *Service) readEnvironmentRoute(ctx context.Context, actor *access.Actor, in *environmentInput) (*oneEnvironmentOutput, error) {
	return oneEnvironment(s.ReadEnvironment(ctx, actor, in.ProjectID, in.EnvironmentID))
}

type environmentSlugInput struct {
	ProjectID string `path:"projectId"`
	Slug      string `path:"slug"`
}

func (s *Service) readEnvironmentSlugRoute(ctx context.Context, actor *access.Actor, in *environmentSlugInput) (*oneEnvironmentOutput, error) {
	return oneEnvironment(s.ReadEnvironmentSlug(ctx, actor, in.ProjectID, in.Slug))
}

type anyEnvironmentInput struct {
	EnvironmentID string `path:"environmentId"`
}

func (s *Service) readAnyEnvironmentRoute(ctx context.Context, actor *access.Actor, in *anyEnvironmentInput) (*oneEnvironmentOutput, error) {
	return oneEnvironment(s.ReadAnyEnvironment(ctx, actor, in.EnvironmentID))
}
