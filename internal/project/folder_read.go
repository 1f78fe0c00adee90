package project

import (
	"context"
	"errors"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// ListFolders returns the folders at a spot, by path: the direct children, or all below. A path that does not exist has
// none. modifiedSince, milliseconds UTC, leaves out folders whose secrets did not change since; 0 leaves out none. Any
// member may read folders. Errors: those of Enter, NotFound for an unknown environment.
func (s *Service) ListFolders(ctx context.Context, actor *access.Actor, at Location, recursive bool, modifiedSince int64) ([]Folder, error) {
	a, err := s.Enter(ctx, actor, at.ProjectID)
	if err == nil {
		_, err = a.Project.Environment(at.Environment)
	}
	if err != nil {
		return nil, err
	}
	parent, err := FolderAt(ctx, s.db, at.ProjectID, at.Environment, at.Path)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	levels := 1
	if recursive {
		levels = MaxDepth
	}
	folders, err := Below(ctx, s.db, parent, levels)
	if modifiedSince == 0 {
		return folders, err
	}
	kept := folders[:0]
	for _, f := range folders {
		if f.SecretModifiedAt != nil && *f.SecretModifiedAt >= modifiedSince {
			kept = append(kept, f)
		}
	}
	return kept, err
}

// Located is a folder with where it is.
type Located struct {
	Folder
	ProjectID       string `db:"project_id"`
	EnvironmentName string `db:"environment_name"`
	EnvironmentSlug string `db:"environment_slug"`
}

// ReadFolder returns a folder by its id. Errors: NotFound, and those of Enter.
func (s *Service) ReadFolder(ctx context.Context, actor *access.Actor, folderID string) (*Located, error) {
	f := &Located{}
	err := s.db.Get(ctx, f, `SELECT `+folderColumns+`, e.project_id, e.name AS environment_name, e.slug AS environment_slug
		FROM folders f JOIN environments e ON e.id = f.environment_id JOIN projects p ON p.id = e.project_id
		WHERE f.id = $1 AND p.org_id = $2 AND e.deleted_at IS NULL AND p.deleted_at IS NULL`, folderID, actor.OrgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no folder with ID %q in the projects of your organization.", shortened(folderID))
	}
	if err == nil {
		_, err = s.Enter(ctx, actor, f.ProjectID)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ReadFolderAt returns the folder at a path of an environment; no path at all is none. Errors: those of Enter, NotFound.
func (s *Service) ReadFolderAt(ctx context.Context, actor *access.Actor, projectID, environment, path string) (*Located, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err != nil {
		return nil, err
	}
	e, err := a.Project.Environment(environment)
	if err == nil && strings.TrimSpace(path) == "" {
		err = fault.New(fault.NotFound, "The request has no folder path. The root is /, which is %%2F in a URL.")
	}
	if err != nil {
		return nil, err
	}
	f, err := FolderAt(ctx, s.db, projectID, environment, ParsePath(path))
	if err != nil {
		return nil, err
	}
	return &Located{Folder: *f, ProjectID: projectID, EnvironmentName: e.Name, EnvironmentSlug: e.Slug}, nil
}
