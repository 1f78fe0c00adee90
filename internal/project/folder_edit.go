package project

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// MaxFolders is how many folders an environment has at most.
const MaxFolders = 20_000

var folderName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// checkPath refuses what no folder could be stored under: a name on it with other characters, or too deep, or too long.
func checkPath(path, field string) error {
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if path != "/" && !folderName.MatchString(name) {
			return fault.Invalid("invalid_string", "Names of folders have 1 to 255 letters, digits, dashes and underscores.", field)
		}
	}
	if len(path) > MaxPath || depth(path) > MaxDepth {
		return fault.Invalid("too_big", "A path of folders has at most 100 names and 2048 characters.", field)
	}
	return nil
}

// lockTree makes changes of the folders of one environment queue, and returns the environment's id.
func lockTree(ctx context.Context, tx *feed.Tx, projectID, environment string) (environmentID string, err error) {
	err = tx.Get(ctx, &environmentID, `UPDATE environments SET position = position WHERE project_id = $1 AND slug = $2 AND deleted_at IS NULL RETURNING id`,
		projectID, environment)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "The project has no environment with the slug %q. Read the project to see its environments.", shortened(environment))
	}
	return environmentID, err
}

// enterFolders lets an actor into an environment of a project if it may do something to folders at a path.
func (s *Service) enterFolders(ctx context.Context, actor *access.Actor, at Location, action access.Action) (*Access, error) {
	a, err := s.Enter(ctx, actor, at.ProjectID)
	if err == nil {
		err = a.checkFolders(action, at)
	}
	if err == nil {
		_, err = a.Project.Environment(at.Environment)
	}
	return a, err
}

// checkFolders returns nil if the actor may do an action to the folders in the one at a spot.
func (a *Access) checkFolders(action access.Action, in Location) error {
	return a.Check(action, access.SubjectSecretFolders, access.Fields{access.Environment(in.Environment), access.SecretPath(in.Path)})
}

// Location is a place in a project where folders are: Path is that of the folder above them, as ParsePath made it.
type Location struct{ ProjectID, Environment, Path string }

// AddFolder makes a folder, and those above it that are missing. Errors: those of Enter, PermissionDenied, NotFound for
// an unknown environment, Validation, BadRequest where there is one with this name or too many.
func (s *Service) AddFolder(ctx context.Context, actor *access.Actor, at Location, name string, description *string) (*Folder, error) {
	a, err := s.enterFolders(ctx, actor, at, access.Create)
	if err != nil {
		return nil, err
	}
	if !folderName.MatchString(name) {
		return nil, checkPath("/"+name+"/", "name")
	}
	path := join(at.Path, name)
	if err := checkPath(path, "path"); err != nil {
		return nil, err
	}
	var f *Folder
	return f, s.feed.Change(ctx, func(tx *feed.Tx) error {
		environmentID, err := lockTree(ctx, tx, at.ProjectID, at.Environment)
		if err == nil {
			f, err = plant(ctx, tx.Tx, a, Location{at.ProjectID, at.Environment, path}, environmentID, description)
		}
		if err != nil {
			return err
		}
		Changed(tx, at.ProjectID)
		return s.recordFolder(ctx, tx, actor, at, audit.CreateFolder, f, map[string]any{"folderName": f.Name, "description": f.Description})
	})
}

func (s *Service) recordFolder(ctx context.Context, tx *feed.Tx, actor *access.Actor, at Location, event audit.Type, f *Folder, more map[string]any) error {
	more["environment"], more["folderId"], more["folderPath"] = at.Environment, f.ID, f.Path
	return s.record(ctx, tx, actor, at.ProjectID, event, more)
}

