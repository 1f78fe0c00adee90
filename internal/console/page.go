package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/console/api"
)

//go:embed all:pages assets
var embedded embed.FS

// page is a page's templates.
type page struct{ *template.Template }

// parsePages reads every page, each with the layout and the shared parts. It runs when the first page is shown, so that a server
// without visitors spends nothing on it.
func (c *Console) parsePages() (map[string]*page, error) {
	shared, err := template.New("").Funcs(c.functions()).ParseFS(embedded, "pages/_*.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(embedded, "pages/[a-z]*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*page{}
	for _, file := range files {
		t, err := shared.Clone()
		if err == nil {
			t, err = t.ParseFS(embedded, file)
		}
		if err != nil {
			return nil, err
		}
		pages[strings.TrimSuffix(path.Base(file), ".html")] = &page{t}
	}
	return pages, nil
}

// view is what a template sees.
type view struct {
	Title   string
	Section string // the place in the navigation
	Signed  bool
	Me      api.User
	Org     *api.Organization
	Orgs    []api.Organization
	Base    string // the path of the organization's pages
	Here    string
	Status  *fleet
	Version string
	Data    any
}

// fleet is how the replicas are.
type fleet struct {
	Replicas int
	Lag      int64
	Good     bool
}

// show answers with a page.
func (v *visit) show(status int, name, title string, data any) error {
	pages, err := v.pages()
	if err != nil {
		return err
	}
	p := pages[name]
	if p == nil {
		return fmt.Errorf("the console has no page %q", name)
	}
	seen := view{Title: title, Section: v.section(), Signed: v.session != nil && v.me.ID != "", Me: v.me, Org: v.org, Orgs: v.orgs, Here: v.r.URL.Path,
		Version: v.Console.version, Data: data}
	layout := "bare"
	if seen.Signed && seen.Org != nil && !strings.HasPrefix(v.r.URL.Path, "/login/") && v.r.URL.Path != "/cli-redirect" {
		layout, seen.Base, seen.Status = "layout", "/o/"+seen.Org.Slug, v.fleet()
	}
	var out bytes.Buffer
	if err := p.ExecuteTemplate(&out, layout, seen); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(out.Bytes()) // the browser may have gone
	return nil
}

// section names the part of the navigation that a page is in.
func (v *visit) section() string {
	parts := strings.Split(v.r.URL.Path, "/")
	if len(parts) > 3 && parts[1] == "o" {
		return parts[3]
	}
	if len(parts) > 1 && parts[1] != "o" {
		return parts[1]
	}
	return "overview"
}

// fleet looks at the replicas, for those who may see them.
func (v *visit) fleet() *fleet {
	if !v.me.SuperAdmin {
		return nil
	}
	list, err := v.api.Replicas(v.ctx)
	if err != nil {
		return nil
	}
	f := &fleet{Replicas: len(list), Good: true}
	for _, replica := range list {
		f.Lag = max(f.Lag, replica.Lag)
		f.Good = f.Good && replica.Lease > 0
	}
	return f
}

// asset is a file that pages load. Its address has a hash of all assets, so browsers may keep it.
type asset struct {
	kind  string
	plain []byte
}

// assetVersion is the hash in the addresses of assets.
func assetVersion(files map[string]asset) string {
	sum := sha256.New()
	for _, name := range []string{"console.css", "console.js", "icon.svg"} {
		sum.Write(files[name].plain)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

func loadAssets() map[string]asset {
	files := map[string]asset{}
	entries, _ := embedded.ReadDir("assets") // it is embedded
	for _, entry := range entries {
		text, _ := embedded.ReadFile("assets/" + entry.Name())
		files[entry.Name()] = asset{kind: mime.TypeByExtension(path.Ext(entry.Name())), plain: text}
	}
	return files
}

func (c *Console) assetRoute(w http.ResponseWriter, r *http.Request) {
	file, ok := c.files[r.PathValue("name")]
	if !ok {
		c.visit(w, r, (*visit).missing, false)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(file.plain)
}
