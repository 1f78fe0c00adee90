package project

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Folder is a folder of an environment as it is stored. Times are milliseconds UTC.
type Folder struct {
	ID               string  `db:"id"`
	EnvironmentID    string  `db:"environment_id"`
	ParentID         *string `db:"parent_id"` // nil for the root
	Name             string  `db:"name"`      // "root" for the root
	Path             string  `db:"path"`      // absolute; "/" for the root
	Description      *string `db:"description"`
	Version          int64   `db:"version"`
	SecretModifiedAt *int64  `db:"secret_modified_at"`
	CreatedAt        int64   `db:"created_at"`
	UpdatedAt        int64   `db:"updated_at"`
}

// Reader is what lookups read from: the database, or a transaction. *sqldb.DB and *sqldb.Tx are Readers.
type Reader interface {
	Get(ctx context.Context, dst any, query string, args ...any) error
	Select(ctx context.Context, dst any, query string, args ...any) error
}

const folderColumns = `f.id, f.environment_id, f.parent_id, f.name, f.path, f.description, f.version, f.secret_modified_at, f.created_at, f.updated_at`

// FolderAt finds a folder of a project by the slug of its environment and its path, which ParsePath made, with one
// statement. NotFound where there is no such environment or folder.
func FolderAt(ctx context.Context, from Reader, projectID, environment, path string) (*Folder, error) {
	f := &Folder{}
	err := from.Get(ctx, f, `SELECT `+folderColumns+` FROM environments e JOIN folders f ON f.environment_id = e.id
		WHERE e.project_id = $1 AND e.slug = $2 AND e.deleted_at IS NULL AND f.path = $3`, projectID, environment, path)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = UnknownFolder(environment, path)
	}
	return f, err
}

// UnknownFolder is the NotFound of a folder that is not there.
func UnknownFolder(environment, path string) error {
	return fault.New(fault.NotFound, "There is no folder %q in the environment %q of the project. Check both, or create the folder first.", shortened(path), shortened(environment))
}

// Below returns the folders in a folder, at most depth levels down, by path; 1 means its direct children.
func Below(ctx context.Context, from Reader, parent *Folder, levels int) ([]Folder, error) {
	var folders []Folder
	if levels == 1 {
		return folders, from.Select(ctx, &folders, `SELECT `+folderColumns+` FROM folders f WHERE f.parent_id = $1 ORDER BY f.path`, parent.ID)
	}
	prefix := below(parent.Path)
	err := from.Select(ctx, &folders, `SELECT `+folderColumns+` FROM folders f
		WHERE f.environment_id = $1 AND substr(f.path, 1, $2) = $3 AND f.id <> $4 ORDER BY f.path`,
		parent.EnvironmentID, len(prefix), prefix, parent.ID)
	reached := folders[:0]
	for _, f := range folders {
		if depth(f.Path)-depth(parent.Path) <= levels {
			reached = append(reached, f)
		}
	}
	return reached, err
}
