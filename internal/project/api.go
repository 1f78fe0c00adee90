package project

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const projectTag = "Projects"

// Routes mounts the routes of projects (docs/reference/secrets.md section 3).
func (s *Service) Routes(api *httpapi.API) {
	can := func(action access.Action, subject access.Subject) httpapi.Permission {
		return httpapi.Permission{Action: action, Subject: subject}
	}
	const path = "/api/v1/projects"
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: path, ID: "create-project", Tag: projectTag,
		Summary: "Create a project and become its administrator", Permission: can(access.Create, access.SubjectWorkspace)}, s.createRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: path, ID: "list-projects", Tag: projectTag,
		Summary: "List the projects that you are a member of", AnyActor: true}, s.listRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: path + "/{projectId}", ID: "get-project", Tag: projectTag,
		Summary: "Read a project that you are a member of", AnyActor: true}, s.readRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: path + "/slug/{slug}", ID: "get-project-by-slug", Tag: projectTag,
		Summary: "Read a project by its slug", AnyActor: true}, s.readSlugRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPatch, Path: path + "/{projectId}", ID: "update-project", Tag: projectTag,
		Summary: "Change the settings of a project", Permission: can(access.Edit, access.SubjectSettings)}, s.updateRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodDelete, Path: path + "/{projectId}", ID: "delete-project", Tag: projectTag,
		Summary: "Delete a project and everything in it", Permission: can(access.Delete, access.SubjectWorkspace)}, s.deleteRoute)
	s.workspaceRoutes(api)
	s.environmentRoutes(api)
	s.folderRoutes(api)
	s.retentionRoutes(api)
	s.roleRoutes(api)
	s.ownedRoutes(api)
	s.tagRoutes(api)
}

type createInput struct {
	Body struct {
		Name             httpapi.Name   `json:"projectName" minLength:"1" maxLength:"255"`
		Description      *httpapi.Prose `json:"projectDescription,omitempty" maxLength:"1024"`
		Slug             *httpapi.Name  `json:"slug,omitempty" minLength:"5" maxLength:"36" doc:"Default: made of the name"`
		KMSKeyID         httpapi.Text   `json:"kmsKeyId,omitempty" maxLength:"64" doc:"Refused: the key of a project is always its own"`
		Template         string         `json:"template,omitempty" enum:"default" default:"default"`
		Type             string         `json:"type,omitempty" enum:"secret-manager" default:"secret-manager"`
		DefaultEnvs      bool           `json:"shouldCreateDefaultEnvs,omitempty" default:"true" doc:"Development, Staging and Production"`
		DeleteProtection bool           `json:"hasDeleteProtection,omitempty" default:"false"`
	}
}

type wrappedOutput struct {
	Body struct {
		Project wireProject `json:"project"`
	}
}

func wrapped(p *Project, err error) (*wrappedOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &wrappedOutput{}
	out.Body.Project = wire(p)
	return out, nil
}

func (s *Service) createRoute(ctx context.Context, actor *access.Actor, in *createInput) (*wrappedOutput, error) {
	if in.Body.KMSKeyID != "" {
		return nil, fault.New(fault.BadRequest, "A project cannot use an external key. Leave kmsKeyId out: the project gets its own key.")
	}
	d := Draft{Name: in.Body.Name.Trimmed(), Description: (*string)(in.Body.Description), Bare: !in.Body.DefaultEnvs, DeleteProtection: in.Body.DeleteProtection}
	if in.Body.Slug != nil {
		d.Slug = in.Body.Slug.Trimmed()
	}
	return wrapped(s.Create(ctx, actor, d))
}

type listInput struct {
	Type string `query:"type" enum:"secret-manager,cert-manager,kms,ssh,secret-scanning,pam,ai" doc:"Only projects of a type; all here are of secret-manager"`
}

type listOutput struct {
	Body struct {
		Projects []wireProject `json:"projects"`
	}
}

func (s *Service) listRoute(ctx context.Context, actor *access.Actor, in *listInput) (*listOutput, error) {
	projects, err := s.List(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Projects = wireAll(projects, in.Type)
	return out, nil
}

func wireAll(projects []*Project, ofType string) []wireProject {
	found := []wireProject{}
	for _, p := range projects {
		if ofType == "" || p.Type == ofType {
			found = append(found, wire(p))
		}
	}
	return found
}

type projectInput struct {
	ProjectID string `path:"projectId"`
}

func (s *Service) readRoute(ctx context.Context, actor *access.Actor, in *projectInput) (*wrappedOutput, error) {
	return wrapped(s.Read(ctx, actor, in.ProjectID))
}

type slugInput struct {
	Slug string `path:"slug"`
}

// bareOutput is a project without a name around it.
type bareOutput struct{ Body wireProject }

func bare(p *Project, err error) (*bareOutput, error) {
	if err != nil {
		return nil, err
	}
	return &bareOutput{wire(p)}, nil
}

func (s *Service) readSlugRoute(ctx context.Context, actor *access.Actor, in *slugInput) (*bareOutput, error) {
	return bare(s.ReadSlug(ctx, actor, in.Slug))
}

// updateBody is what a project can be changed to.
type updateBody struct {
	Name             *httpapi.Name   `json:"name,omitempty" minLength:"1" maxLength:"64"`
	Description      *httpapi.Prose  `json:"description,omitempty" maxLength:"1024"`
	AutoCapital      *bool           `json:"autoCapitalization,omitempty"`
	DeleteProtection *bool           `json:"hasDeleteProtection,omitempty"`
	SealedMetadata   *bool           `json:"enforceEncryptedSecretManagerSecretMetadata,omitempty"`
	Slug             *httpapi.Name   `json:"slug,omitempty" minLength:"1" maxLength:"64"`
	SecretSharing    *bool           `json:"secretSharing,omitempty"`
	SnapshotsLegacy  *bool           `json:"showSnapshotsLegacy,omitempty"`
	IgnoredValues    *[]httpapi.Text `json:"secretDetectionIgnoreValues,omitempty" maxItems:"100"`
	VersionLimit     *int64          `json:"pitVersionLimit,omitempty" minimum:"1" maximum:"100"`
}

func (b *updateBody) changes() Changes {
	c := Changes{Name: trimmed(b.Name), Slug: trimmed(b.Slug), Description: (*string)(b.Description), AutoCapital: b.AutoCapital,
		DeleteProtection: b.DeleteProtection, SecretSharing: b.SecretSharing, SnapshotsLegacy: b.SnapshotsLegacy,
		SealedMetadata: b.SealedMetadata, VersionLimit: b.VersionLimit}
	if b.IgnoredValues != nil {
		values := make([]string, len(*b.IgnoredValues))
		for i, v := range *b.IgnoredValues {
			values[i] = string(v)
		}
		c.IgnoredValues = &values
	}
	return c
}

func trimmed[T httpapi.Text | httpapi.Name](t *T) *string {
	if t == nil {
		return nil
	}
	s := httpapi.Text(*t).Trimmed()
	return &s
}

type updateInput struct {
	ProjectID string `path:"projectId"`
	Body      updateBody
}

func (s *Service) updateRoute(ctx context.Context, actor *access.Actor, in *updateInput) (*wrappedOutput, error) {
	return wrapped(s.Update(ctx, actor, in.ProjectID, in.Body.changes()))
}

func (s *Service) deleteRoute(ctx context.Context, actor *access.Actor, in *projectInput) (*wrappedOutput, error) {
	return wrapped(s.Delete(ctx, actor, in.ProjectID))
}
