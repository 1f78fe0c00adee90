package secret

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const importTag = "Secret imports"

// importRoutes mounts the routes that manage imports (docs/reference/secrets.md section 2.4), in both versions: they
// differ in the word for a project, and each takes the words of both.
func (s *Service) importRoutes(api *httpapi.API) {
	for _, v := range []struct{ path, suffix string }{{"/api/v2/secret-imports", ""}, {"/api/v1/secret-imports", "-old"}} {
		route := func(method, path, id, summary string, action access.Action) httpapi.Route {
			return httpapi.Route{Method: method, Path: v.path + path, ID: id + v.suffix, Tag: importTag, Summary: summary,
				Permission: httpapi.Permission{Action: action, Subject: access.SubjectSecretImports}}
		}
		const one = "/{importId}"
		httpapi.Handle(api, route(http.MethodPost, "", "create-secret-import", "Have a folder import another one", access.Create), s.addImportRoute)
		httpapi.Handle(api, route(http.MethodGet, "", "list-secret-imports", "List the imports of a folder", access.Read), s.listImportsRoute)
		httpapi.Handle(api, route(http.MethodGet, one, "get-secret-import", "Read an import", access.Read), s.getImportRoute)
		httpapi.Handle(api, route(http.MethodPatch, one, "update-secret-import", "Change where an import leads to, or its position", access.Edit), s.updateImportRoute)
		httpapi.Handle(api, route(http.MethodDelete, one, "delete-secret-import", "Have a folder import something no more", access.Delete), s.deleteImportRoute)
	}
}

// WireImport is an import as the routes answer it.
type WireImport struct {
	ID            string        `json:"id"`
	Version       int64         `json:"version"`
	Path          string        `json:"importPath"`
	Position      int64         `json:"position"`
	CreatedAt     httpapi.Time  `json:"createdAt"`
	UpdatedAt     httpapi.Time  `json:"updatedAt"`
	FolderID      string        `json:"folderId" doc:"The folder that imports"`
	IsReplication bool          `json:"isReplication" doc:"Always false"`
	Success       *bool         `json:"isReplicationSuccess" doc:"Always null"`
	Status        *string       `json:"replicationStatus" doc:"Always null"`
	Replicated    *httpapi.Time `json:"lastReplicated" doc:"Always null"`
	Reserved      bool          `json:"isReserved" doc:"Always false"`
	From          wireEnv       `json:"importEnv" doc:"The environment that is imported from"`
	SecretPath    string        `json:"secretPath" doc:"Path of the folder that imports"`
}

type wireEnv struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

func wireOf(i *Import) WireImport {
	return WireImport{ID: i.ID, Version: i.Version, Path: i.Path, Position: i.Position, CreatedAt: httpapi.Time(i.CreatedAt),
		UpdatedAt: httpapi.Time(i.UpdatedAt), FolderID: i.FolderID, From: wireEnv{i.From.ID, i.From.Name, i.From.Slug}, SecretPath: i.Into.path}
}

// ImportPlaceBody is how a body names the folder that imports.
type ImportPlaceBody struct {
	ProjectBody
	Environment httpapi.Text `json:"environment" minLength:"1" maxLength:"64" doc:"Slug of the environment"`
	Path        httpapi.Text `json:"path,omitempty" maxLength:"2048" doc:"Path of the folder that imports; default /"`
}

func (b *ImportPlaceBody) place() Place {
	p := b.ProjectBody.place()
	p.Environment, p.Path = b.Environment.Trimmed(), string(b.Path)
	return p
}

type importOutput struct {
	Body struct {
		Message string     `json:"message"`
		Import  WireImport `json:"secretImport"`
	}
}

func importAnswer(message string, i *Import, err error) (*importOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &importOutput{}
	out.Body.Message, out.Body.Import = message, wireOf(i)
	return out, nil
}

