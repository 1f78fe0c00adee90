package secret

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/project"
)

// weighedRow is a thing below a folder, as far as rules see it.
type weighedRow struct {
	Environment string `db:"environment"`
	Path        string `db:"path"`
	Key         string `db:"key"`
	Tags        string `db:"tags"`
}

// label returns what rules see of a secret; slugs are those of tags by id, where an empty one counts for nothing.
func (w *weighedRow) label(slugs map[string]string) label {
	l := label{environment: w.Environment, path: w.Path, name: w.Key}
	for tagID := range strings.FieldsSeq(w.Tags) {
		if slug := slugs[tagID]; slug != "" {
			l.tags = append(l.tags, slug)
		}
	}
	slices.Sort(l.tags)
	return l
}

// What is in a subtree: its environment's id, its path, and the length and the text of what paths below it begin with.
const (
	inSubtree    = ` WHERE f.environment_id = $1 AND (f.path = $2 OR substr(f.path, 1, $3) = $4)`
	secretsIn    = `SELECT '' AS environment, f.path, s.key, s.tags FROM folders f JOIN secrets s ON s.folder_id = f.id` + inSubtree + ` AND s.user_id IS NULL LIMIT $5`
	foldersIn    = `SELECT '' AS environment, f.path, '' AS key, '' AS tags FROM folders f` + inSubtree + ` LIMIT $5`
	foldersBelow = `SELECT '' AS environment, f.path, '' AS key, '' AS tags FROM folders f` + inSubtree + ` AND f.path <> $2 LIMIT $5`
	importersIn  = `SELECT DISTINCT '' AS environment, f.path, '' AS key, '' AS tags FROM folders f JOIN secret_imports i ON i.folder_id = f.id` + inSubtree + ` LIMIT $5`
)

// weigh asks about each row of a query whose last argument is how many there may be, and refuses more than maxWeighed.
func weigh(ctx context.Context, tx *sqldb.Tx, ask func(*weighedRow) error, query string, args ...any) error {
	var rows []weighedRow
	err := tx.Select(ctx, &rows, query, append(args, maxWeighed+1)...)
	for i := 0; err == nil && i < len(rows); i++ {
		err = ask(&rows[i])
	}
	if err == nil && len(rows) > maxWeighed {
		err = errWeighed
	}
	return err
}

// weighIn is weigh for a query about a subtree.
func weighIn(ctx context.Context, tx *sqldb.Tx, t project.Subtree, ask func(*weighedRow) error, query string) error {
	prefix := strings.TrimSuffix(t.Path, "/") + "/"
	return weigh(ctx, tx, ask, query, t.EnvironmentID, t.Path, len([]rune(prefix)), prefix)
}

// eachSecret asks about each shared secret in a subtree, the personal ones in its place with it, unless the actor may do all of
// some actions to any secret.
func eachSecret(ctx context.Context, tx *sqldb.Tx, a *project.Access, t project.Subtree, ask func(*label) error, settled ...access.Action) error {
	if a.Settled(access.SubjectSecrets, settled...) {
		return nil
	}
	slugs, err := tagSlugs(ctx, tx, a.Project.ID)
	if err != nil {
		return err
	}
	return weighIn(ctx, tx, t, func(w *weighedRow) error {
		l := w.label(slugs)
		l.environment = t.Environment
		return ask(&l)
	}, secretsIn)
}

// eachFolder asks about the path of each folder that a query finds in a subtree, with the same exception.
func eachFolder(ctx context.Context, tx *sqldb.Tx, a *project.Access, subject access.Subject, query string, t project.Subtree, ask func(path string) error, settled ...access.Action) error {
	if a.Settled(subject, settled...) {
		return nil
	}
	return weighIn(ctx, tx, t, func(w *weighedRow) error { return ask(w.Path) }, query)
}

// tagSlugs returns the slugs of a project's tags by id, as the transaction sees them.
func tagSlugs(ctx context.Context, tx *sqldb.Tx, projectID string) (map[string]string, error) {
	var tags []Tag
	err := tx.Select(ctx, &tags, `SELECT id, slug, color FROM tags WHERE project_id = $1`, projectID)
	slugs := make(map[string]string, len(tags))
	for _, t := range tags {
		slugs[t.ID] = t.Slug
	}
	return slugs, err
}
