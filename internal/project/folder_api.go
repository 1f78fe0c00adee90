package project

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const folderTag = "Folders"

// folderRoutes mounts folders in both versions (docs/reference/secrets.md section 3.1). They differ in names, which
// both take in all spellings, and in that version 1 always deletes by force.
func (s *Service) folderRoutes(api *httpapi.API) {
	for _, v := range []struct {
		base, suffix string
		old          bool
	}{{"/api/v2/folders", "", false}, {"/api/v1/folders", "-old", true}} {
		route := func(method, tail, id, summary string, action access.Action) httpapi.Route {
			r := httpapi.Route{Method: method, Path: v.base + tail, ID: id + v.suffix, Tag: folderTag, Summary: summary, Deprecated: v.old}
			if r.AnyActor = action == access.Read; !r.AnyActor {
				r.Permission = httpapi.Permission{Action: action, Subject: access.SubjectSecretFolders}
			}
			return r
		}
		httpapi.Handle(api, route(http.MethodPost, "", "create-folder", "Create a folder, and those above it that are missing", access.Create), s.addFolderRoute)
		httpapi.Handle(api, route(http.MethodGet, "", "list-folders", "List the folders in a folder", access.Read), s.listFoldersRoute)
		httpapi.Handle(api, route(http.MethodGet, "/{folderId}", "get-folder", "Read a folder by its id", access.Read), s.readFolderRoute)
		httpapi.Handle(api, route(http.MethodPatch, "/{folderId}", "update-folder", "Rename or describe a folder, by its id or name", access.Edit), s.updateFolderRoute)
		httpapi.Handle(api, route(http.MethodPatch, "/batch", "update-folders", "Rename or describe several folders, or none", access.Edit), s.updateFoldersRoute)
		httpapi.Handle(api, route(http.MethodDelete, "/{folderId}", "delete-folder", "Delete a folder, by its id or name", access.Delete),
			func(ctx context.Context, actor *access.Actor, in *deleteFolderInput) (*folderOutput, error) {
				f, err := s.DeleteFolder(ctx, actor, in.Body.spot(), in.FolderID, v.old || in.Body.Force)
				return oneFolder(f, err)
			})
	}
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/folders/{projectId}/{environment}/{secretPath}", ID: "get-folder-at-path", Tag: folderTag,
		Summary: "Read a folder by its path", AnyActor: true, Deprecated: true}, s.readFolderAtRoute)
}

// Place is where folders are, in the words of all versions. It is exported since huma looks into no other.
type Place struct {
	ProjectID   httpapi.Text `json:"projectId,omitempty" maxLength:"64"`
	WorkspaceID httpapi.Text `json:"workspaceId,omitempty" maxLength:"64" doc:"Same as projectId; for older clients"`
	Environment httpapi.Text `json:"environment" minLength:"1" maxLength:"64" doc:"Slug"`
	Path        httpapi.Text `json:"path,omitempty" maxLength:"4096" doc:"Of the folder above; default the root"`
	Directory   httpapi.Text `json:"directory,omitempty" maxLength:"4096" doc:"Same as path; for older clients"`
}

func (p Place) spot() Location {
	return spotOf(p.ProjectID, p.WorkspaceID, p.Environment, p.Path, p.Directory)
}

func spotOf(project, workspace, environment, path, directory httpapi.Text) Location {
	return Location{first(project, workspace), strings.TrimSpace(string(environment)), ParsePath(first(path, directory))}
}

// first returns the first of some texts that is not empty.
func first(texts ...httpapi.Text) string {
	for _, t := range texts {
		if t != "" {
			return t.Trimmed()
		}
	}
	return ""
}

type addFolderInput struct {
	Body struct {
		Place
		Name        httpapi.Name   `json:"name" minLength:"1" maxLength:"255"`
		Description *httpapi.Prose `json:"description,omitempty" maxLength:"1024"`
	}
}

func (s *Service) addFolderRoute(ctx context.Context, actor *access.Actor, in *addFolderInput) (*folderOutput, error) {
	return oneFolder(s.AddFolder(ctx, actor, in.Body.spot(), in.Body.Name.Trimmed(), (*string)(in.Body.Description)))
}

type listFoldersInput struct {
	ProjectID   httpapi.Text `query:"projectId"`
	WorkspaceID httpapi.Text `query:"workspaceId" doc:"Same as projectId; for older clients"`
	Environment httpapi.Text `query:"environment" required:"true" doc:"Slug"`
	Path        httpapi.Text `query:"path" doc:"Default: the root"`
	Directory   httpapi.Text `query:"directory" doc:"Same as path; for older clients"`
	Recursive   bool         `query:"recursive"`
	Modified    time.Time    `query:"lastSecretModified" doc:"Only folders whose secrets changed since"`
}

type foldersOutput struct {
	Body struct {
		Folders []wireFolder `json:"folders"`
	}
}

func (s *Service) listFoldersRoute(ctx context.Context, actor *access.Actor, in *listFoldersInput) (*foldersOutput, error) {
	at := spotOf(in.ProjectID, in.WorkspaceID, in.Environment, in.Path, in.Directory)
	since := int64(0)
	if !in.Modified.IsZero() {
		since = max(1, in.Modified.UnixMilli())
	}
	folders, err := s.ListFolders(ctx, actor, at, in.Recursive, since)
	if err != nil {
		return nil, err
	}
	out := wireFolders(folders)
	for i := range folders {
		if in.Recursive {
			relative := "/" + strings.TrimPrefix(folders[i].Path, below(at.Path))
			out.Body.Folders[i].RelativePath = &relative
		}
	}
	return out, nil
}

type folderInput struct {
	FolderID string `path:"folderId"`
}

