package keys

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Routes mounts the rotation of keys: routes of our own, which no other product has.
func (s *Service) Routes(api *httpapi.API) {
	admin := func(method, path, id, summary string) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/admin/keys" + path, ID: id, Tag: "Keys", Summary: summary,
			Description: "For instance administrators.", AnyActor: true}
	}
	httpapi.Handle(api, admin(http.MethodGet, "", "read-root-key", "Read the progress of the rotation of the root key"), s.rootRoute)
	httpapi.Handle(api, admin(http.MethodPost, "/rotate", "rotate-root-key", "Rotate the root key, a few steps at a time"), s.rotateRootRoute)

	organization := func(method, path, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/organization/keys" + path, ID: id, Tag: "Keys", Summary: summary,
			Permission: httpapi.Permission{Action: action, Subject: access.SubjectKMS}}
	}
	httpapi.Handle(api, organization(http.MethodGet, "", "read-organization-key", "Read the progress of the rotation of the organization's key", access.Read), s.organizationRoute)
	httpapi.Handle(api, organization(http.MethodPost, "/rotate", "rotate-organization-key", "Rotate the organization's key, a few steps at a time", access.Edit),
		s.rotateOrganizationRoute)
	httpapi.Handle(api, organization(http.MethodGet, "/projects", "list-project-keys", "Read the progress of the rotations of projects' data keys", access.Read), s.projectsRoute)
	httpapi.Handle(api, organization(http.MethodPost, "/projects/{projectId}/rotate", "rotate-project-key", "Rotate the data key of a project, a few steps at a time", access.Edit),
		s.rotateProjectRoute)
}

// wireState is a State on the wire.
type wireState struct {
	KeyID     string   `json:"keyId" doc:"The key that seals now; empty if there is none yet"`
	Retiring  []string `json:"retiringKeyIds" doc:"Keys that still seal something"`
	Remaining int64    `json:"remaining" doc:"How many rows those are"`
	Done      bool     `json:"done" doc:"Whether no rotation is under way"`
}

func wire(s State) wireState {
	return wireState{s.Active, append([]string{}, s.Retiring...), s.Remaining, s.Done()}
}

type keyOutput struct {
	Body struct {
		Key wireState `json:"key"`
	}
}

func output(s State, err error) (*keyOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &keyOutput{}
	out.Body.Key = wire(s)
	return out, nil
}

type rotateBody struct {
	Resume bool `json:"resume,omitempty" doc:"Only continue a rotation that was started"`
}

type rotateInput struct {
	Body *rotateBody
}

func (b *rotateBody) resume() bool { return b != nil && b.Resume }

func (s *Service) rootRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*keyOutput, error) {
	return output(s.RootState(ctx, actor))
}

func (s *Service) rotateRootRoute(ctx context.Context, actor *access.Actor, in *rotateInput) (*keyOutput, error) {
	return output(s.RotateRoot(ctx, actor, in.Body.resume()))
}

func (s *Service) organizationRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*keyOutput, error) {
	return output(s.OrganizationState(ctx, actor))
}

func (s *Service) rotateOrganizationRoute(ctx context.Context, actor *access.Actor, in *rotateInput) (*keyOutput, error) {
	return output(s.RotateOrganization(ctx, actor, in.Body.resume()))
}

type rotateProjectInput struct {
	ProjectID string `path:"projectId"`
	Body      *rotateBody
}

func (s *Service) rotateProjectRoute(ctx context.Context, actor *access.Actor, in *rotateProjectInput) (*keyOutput, error) {
	return output(s.RotateProject(ctx, actor, in.ProjectID, in.Body.resume()))
}

type projectsInput struct {
	After httpapi.Text `query:"after" maxLength:"64" doc:"Id of the last project of the page before"`
	Limit int          `query:"limit" minimum:"1" maximum:"100" default:"100"`
}

type wireProject struct {
	ProjectID string    `json:"projectId"`
	Key       wireState `json:"key"`
}

type projectsOutput struct {
	Body struct {
		Projects []wireProject `json:"projects" doc:"By id; fewer than the limit at the end"`
	}
}

func (s *Service) projectsRoute(ctx context.Context, actor *access.Actor, in *projectsInput) (*projectsOutput, error) {
	states, err := s.ProjectStates(ctx, actor, in.After.Trimmed(), in.Limit)
	if err != nil {
		return nil, err
	}
	out := &projectsOutput{}
	out.Body.Projects = make([]wireProject, len(states))
	for i, p := range states {
		out.Body.Projects[i] = wireProject{p.ProjectID, wire(p.State)}
	}
	return out, nil
}