type addImportInput struct {
	Body struct {
		ImportPlaceBody
		Import struct {
			Environment httpapi.Text `json:"environment" minLength:"1" maxLength:"64"`
			Path        httpapi.Text `json:"path" minLength:"1" maxLength:"2048"`
		} `json:"import" doc:"What to import"`
		Replicate bool `json:"isReplication,omitempty" doc:"Has no effect here: an import always shows what is there now"`
	}
}

func (s *Service) addImportRoute(ctx context.Context, actor *access.Actor, in *addImportInput) (*importOutput, error) {
	i, err := s.AddImport(ctx, actor, in.Body.place(), in.Body.Import.Environment.Trimmed(), string(in.Body.Import.Path))
	return importAnswer("The folder imports the other one now", i, err)
}

type listImportsInput struct {
	ProjectID   string `query:"projectId" maxLength:"64"`
	WorkspaceID string `query:"workspaceId" maxLength:"64" doc:"Same as projectId"`
	ProjectSlug string `query:"projectSlug" maxLength:"64" doc:"Instead of projectId"`
	Environment string `query:"environment" maxLength:"64" doc:"Slug of the environment"`
	Path        string `query:"path" maxLength:"2048" doc:"Path of the folder that imports; default /"`
}

type listImportsOutput struct {
	Body struct {
		Message string       `json:"message"`
		Imports []WireImport `json:"secretImports"`
	}
}

func (s *Service) listImportsRoute(ctx context.Context, actor *access.Actor, in *listImportsInput) (*listImportsOutput, error) {
	all, err := s.ListImports(ctx, actor, Place{ProjectID: either(in.ProjectID, in.WorkspaceID), ProjectSlug: in.ProjectSlug, Environment: in.Environment, Path: in.Path})
	if err != nil {
		return nil, err
	}
	out := &listImportsOutput{}
	out.Body.Message, out.Body.Imports = "The imports of the folder", make([]WireImport, len(all))
	for i := range all {
		out.Body.Imports[i] = wireOf(&all[i])
	}
	return out, nil
}

type importIDInput struct {
	ID string `path:"importId"`
}

// wireImportInPlace is an import with the folder that imports.
type wireImportInPlace struct {
	WireImport
	Environment wireEnv `json:"environment" doc:"The environment of the folder that imports"`
	ProjectID   string  `json:"projectId"`
}

type importInPlaceOutput struct {
	Body struct {
		Import wireImportInPlace `json:"secretImport"`
	}
}

func (s *Service) getImportRoute(ctx context.Context, actor *access.Actor, in *importIDInput) (*importInPlaceOutput, error) {
	i, err := s.ReadImport(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := &importInPlaceOutput{}
	env := i.Into.env
	out.Body.Import = wireImportInPlace{WireImport: wireOf(i), Environment: wireEnv{env.ID, env.Name, env.Slug}, ProjectID: i.Into.Project.ID}
	return out, nil
}

type updateImportInput struct {
	ID   string `path:"importId"`
	Body struct {
		ImportPlaceBody
		Import struct {
			Environment *httpapi.Text `json:"environment,omitempty" minLength:"1" maxLength:"64"`
			Path        *httpapi.Text `json:"path,omitempty" minLength:"1" maxLength:"2048"`
			Position    *int64        `json:"position,omitempty" minimum:"1" maximum:"1000"`
		} `json:"import"`
	}
}

func (s *Service) updateImportRoute(ctx context.Context, actor *access.Actor, in *updateImportInput) (*importOutput, error) {
	b := &in.Body.Import
	c := ImportChanges{Path: (*string)(b.Path), Position: b.Position}
	if b.Environment != nil {
		slug := b.Environment.Trimmed()
		c.Environment = &slug
	}
	i, err := s.UpdateImport(ctx, actor, in.Body.place(), in.ID, c)
	return importAnswer("The import is changed", i, err)
}

type deleteImportInput struct {
	ID   string `path:"importId"`
	Body ImportPlaceBody
}

func (s *Service) deleteImportRoute(ctx context.Context, actor *access.Actor, in *deleteImportInput) (*importOutput, error) {
	i, err := s.RemoveImport(ctx, actor, in.Body.place(), in.ID)
	return importAnswer("The folder imports that no more", i, err)
}
