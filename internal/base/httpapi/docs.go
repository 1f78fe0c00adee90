package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

//go:embed docs.html.tmpl
var docsTemplate string

//go:embed docs.css
var docsStyle string

// DocsPage returns a page that documents every route that is not hidden, for people: made on the server from the
// OpenAPI document, without scripts and without anything from another host. It is made on the first request, when all
// routes are registered.
func (a *API) DocsPage() http.Handler {
	page := sync.OnceValues(a.renderDocs)
	sum := sha256.Sum256([]byte(docsStyle))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		html, err := page()
		if err != nil {
			panic(err) // the template does not fit its data: a test renders it
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(html)
	})
}

func (a *API) renderDocs() ([]byte, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{"prose": prose, "lower": strings.ToLower}).Parse(docsTemplate)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		Style   template.CSS
		Version string
		Intro   string
		Groups  []docGroup
	}{template.CSS(docsStyle), //nolint:gosec // a constant
		a.options.Version, description, a.catalog().docGroups(a.Routes())})
	return out.Bytes(), err
}

// prose renders the little Markdown that descriptions use: paragraphs, and code in backticks.
func prose(text string) template.HTML {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		out.WriteString("<p>")
		for i, part := range strings.Split(paragraph, "`") {
			part = template.HTMLEscapeString(part)
			if i%2 == 1 {
				part = "<code>" + part + "</code>"
			}
			out.WriteString(part)
		}
		out.WriteString("</p>")
	}
	return template.HTML(out.String()) //nolint:gosec // every part was escaped above
}
