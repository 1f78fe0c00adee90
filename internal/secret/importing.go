package secret

import (
	"context"
	"slices"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/project"
)

// MaxImports is how many imports a folder has at most.
const MaxImports = 100

// Import is a link by which a folder shows the secrets of another one of its project. Times are milliseconds UTC.
type Import struct {
	ID            string `db:"id"`
	FolderID      string `db:"folder_id"` // of the folder that imports
	EnvironmentID string `db:"environment_id"`
	Path          string `db:"path"`
	Position      int64  `db:"position"` // from 1; a later one wins
	Version       int64  `db:"version"`
	CreatedAt     int64  `db:"created_at"`
	UpdatedAt     int64  `db:"updated_at"`

	From *project.Environment `db:"-"` // the environment of that id
	Into *folderScope         `db:"-"` // the folder that imports
}

const importColumns = `SELECT i.id, i.folder_id, i.environment_id, i.path, i.position, i.version, i.created_at, i.updated_at FROM secret_imports i `

// importable checks what the actor may do with the imports of a folder.
func (s *folderScope) importable(action access.Action) error {
	return s.Check(action, access.SubjectSecretImports, access.Fields{access.Environment(s.env.Slug), access.SecretPath(s.path)})
}

// AddImport has a folder import another one, behind its other imports. Nothing needs to lie there yet. Errors: those of
// project.Enter; NotFound for an unknown folder or environment; PermissionDenied, also for secrets that the actor may not
// know of; BadRequest for an import of itself, also by way of others, for one that is there, and for one too many.
func (s *Service) AddImport(ctx context.Context, actor *access.Actor, p Place, environment, path string) (*Import, error) {
	at, err := s.at(ctx, actor, p)
	if err == nil {
		err = at.importable(access.Create)
	}
	if err != nil {
		return nil, err
	}
	source, err := at.source(environment, path)
	if err != nil {
		return nil, err
	}
	var made *Import
	err = s.changeImports(ctx, at, audit.CreateSecretImport, func(tx *sqldb.Tx, folderID string, all []Import) (*Import, error) {
		if len(all) >= MaxImports {
			return nil, fault.New(fault.BadRequest, "The folder already has the maximum of %d imports. Delete one that you do not need.", len(all))
		}
		now := tx.Now().UnixMilli()
		made = &Import{ID: id.New(), FolderID: folderID, EnvironmentID: source.env.ID, Path: source.path, Position: int64(len(all) + 1), Version: 1,
			CreatedAt: now, UpdatedAt: now, From: source.env, Into: at}
		if err := at.checkCircle(ctx, tx, folderID, source, all, made.ID); err != nil {
			return nil, err
		}
		_, err := tx.Exec(ctx, `INSERT INTO secret_imports (id, folder_id, environment_id, path, position, version, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, 1, $6, $6)`, made.ID, folderID, made.EnvironmentID, made.Path, made.Position, now)
		return made, err
	})
	return made, err
}

// source returns the folder that is to be imported. The actor must be allowed to know of secrets there.
func (s *folderScope) source(environment, path string) (*folderScope, error) {
	env, err := s.Project.Environment(environment)
	if err != nil {
		return nil, err
	}
	source := &folderScope{projectScope: s.projectScope, env: env, path: project.ParsePath(path)}
	return source, s.Check(access.DescribeSecret, access.SubjectSecrets, access.Fields{access.Environment(env.Slug), access.SecretPath(source.path)})
}

// checkCircle refuses an import of a folder into itself, a second one of the same folder, and one that brings secrets that
// the actor may not know of: references in the folder would reach them.
func (s *folderScope) checkCircle(ctx context.Context, tx *sqldb.Tx, folderID string, source *folderScope, all []Import, own string) error {
	if slices.ContainsFunc(all, func(i Import) bool { return i.ID != own && i.EnvironmentID == source.env.ID && i.Path == source.path }) {
		return fault.New(fault.BadRequest, "The folder imports %q of the environment %q already.", shortened(source.path), source.env.Slug)
	}
	target, err := source.folder(ctx, tx)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	inside := s.within(tx)
	l := inside.links()
	if err := l.load(ctx, []string{target.ID}, maxImportDepth); err != nil {
		return err
	}
	if target.ID == folderID || slices.Contains(l.sources(target.ID), folderID) {
		return fault.New(fault.BadRequest, "The folder would import itself. Choose a source that does not import this folder.")
	}
	return inside.checkFolders(ctx, append(l.sources(target.ID), target.ID))
}