// plant makes the folder at a spot, and those above it that are missing, each where the actor may create folders.
func plant(ctx context.Context, tx *sqldb.Tx, a *Access, at Location, environmentID string, description *string) (*Folder, error) {
	above, missing, err := nearest(ctx, tx, environmentID, at.Path)
	if err != nil {
		return nil, err
	}
	if len(missing) == 0 {
		return nil, fault.New(fault.BadRequest, "There is a folder at %q already. Choose another name.", shortened(at.Path))
	}
	if err := countFolders(ctx, tx, environmentID, len(missing)); err != nil {
		return nil, err
	}
	for i, name := range missing {
		if err := a.checkFolders(access.Create, Location{at.ProjectID, at.Environment, above.Path}); err != nil {
			return nil, err
		}
		f := &Folder{ID: id.New(), EnvironmentID: environmentID, ParentID: &above.ID, Name: name, Path: join(above.Path, name), Version: 1,
			CreatedAt: tx.Now().UnixMilli(), UpdatedAt: tx.Now().UnixMilli()}
		if i == len(missing)-1 {
			f.Description = description
		}
		if err := insertFolder(ctx, tx, f); err != nil {
			return nil, err
		}
		above = f
	}
	return above, nil
}

// FolderChanges is what UpdateFolder sets; nil leaves alone.
type FolderChanges struct{ Name, Description *string }

// UpdateFolder renames or describes a folder that is named by its id, or by its name at the spot. Errors: those of Enter,
// PermissionDenied, NotFound, Validation, BadRequest for a name that is taken and for the root.
func (s *Service) UpdateFolder(ctx context.Context, actor *access.Actor, at Location, idOrName string, c FolderChanges) (*Folder, error) {
	folders, err := s.UpdateFolders(ctx, actor, Ref{ID: at.ProjectID}, []BatchFolder{{at.Environment, at.Path, idOrName, c}})
	if err != nil {
		return nil, err
	}
	return &folders[0], nil
}

// BatchFolder is one change of UpdateFolders; Environment and Path are as in a Location.
type BatchFolder struct {
	Environment, Path string
	IDOrName          string
	Changes           FolderChanges
}

