package importer

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// folder is a folder of an environment.
type folder struct {
	ID          string  `json:"id"`
	Relative    *string `json:"relativePath"`
	Description *string `json:"description"`
	Name        string  `json:"name"`

	path string
}

// foldersOf returns the folders of an environment, those above before those below, without the root.
func foldersOf(ctx context.Context, c *client, projectID, environment string) ([]folder, error) {
	found, err := list[folder](ctx, c, "/api/v2/folders",
		url.Values{"projectId": {projectID}, "environment": {environment}, "path": {"/"}, "recursive": {"true"}}, "folders")
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i].path = path.Join("/", text(found[i].Relative))
		if found[i].Relative == nil {
			found[i].path = "/" + found[i].Name
		}
	}
	slices.SortFunc(found, func(a, b folder) int { return strings.Compare(a.path, b.path) })
	return found, nil
}

// at is one folder of a place, the root included.
type at struct {
	*place
	env, path string
	there     bool // at the target
}

func (a *at) String() string { return a.from.Slug + " " + a.env + " " + a.path }

// contents brings over the folders of all environments, and in each its secrets.
func (p *place) contents(ctx context.Context) error {
	for _, e := range p.from.Environments {
		if err := p.environment(ctx, e.Slug); err != nil {
			return err
		}
	}
	return nil
}

func (p *place) environment(ctx context.Context, env string) error {
	from, err := foldersOf(ctx, p.source, p.from.ID, env)
	if err != nil {
		return p.fail(Folders, p.from.Slug+" "+env, err)
	}
	there, err := p.foldersThere(ctx, env)
	if err != nil {
		return p.fail(Folders, p.from.Slug+" "+env, err)
	}
	root := &at{p, env, "/", p.hasEnv(env)}
	if err := root.secrets(ctx); err != nil {
		return err
	}
	closed := "none" // the path of the last folder that could not be made
	for _, f := range from {
		a := &at{p, env, f.path, there[f.path] != nil}
		if strings.HasPrefix(f.path, closed+"/") {
			p.failed(Folders, a.String(), "the folder above it is not at the target")
			continue
		}
		made, err := p.settle(a.folder(ctx, f, there[f.path]))
		if !made {
			closed = f.path
		} else if err == nil {
			err = a.secrets(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hasEnv reports whether the target had an environment before this run came to it.
func (p *place) hasEnv(slug string) bool {
	return slices.ContainsFunc(p.to.Environments, func(e wireEnv) bool { return e.Slug == slug })
}

func (p *place) foldersThere(ctx context.Context, env string) (map[string]*folder, error) {
	byPath := map[string]*folder{}
	if !p.hasEnv(env) {
		return byPath, nil
	}
	found, err := foldersOf(ctx, p.target, p.to.ID, env)
	for i := range found {
		byPath[found[i].path] = &found[i]
	}
	return byPath, err
}

func (a *at) folder(ctx context.Context, f folder, there *folder) thing {
	body := map[string]any{"projectId": a.to.ID, "environment": a.env, "path": path.Dir(f.path), "name": path.Base(f.path)}
	if text(f.Description) != "" {
		body["description"] = *f.Description
	}
	t := thing{kind: Folders, where: a.String(), ours: a.ours, make: func() error {
		_, err := a.target.send(ctx, http.MethodPost, "/api/v2/folders", body)
		return err
	}}
	if there != nil {
		t.there, t.apart = true, apart("description", text(there.Description) != text(f.Description))
		t.change = func() error {
			body["description"] = text(f.Description)
			_, err := a.target.send(ctx, http.MethodPatch, "/api/v2/folders/"+there.ID, body)
			return err
		}
	}
	return t
}