func (s *Service) readFolderRoute(ctx context.Context, actor *access.Actor, in *folderInput) (*folderOutput, error) {
	return located(s.ReadFolder(ctx, actor, in.FolderID))
}

type folderAtInput struct {
	ProjectID   string `path:"projectId"`
	Environment string `path:"environment" doc:"Slug"`
	Path        string `path:"secretPath" doc:"Of the folder, percent-encoded: %2Fapp%2Fdb"`
}

func (s *Service) readFolderAtRoute(ctx context.Context, actor *access.Actor, in *folderAtInput) (*folderOutput, error) {
	return located(s.ReadFolderAt(ctx, actor, in.ProjectID, in.Environment, in.Path))
}

func located(f *Located, err error) (*folderOutput, error) {
	if err != nil {
		return nil, err
	}
	out, _ := oneFolder(&f.Folder, nil)
	out.Body.Folder.ProjectID = &f.ProjectID
	out.Body.Folder.Environment = &wireFolderEnvironment{f.EnvironmentID, f.EnvironmentName, f.EnvironmentSlug}
	return out, nil
}

type updateFolderInput struct {
	FolderID string `path:"folderId" doc:"Id or name"`
	Body     struct {
		Place
		Name        *httpapi.Name  `json:"name,omitempty" minLength:"1" maxLength:"255"`
		Description *httpapi.Prose `json:"description,omitempty" maxLength:"1024"`
	}
}

func (s *Service) updateFolderRoute(ctx context.Context, actor *access.Actor, in *updateFolderInput) (*folderOutput, error) {
	return oneFolder(s.UpdateFolder(ctx, actor, in.Body.spot(), in.FolderID, FolderChanges{trimmed(in.Body.Name), (*string)(in.Body.Description)}))
}

type updateFoldersInput struct {
	Body struct {
		ProjectID   httpapi.Text `json:"projectId,omitempty" maxLength:"64"`
		ProjectSlug httpapi.Text `json:"projectSlug,omitempty" maxLength:"64" doc:"In place of projectId"`
		Folders     []struct {
			ID          httpapi.Text   `json:"id" minLength:"1" maxLength:"255"`
			Environment httpapi.Text   `json:"environment" minLength:"1" maxLength:"64" doc:"Slug"`
			Name        *httpapi.Name  `json:"name,omitempty" minLength:"1" maxLength:"255"`
			Path        httpapi.Text   `json:"path,omitempty" maxLength:"4096" doc:"Of the folder above; default the root"`
			Description *httpapi.Prose `json:"description,omitempty" maxLength:"1024"`
		} `json:"folders" minItems:"1" maxItems:"100"`
	}
}

func (s *Service) updateFoldersRoute(ctx context.Context, actor *access.Actor, in *updateFoldersInput) (*foldersOutput, error) {
	batch := make([]BatchFolder, len(in.Body.Folders))
	for i, f := range in.Body.Folders {
		batch[i] = BatchFolder{f.Environment.Trimmed(), ParsePath(string(f.Path)), f.ID.Trimmed(), FolderChanges{trimmed(f.Name), (*string)(f.Description)}}
	}
	folders, err := s.UpdateFolders(ctx, actor, Ref{in.Body.ProjectID.Trimmed(), in.Body.ProjectSlug.Trimmed()}, batch)
	if err != nil {
		return nil, err
	}
	return wireFolders(folders), nil
}

type deleteFolderInput struct {
	FolderID string `path:"folderId" doc:"Id or name"`
	Body     struct {
		Place
		Force bool `json:"forceDelete,omitempty" default:"false" doc:"Delete it even if it is not empty"`
	}
}

// wireFolder is a folder as every route answers it; some say more.
type wireFolder struct {
	ID               string                 `json:"id"`
	Name             string                 `json:"name"`
	Version          int64                  `json:"version"`
	CreatedAt        httpapi.Time           `json:"createdAt"`
	UpdatedAt        httpapi.Time           `json:"updatedAt"`
	EnvID            string                 `json:"envId"`
	ParentID         *string                `json:"parentId"`
	Reserved         bool                   `json:"isReserved" doc:"Always false"`
	Description      *string                `json:"description"`
	SecretModifiedAt *httpapi.Time          `json:"lastSecretModified"`
	Path             string                 `json:"path" doc:"Absolute"`
	RelativePath     *string                `json:"relativePath,omitempty" doc:"From the folder that was asked for"`
	Environment      *wireFolderEnvironment `json:"environment,omitempty"`
	ProjectID        *string                `json:"projectId,omitempty"`
}

type wireFolderEnvironment struct {
	ID   string `json:"envId"`
	Name string `json:"envName"`
	Slug string `json:"envSlug"`
}

func wireOne(f *Folder) wireFolder {
	return wireFolder{ID: f.ID, Name: f.Name, Version: f.Version, CreatedAt: httpapi.Time(f.CreatedAt), UpdatedAt: httpapi.Time(f.UpdatedAt),
		EnvID: f.EnvironmentID, ParentID: f.ParentID, Description: f.Description, SecretModifiedAt: (*httpapi.Time)(f.SecretModifiedAt), Path: f.Path}
}

func wireFolders(folders []Folder) *foldersOutput {
	out := &foldersOutput{}
	out.Body.Folders = make([]wireFolder, len(folders))
	for i := range folders {
		out.Body.Folders[i] = wireOne(&folders[i])
	}
	return out
}

type folderOutput struct {
	Body struct {
		Folder wireFolder `json:"folder"`
	}
}

func oneFolder(f *Folder, err error) (*folderOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &folderOutput{}
	out.Body.Folder = wireOne(f)
	return out, nil
}