// changeImports runs a change of a folder's imports, one at a time, with its audit event.
func (s *Service) changeImports(ctx context.Context, at *folderScope, event audit.Type, change func(tx *sqldb.Tx, folderID string, all []Import) (*Import, error)) error {
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		f, err := at.folder(ctx, tx)
		if err == nil {
			err = at.touch(ctx, tx, f.ID, f.Path) // whoever comes at the same time waits here
		}
		if err != nil {
			return err
		}
		var all []Import
		if err := tx.Select(ctx, &all, importColumns+`WHERE i.folder_id = $1 ORDER BY i.position`, f.ID); err != nil {
			return err
		}
		if err := closeGaps(ctx, tx.Tx, all); err != nil {
			return err
		}
		changed, err := change(tx.Tx, f.ID, all)
		if err != nil {
			return err
		}
		return s.audit.Record(ctx, tx.Tx, at.Actor, audit.Event{Type: event, ProjectID: at.Project.ID, Metadata: changed.event()})
	})
}

// closeGaps numbers the imports of a folder anew where some went with their environment.
func closeGaps(ctx context.Context, tx *sqldb.Tx, all []Import) error {
	for n := range all {
		if all[n].Position == int64(n+1) {
			continue
		}
		all[n].Position = int64(n + 1)
		if _, err := tx.Exec(ctx, `UPDATE secret_imports SET position = $1 WHERE id = $2`, all[n].Position, all[n].ID); err != nil {
			return err
		}
	}
	return nil
}

func (i *Import) event() map[string]any {
	return map[string]any{"secretImportId": i.ID, "folderId": i.FolderID, "importFromEnvironment": i.From.Slug, "importFromSecretPath": i.Path,
		"importToEnvironment": i.Into.env.Slug, "importToSecretPath": i.Into.path, "position": i.Position}
}

// ImportChanges is what UpdateImport sets; nil leaves alone.
type ImportChanges struct {
	Environment *string
	Path        *string
	Position    *int64 // beyond the last one means the last
}

