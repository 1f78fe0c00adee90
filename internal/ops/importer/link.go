package importer

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// link is a secret import: what a folder imports.
type link struct {
	ID       string  `json:"id"`
	Path     string  `json:"importPath"`
	Position int64   `json:"position"`
	Reserved *bool   `json:"isReserved"`
	Copy     *bool   `json:"isReplication"`
	From     wireEnv `json:"importEnv"`
}

func (l link) key() string { return l.From.Slug + ":" + strings.TrimSuffix(l.Path, "/") }

// linksOf returns what a folder imports, in order.
func linksOf(ctx context.Context, c *client, projectID, env, path string) ([]link, error) {
	found, err := list[link](ctx, c, "/api/v2/secret-imports", url.Values{"projectId": {projectID}, "environment": {env}, "path": {path}}, "secretImports")
	found = slices.DeleteFunc(found, func(l link) bool { return l.Reserved != nil && *l.Reserved })
	slices.SortStableFunc(found, func(a, b link) int { return cmp.Compare(a.Position, b.Position) })
	return found, err
}

// links brings over the imports of all folders, once all folders that they may lead to are there.
func (p *place) links(ctx context.Context) error {
	for _, e := range p.from.Environments {
		folders, err := foldersOf(ctx, p.source, p.from.ID, e.Slug)
		if err != nil {
			return p.fail(Imports, p.from.Slug+" "+e.Slug, err)
		}
		for _, f := range append([]folder{{path: "/"}}, folders...) {
			if err := (&at{p, e.Slug, f.path, true}).imports(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// imports brings over the imports of one folder, first those that are missing, then their order.
func (a *at) imports(ctx context.Context) error {
	from, err := linksOf(ctx, a.source, a.from.ID, a.env, a.path)
	if err != nil {
		return a.fail(Imports, a.String(), err)
	}
	if len(from) == 0 {
		return nil
	}
	have, err := a.linksThere(ctx)
	if err != nil {
		return a.fail(Imports, a.String(), err)
	}
	for _, l := range from {
		if err := a.addImport(ctx, l, have); err != nil {
			return err
		}
	}
	return a.order(ctx, from)
}

func (a *at) linksThere(ctx context.Context) ([]link, error) {
	if a.to.ID == "" {
		return nil, nil
	}
	have, err := linksOf(ctx, a.target, a.to.ID, a.env, a.path)
	if a.DryRun && refused(err, http.StatusNotFound) {
		return nil, nil // the folder is still to be made
	}
	return have, err
}

func (a *at) addImport(ctx context.Context, l link, have []link) error {
	where := a.String() + " from " + l.From.Slug + " " + l.Path
	if l.From.Slug == "" {
		a.note(Imports, where, "its environment is deleted at the source")
		return nil
	}
	if l.Copy != nil && *l.Copy {
		a.note(Imports, where, "it replicates at the source; here it is a plain import, which shows what is there now")
	}
	_, err := a.settle(thing{kind: Imports, where: where, there: slices.ContainsFunc(have, func(o link) bool { return o.key() == l.key() }),
		make: func() error {
			_, err := a.target.send(ctx, http.MethodPost, "/api/v2/secret-imports", map[string]any{"projectId": a.to.ID, "environment": a.env,
				"path": a.path, "import": map[string]string{"environment": l.From.Slug, "path": l.Path}})
			return err
		}})
	return err
}

// order puts the imports of a folder into the order of the source: a later one wins over an earlier one.
func (a *at) order(ctx context.Context, from []link) error {
	have, err := a.linksThere(ctx)
	if err != nil {
		return a.fail(Imports, a.String(), err)
	}
	var wanted, order []string
	for _, l := range from {
		wanted = append(wanted, l.key())
	}
	for _, l := range have {
		order = append(order, l.key())
	}
	if inOrder(wanted, order) {
		return nil
	}
	_, err = a.settle(thing{kind: Imports, where: a.String(), there: true, apart: "order", ours: a.ours, change: func() error {
		return a.reorder(ctx, wanted, have)
	}})
	return err
}

func (a *at) reorder(ctx context.Context, wanted []string, have []link) error {
	position := 0
	for _, key := range wanted {
		i := slices.IndexFunc(have, func(l link) bool { return l.key() == key })
		if i < 0 {
			continue
		}
		position++
		_, err := a.target.send(ctx, http.MethodPatch, "/api/v2/secret-imports/"+have[i].ID, map[string]any{"projectId": a.to.ID, "environment": a.env,
			"path": a.path, "import": map[string]any{"position": position}})
		if err != nil {
			return err
		}
	}
	return nil
}
