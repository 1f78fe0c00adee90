package project

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// insertRoot makes the root folder of a new environment.
func insertRoot(ctx context.Context, tx *sqldb.Tx, environmentID string) error {
	now := tx.Now().UnixMilli()
	return insertFolder(ctx, tx, &Folder{ID: id.New(), EnvironmentID: environmentID, Name: "root", Path: "/", Version: 1, CreatedAt: now, UpdatedAt: now})
}

func insertFolder(ctx context.Context, tx *sqldb.Tx, f *Folder) error {
	_, err := tx.Exec(ctx, `INSERT INTO folders (id, environment_id, parent_id, name, path, description, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, f.ID, f.EnvironmentID, f.ParentID, f.Name, f.Path, f.Description, f.Version, f.CreatedAt, f.UpdatedAt)
	return err
}

// nearest returns the last folder on a path that exists, and the names from there on. The caller holds lockTree.
func nearest(ctx context.Context, tx *sqldb.Tx, environmentID, path string) (*Folder, []string, error) {
	args, marks := []any{environmentID, "/"}, "$2"
	for up := path; up != "/"; up = parentOf(up) {
		args = append(args, up)
		marks += ", $" + strconv.Itoa(len(args))
	}
	f := &Folder{}
	err := tx.Get(ctx, f, `SELECT `+folderColumns+` FROM folders f WHERE f.environment_id = $1 AND f.path IN (`+marks+`)
		ORDER BY length(f.path) DESC LIMIT 1`, args...)
	var missing []string
	if rest := strings.TrimPrefix(strings.TrimPrefix(path, f.Path), "/"); rest != "" {
		missing = strings.Split(rest, "/")
	}
	return f, missing, err
}

// countFolders refuses more folders than an environment may have.
func countFolders(ctx context.Context, tx *sqldb.Tx, environmentID string, more int) error {
	var n int
	err := tx.Get(ctx, &n, `SELECT count(*) FROM folders WHERE environment_id = $1`, environmentID)
	if err == nil && n+more > MaxFolders {
		err = fault.New(fault.BadRequest, "The environment has %d folders, and at most %d are allowed. Delete some that you do not need.", n, MaxFolders)
	}
	return err
}

// findFolder returns a folder by its id, or by its name in the folder at a path.
func findFolder(ctx context.Context, tx *sqldb.Tx, environmentID, path, idOrName string) (*Folder, error) {
	f := &Folder{}
	err := tx.Get(ctx, f, `SELECT `+folderColumns+` FROM folders f WHERE f.environment_id = $1 AND (f.id = $2 OR f.path = $3)
		ORDER BY CASE WHEN f.id = $2 THEN 0 ELSE 1 END LIMIT 1`, environmentID, idOrName, join(path, idOrName))
	if errors.Is(err, sqldb.ErrNoRows) {
		err = noFolder(path, idOrName)
	}
	return f, err
}

func noFolder(path, idOrName string) error {
	return fault.New(fault.NotFound, "There is no folder with the ID or the name %q in %q. List the folders there to see both.", shortened(idOrName), shortened(path))
}

// rename gives all folders in one the path that comes of its new one. The caller stores the folder itself.
func rename(ctx context.Context, tx *sqldb.Tx, old, renamed *Folder) error {
	var now struct {
		Taken   bool `db:"taken"`
		Longest int  `db:"longest"`
	}
	prefix := below(old.Path)
	err := tx.Get(ctx, &now, `SELECT EXISTS (SELECT 1 FROM folders x WHERE x.environment_id = $1 AND x.path = $2) AS taken,
		coalesce((SELECT max(length(y.path)) FROM folders y WHERE y.environment_id = $1 AND substr(y.path, 1, $3) = $4), 0) AS longest`,
		old.EnvironmentID, renamed.Path, len(prefix), prefix)
	switch {
	case err != nil:
		return err
	case now.Taken:
		return fault.New(fault.BadRequest, "There is a folder at %q already. Choose another name.", shortened(renamed.Path))
	case max(now.Longest, len(old.Path))+len(renamed.Path)-len(old.Path) > MaxPath:
		return fault.Invalid("too_big", "With this name, a folder path would have more than 2048 characters. Choose a shorter name.", "name")
	}
	_, err = tx.Exec(ctx, `UPDATE folders SET path = $1 || substr(path, $2) WHERE environment_id = $3 AND substr(path, 1, $4) = $5`,
		renamed.Path, len(old.Path)+1, old.EnvironmentID, len(prefix), prefix)
	return err
}

// lockBelow has whoever changes what is in a folder, or in those below it, wait until this transaction is over.
func lockBelow(ctx context.Context, tx *sqldb.Tx, f *Folder) error {
	prefix := below(f.Path)
	_, err := tx.Exec(ctx, `UPDATE folders SET version = version WHERE environment_id = $1 AND (id = $2 OR substr(path, 1, $3) = $4)`,
		f.EnvironmentID, f.ID, len(prefix), prefix)
	return err
}

// SecretChanged notes on a folder that a secret in it changed.
func SecretChanged(ctx context.Context, tx *feed.Tx, folderID string) error {
	_, err := tx.Exec(ctx, `UPDATE folders SET secret_modified_at = $1 WHERE id = $2`, tx.Now().UnixMilli(), folderID)
	return err
}
