package secret

import (
	"context"
	"maps"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/project"
)

// maxWeighed is how many things below a folder a change of the folder looks at one by one.
const maxWeighed = 10_000

var errWeighed = fault.New(fault.BadRequest, "Your roles have conditions, and this request concerns more than %d secrets, folders and imports. Change them in smaller steps, or ask someone whose roles have no conditions.", maxWeighed)

// Holdings returns what the package project asks about folders: whether an actor may delete or rename all that is in them.
func Holdings() project.Holdings {
	return project.Holdings{MayDelete: mayDelete, MayRename: mayRename, MayRetag: mayRetag}
}

// mayDelete asks for the right to delete each folder below a subtree's top, each secret and the imports of each folder in it.
func mayDelete(ctx context.Context, tx *sqldb.Tx, a *project.Access, t project.Subtree) error {
	err := eachSecret(ctx, tx, a, t, func(l *label) error { return a.Check(access.Delete, access.SubjectSecrets, l.fields()) }, access.Delete)
	if err == nil {
		err = eachFolder(ctx, tx, a, access.SubjectSecretFolders, foldersBelow, t, func(path string) error {
			return a.Check(access.Delete, access.SubjectSecretFolders, placeFields(t.Environment, parentOf(path)))
		}, access.Delete)
	}
	if err == nil {
		err = eachFolder(ctx, tx, a, access.SubjectSecretImports, importersIn, t, func(path string) error {
			return a.Check(access.Delete, access.SubjectSecretImports, placeFields(t.Environment, path))
		}, access.Delete)
	}
	return err
}

// changing are the actions that MayRelabel weighs.
var changing = []access.Action{access.Create, access.Edit, access.Delete}

// mayRename asks of all that is in a subtree whether rules may see it at another path or environment.
func mayRename(ctx context.Context, tx *sqldb.Tx, a *project.Access, from, to project.Subtree) error {
	moved := func(path string) string {
		return joined(to.Path, strings.TrimPrefix(strings.TrimPrefix(path, from.Path), "/"))
	}
	err := eachSecret(ctx, tx, a, from, func(l *label) error {
		after := *l
		after.environment, after.path = to.Environment, moved(l.path)
		return mayRelabel(a, l, &after, true)
	}, append(changing, access.DescribeSecret, access.ReadValue)...)
	for _, kind := range []struct {
		subject access.Subject
		query   string
	}{{access.SubjectSecretFolders, foldersIn}, {access.SubjectSecretImports, importersIn}} {
		if err == nil {
			err = eachFolder(ctx, tx, a, kind.subject, kind.query, from, func(path string) error {
				return a.MayRelabel(kind.subject, placeFields(from.Environment, path), placeFields(to.Environment, moved(path)))
			}, append(changing, access.Read)...)
		}
	}
	return err
}

// mayRetag asks of all secrets that bear a tag whether rules may see another slug of it, or with no slug, not see it at all.
func mayRetag(ctx context.Context, tx *sqldb.Tx, a *project.Access, tagID, slug string) error {
	if a.Settled(access.SubjectSecrets, append(changing, access.DescribeSecret, access.ReadValue)...) {
		return nil
	}
	slugs, err := tagSlugs(ctx, tx, a.Project.ID)
	if err != nil {
		return err
	}
	changed := maps.Clone(slugs)
	changed[tagID] = slug
	return weigh(ctx, tx, func(w *weighedRow) error {
		before, after := w.label(slugs), w.label(changed)
		return mayRelabel(a, &before, &after, true)
	}, `SELECT e.slug AS environment, f.path, s.key, s.tags FROM environments e JOIN folders f ON f.environment_id = e.id
		JOIN secrets s ON s.folder_id = f.id WHERE e.project_id = $1 AND s.user_id IS NULL AND ' ' || s.tags || ' ' LIKE $2 LIMIT $3`,
		a.Project.ID, "% "+tagID+" %")
}

func placeFields(environment, path string) access.Fields {
	return access.Fields{access.Environment(environment), access.SecretPath(path)}
}

func parentOf(path string) string { return path[:max(1, strings.LastIndexByte(path, '/'))] }

func joined(parent, rest string) string {
	if rest == "" {
		return parent
	}
	return strings.TrimSuffix(parent, "/") + "/" + rest
}