// UpdateImport changes where an import leads to, or its position, which moves the others. Errors: those of AddImport;
// NotFound for an id that is no import of the folder.
func (s *Service) UpdateImport(ctx context.Context, actor *access.Actor, p Place, importID string, c ImportChanges) (*Import, error) {
	at, err := s.at(ctx, actor, p)
	if err == nil {
		err = at.importable(access.Edit)
	}
	if err != nil {
		return nil, err
	}
	var changed *Import
	err = s.changeImports(ctx, at, audit.UpdateSecretImport, func(tx *sqldb.Tx, folderID string, all []Import) (*Import, error) {
		changed, err = at.pick(all, importID)
		if err == nil && (c.Environment != nil || c.Path != nil) {
			err = at.redirect(ctx, tx, changed, all, c)
		}
		if err != nil {
			return nil, err
		}
		changed.Version, changed.UpdatedAt = changed.Version+1, tx.Now().UnixMilli()
		if c.Position != nil {
			if err := reorder(ctx, tx, all, changed, *c.Position); err != nil {
				return nil, err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE secret_imports SET environment_id = $1, path = $2, position = $3, version = $4, updated_at = $5 WHERE id = $6`,
			changed.EnvironmentID, changed.Path, changed.Position, changed.Version, changed.UpdatedAt, changed.ID)
		return changed, err
	})
	return changed, err
}

// pick returns the import with an id.
func (s *folderScope) pick(all []Import, importID string) (*Import, error) {
	at := slices.IndexFunc(all, func(i Import) bool { return i.ID == importID })
	if at < 0 {
		return nil, unknownImport(importID)
	}
	i := all[at]
	s.complete(&i)
	return &i, nil
}

// complete adds the environments by their ids. One that was deleted has no slug.
func (s *folderScope) complete(i *Import) {
	i.Into, i.From = s, &project.Environment{ID: i.EnvironmentID}
	for n := range s.Project.Environments {
		if e := &s.Project.Environments[n]; e.ID == i.EnvironmentID {
			i.From = e
		}
	}
}

func unknownImport(importID string) error {
	return fault.New(fault.NotFound, "There is no import with the ID %q in this folder.", shortened(importID))
}

// redirect has an import lead somewhere else.
func (s *folderScope) redirect(ctx context.Context, tx *sqldb.Tx, i *Import, all []Import, c ImportChanges) error {
	environment, path := i.From.Slug, i.Path
	if c.Environment != nil {
		environment = *c.Environment
	}
	if c.Path != nil {
		path = *c.Path
	}
	source, err := s.source(environment, path)
	if err != nil {
		return err
	}
	i.From, i.EnvironmentID, i.Path = source.env, source.env.ID, source.path
	return s.checkCircle(ctx, tx, i.FolderID, source, all, i.ID)
}

// reorder puts an import at a position and moves those between on by one.
func reorder(ctx context.Context, tx *sqldb.Tx, all []Import, moved *Import, to int64) error {
	to = min(max(to, 1), int64(len(all)))
	shift, low, high := int64(-1), moved.Position+1, to
	if to < moved.Position {
		shift, low, high = 1, to, moved.Position-1
	}
	moved.Position = to
	_, err := tx.Exec(ctx, `UPDATE secret_imports SET position = position + $1 WHERE folder_id = $2 AND position >= $3 AND position <= $4`,
		shift, moved.FolderID, low, high)
	return err
}

// RemoveImport has a folder import something no more. Errors: those of project.Enter; PermissionDenied; NotFound for an
// unknown folder, or an id that is no import of it.
func (s *Service) RemoveImport(ctx context.Context, actor *access.Actor, p Place, importID string) (*Import, error) {
	at, err := s.at(ctx, actor, p)
	if err == nil {
		err = at.importable(access.Delete)
	}
	if err != nil {
		return nil, err
	}
	var gone *Import
	err = s.changeImports(ctx, at, audit.DeleteSecretImport, func(tx *sqldb.Tx, folderID string, all []Import) (*Import, error) {
		if gone, err = at.pick(all, importID); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM secret_imports WHERE id = $1`, importID); err != nil {
			return nil, err
		}
		_, err := tx.Exec(ctx, `UPDATE secret_imports SET position = position - 1 WHERE folder_id = $1 AND position > $2`, folderID, gone.Position)
		return gone, err
	})
	return gone, err
}

// ListImports returns the imports of a folder in the order of their positions. Errors: those of project.Enter;
// PermissionDenied; NotFound for an unknown folder.
func (s *Service) ListImports(ctx context.Context, actor *access.Actor, p Place) ([]Import, error) {
	at, err := s.at(ctx, actor, p)
	if err == nil {
		err = at.importable(access.Read)
	}
	if err != nil {
		return nil, err
	}
	f, err := at.folder(ctx, s.from)
	if err != nil {
		return nil, err
	}
	var all []Import
	if err := s.from.Select(ctx, &all, importColumns+`WHERE i.folder_id = $1 ORDER BY i.position`, f.ID); err != nil {
		return nil, err
	}
	for i := range all {
		at.complete(&all[i])
	}
	return all, s.note(ctx, actor, audit.GetSecretImports, at.Project.ID, map[string]any{"environment": at.env.Slug, "folderId": f.ID, "numberOfImports": len(all)})
}

// ReadImport returns one import by its id. Errors: NotFound for one that is unknown, of another organization or of a
// deleted environment; Forbidden for one of a project that the actor is no member of; PermissionDenied.
func (s *Service) ReadImport(ctx context.Context, actor *access.Actor, importID string) (*Import, error) {
	var found struct {
		Import
		ProjectID string `db:"project_id"`
		Into      string `db:"into_environment"`
		IntoPath  string `db:"into_path"`
	}
	err := sqldb.ErrNoRows
	if id.Valid(importID) {
		err = s.from.Get(ctx, &found, `SELECT i.id, i.folder_id, i.environment_id, i.path, i.position, i.version, i.created_at, i.updated_at,
			e.project_id, e.slug AS into_environment, f.path AS into_path FROM secret_imports i JOIN folders f ON f.id = i.folder_id
			JOIN environments e ON e.id = f.environment_id WHERE i.id = $1 AND e.deleted_at IS NULL`, importID)
	}
	if missing(err) {
		err = unknownImport(importID)
	}
	if err != nil {
		return nil, err
	}
	at, err := s.at(ctx, actor, Place{ProjectID: found.ProjectID, Environment: found.Into, Path: found.IntoPath})
	if fault.Is(err, fault.NotFound) {
		err = unknownImport(importID)
	}
	if err == nil {
		err = at.importable(access.Read)
	}
	if err != nil {
		return nil, err
	}
	at.complete(&found.Import)
	return &found.Import, s.note(ctx, actor, audit.GetSecretImport, at.Project.ID, map[string]any{"secretImportId": importID, "folderId": found.FolderID})
}