// UpdateFolders makes several changes, or none: it ends at the first error, which is as of UpdateFolder.
func (s *Service) UpdateFolders(ctx context.Context, actor *access.Actor, ref Ref, batch []BatchFolder) ([]Folder, error) {
	a, err := s.enterRef(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	var changed []Folder
	return changed, s.feed.Change(ctx, func(tx *feed.Tx) error {
		changed = make([]Folder, 0, len(batch))
		for _, b := range batch {
			f, err := s.updateFolder(ctx, tx, a, b)
			if err != nil {
				return err
			}
			changed = append(changed, *f)
		}
		Changed(tx, a.Project.ID)
		return nil
	})
}

func (s *Service) updateFolder(ctx context.Context, tx *feed.Tx, a *Access, b BatchFolder) (*Folder, error) {
	f, at, err := lockFolder(ctx, tx, a, Location{a.Project.ID, b.Environment, b.Path}, b.IDOrName, access.Edit)
	if err != nil {
		return nil, err
	}
	c := b.Changes
	if c.Name != nil && !folderName.MatchString(*c.Name) {
		return nil, checkPath("/"+*c.Name+"/", "name")
	}
	old := *f
	if c.Description != nil {
		f.Description = c.Description
	}
	if c.Name != nil && *c.Name != f.Name {
		f.Name, f.Path = *c.Name, join(at.Path, *c.Name)
		if err := s.rename(ctx, tx, a, at.Environment, &old, f); err != nil {
			return nil, err
		}
	}
	f.Version, f.UpdatedAt = f.Version+1, tx.Now().UnixMilli()
	_, err = tx.Exec(ctx, `UPDATE folders SET name = $1, path = $2, description = $3, version = $4, updated_at = $5 WHERE id = $6`,
		f.Name, f.Path, f.Description, f.Version, f.UpdatedAt, f.ID)
	if err != nil {
		return nil, err
	}
	return f, s.recordFolder(ctx, tx, a.Actor, at, audit.UpdateFolder, f, map[string]any{"oldFolderName": old.Name, "newFolderName": f.Name,
		"newFolderDescription": f.Description})
}

// rename gives a folder another name, if the actor may have rules see all that is in it under the new path.
func (s *Service) rename(ctx context.Context, tx *feed.Tx, a *Access, environment string, from, to *Folder) error {
	err := lockBelow(ctx, tx.Tx, from)
	if err == nil {
		err = s.holdings.mayRename(ctx, tx.Tx, a, Subtree{from.EnvironmentID, environment, from.Path}, Subtree{from.EnvironmentID, environment, to.Path})
	}
	if err != nil {
		return err
	}
	return rename(ctx, tx.Tx, from, to)
}

// lockFolder finds the folder that a change is about, and checks that the actor may make it where the folder really is.
// It works in the transaction of the change, so that a folder that is renamed meanwhile is judged by where it is now.
func lockFolder(ctx context.Context, tx *feed.Tx, a *Access, at Location, idOrName string, action access.Action) (*Folder, Location, error) {
	var f *Folder
	environmentID, err := lockTree(ctx, tx, at.ProjectID, at.Environment)
	if err == nil {
		f, err = findFolder(ctx, tx.Tx, environmentID, at.Path, idOrName)
	}
	if err == nil && f.ParentID != nil {
		at.Path = parentOf(f.Path)
	}
	if err == nil || fault.Is(err, fault.NotFound) { // who may not change anything there learns nothing of what is there
		if refused := a.checkFolders(action, at); refused != nil {
			return nil, at, refused
		}
	}
	if err == nil && f.ParentID == nil {
		err = fault.New(fault.BadRequest, "The root folder of an environment cannot be renamed or deleted.")
	}
	return f, at, err
}

// DeleteFolder deletes a folder, which is named by its id, or by its name at the spot, with all that is in it. Without
// force it must be empty. The spot must be where it is, or the root, which is what naming no path means. Errors: those of Enter,
// PermissionDenied, also for anything below that the actor may not delete, NotFound, BadRequest for a folder that is not empty
// and for the root.
func (s *Service) DeleteFolder(ctx context.Context, actor *access.Actor, at Location, idOrName string, force bool) (*Folder, error) {
	a, err := s.Enter(ctx, actor, at.ProjectID)
	if err != nil {
		return nil, err
	}
	var f *Folder
	return f, s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		var found Location
		if f, found, err = lockFolder(ctx, tx, a, at, idOrName, access.Delete); err != nil {
			return err
		}
		if at.Path != "/" && at.Path != found.Path {
			return noFolder(at.Path, idOrName)
		}
		if !force {
			if err := s.mustBeEmpty(ctx, tx.Tx, f); err != nil {
				return err
			}
		}
		if err = lockBelow(ctx, tx.Tx, f); err == nil {
			err = s.holdings.mayDelete(ctx, tx.Tx, a, Subtree{f.EnvironmentID, at.Environment, f.Path})
		}
		if err != nil {
			return err
		}
		prefix := below(f.Path)
		_, err = tx.Exec(ctx, `DELETE FROM folders WHERE environment_id = $1 AND (id = $2 OR substr(path, 1, $3) = $4)`,
			f.EnvironmentID, f.ID, len(prefix), prefix)
		if err != nil {
			return err
		}
		Changed(tx, at.ProjectID)
		return s.recordFolder(ctx, tx, actor, found, audit.DeleteFolder, f, map[string]any{"folderName": f.Name})
	})
}

func (s *Service) mustBeEmpty(ctx context.Context, tx *sqldb.Tx, f *Folder) error {
	var holds bool
	err := tx.Get(ctx, &holds, `SELECT EXISTS (SELECT 1 FROM folders WHERE parent_id = $1)`, f.ID)
	if err == nil && !holds && s.holdsAny != nil {
		holds, err = s.holdsAny(ctx, tx, f.ID)
	}
	if err == nil && holds {
		err = fault.New(fault.BadRequest, "The folder %q is not empty. Delete what it holds first, or use forceDelete to delete all of it.", f.Name)
	}
	return err
}
