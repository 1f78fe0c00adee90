package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/console/api"
)

// folder is where the pages about secrets are: a folder of a project, in all environments.
type folder struct {
	Project api.Project
	Path    string
	Base    string // of the pages about secrets of this project
	Crumbs  []crumb
}

type crumb struct{ Name, Path string }

// Link returns the address of a page about this folder.
func (f folder) Link(page string, pairs ...string) string {
	query := url.Values{}
	if f.Path != "/" {
		query.Set("path", f.Path)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	if len(query) == 0 {
		return f.Base + page
	}
	return f.Base + page + "?" + query.Encode()
}

// In returns the folder in an environment.
func (f folder) In(env string) api.Place {
	return api.Place{ProjectID: f.Project.ID, Environment: env, Path: f.Path}
}

// folder reads which folder the address names.
func (v *visit) folder() (folder, error) {
	p, err := v.api.ProjectBySlug(v.ctx, v.r.PathValue("project"))
	if err != nil {
		return folder{}, err
	}
	f := folder{Project: p, Path: "/", Base: v.projectPath(p.Slug) + "/secrets"}
	for _, name := range strings.Split(v.r.FormValue("path"), "/") {
		if name != "" {
			f.Path = strings.TrimSuffix(f.Path, "/") + "/" + name
			f.Crumbs = append(f.Crumbs, crumb{name, f.Path})
		}
	}
	return f, nil
}

// secrets is the table: keys as rows, environments as columns.
type secrets struct {
	folder
	Folders  []string
	Rows     []secretRow
	Filter   string
	Refused  []string // environments that the visitor may not see into
	Absent   map[string]bool
	Total    int
	Done     string
	Imported int
	Pages    pager
}

// secretPageSize is how many keys a page of the table shows.
const secretPageSize = 100

// secretRow is a key with what each environment has.
type secretRow struct {
	Key   string
	Cells []cell
	Gaps  int // environments that lack it
	Note  string
}

// cell is a key in an environment.
type cell struct {
	Env      string
	Secret   *api.Secret // nil where it is missing
	Imported string      // where it comes from instead
	Closed   bool        // the visitor may not see into the environment
}

func (v *visit) secretsPage() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	data := secrets{folder: f, Filter: v.r.URL.Query().Get("q"), Absent: map[string]bool{}}
	data.Done = map[string]string{"saved": "Saved.", "deleted": "Deleted.", "restored": "Restored as a new version.", "pasted": "All secrets were saved."}[v.r.URL.Query().Get("done")]
	rows, found := map[string]*secretRow{}, 0
	for column, env := range f.Project.Environments {
		list, imports, err := v.api.Secrets(v.ctx, f.In(env.Slug), false)
		switch status := api.Status(err); {
		case status == http.StatusNotFound:
			data.Absent[env.Slug] = true // the folder is not in this environment
			continue
		case status == http.StatusForbidden:
			data.Refused = append(data.Refused, env.Slug)
			continue
		case err != nil:
			return err
		}
		found++
		data.enter(rows, column, list, imports)
		names, err := v.api.Folders(v.ctx, f.In(env.Slug))
		if err != nil && !api.Refused(err) {
			return err
		}
		data.Folders = append(data.Folders, names...)
	}
	if found == 0 && len(data.Refused) == 0 && f.Path != "/" {
		return problem{http.StatusNotFound, "No environment of this project has this folder."}
	}
	slices.Sort(data.Folders)
	data.Folders = slices.Compact(data.Folders)
	data.finish(rows)
	matching, from := len(data.Rows), min(v.offset(), len(data.Rows))
	data.Rows = data.Rows[from:min(from+secretPageSize, matching)]
	data.Pages = v.pagesOf(from, len(data.Rows), secretPageSize, int64(matching))
	return v.show(http.StatusOK, "secrets", f.Project.Name+" secrets", data)
}

// enter puts what an environment has into its column.
func (data *secrets) enter(rows map[string]*secretRow, column int, list []api.Secret, imports []api.Imported) {
	at := func(key string) *cell {
		row := rows[key]
		if row == nil {
			row = &secretRow{Key: key, Cells: make([]cell, len(data.Project.Environments))}
			rows[key] = row
		}
		return &row.Cells[column]
	}
	for i := range list {
		at(list[i].Key).Secret = &list[i]
	}
	for _, from := range imports {
		for _, s := range from.Secrets {
			if c := at(s.Key); c.Secret == nil {
				c.Imported = from.Environment + from.Path
				data.Imported++
			}
		}
	}
}

// finish sorts the rows, counts what is missing, and leaves out what the filter does not name.
func (data *secrets) finish(rows map[string]*secretRow) {
	data.Total = len(rows)
	for _, row := range rows {
		if !strings.Contains(strings.ToLower(row.Key), strings.ToLower(data.Filter)) {
			continue
		}
		for i, env := range data.Project.Environments {
			c := &row.Cells[i]
			c.Env, c.Closed = env.Slug, slices.Contains(data.Refused, env.Slug)
			if c.Secret != nil && c.Secret.Comment != "" && row.Note == "" {
				row.Note = c.Secret.Comment
			}
			if c.Secret == nil && c.Imported == "" && !c.Closed {
				row.Gaps++
			}
		}
		data.Rows = append(data.Rows, *row)
	}
	slices.SortFunc(data.Rows, func(a, b secretRow) int { return strings.Compare(a.Key, b.Key) })
}

// revealed is a value that was asked for.
type revealed struct {
	folder
	Env, Key, Value string
	Version         int64
}

// reveal shows the value of one secret: one read of the API, and one event of the audit log. Scripts ask for the bare text.
func (v *visit) reveal() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	version := v.version()
	s, err := v.api.Secret(v.ctx, f.In(v.value("env")), v.r.PostFormValue("key"), version, true)
	if err != nil {
		return err
	}
	if s.Hidden {
		return problem{http.StatusForbidden, "You may see that this secret exists, but not its value."}
	}
	if v.r.Header.Get("Accept") == "text/plain" {
		v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := v.w.Write([]byte(s.Value))
		return err
	}
	return v.show(http.StatusOK, "reveal", s.Key, revealed{f, v.value("env"), s.Key, s.Value, s.Version})
}
