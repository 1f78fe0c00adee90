package importing

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/ops/importer"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// ill stands before a server and spoils answers. It returns its own URL.
func ill(t *testing.T, before *harness.Server, spoil func(http.ResponseWriter, *http.Request) (spoilt bool)) string {
	t.Helper()
	u, err := url.Parse(before.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !spoil(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// withoutRoles stands before a server and answers as older ones do, which show one role of an identity and no list of them.
func withoutRoles(t *testing.T, before *harness.Server) http.Handler {
	t.Helper()
	u, err := url.Parse(before.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		body = bytes.ReplaceAll(body, []byte(`"roles":`), []byte(`"newerServersHaveAListHere":`))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	return proxy
}

// TestServersThatAreBusyOrFailForAMoment are asked again, after as long as they say.
func TestServersThatAreBusyOrFailForAMoment(t *testing.T) {
	from, to := seed(t, 0), start(t)
	seen := map[string]bool{}
	once := func(status int, header string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			key := header + r.Method + r.URL.String()
			if seen[key] {
				return false
			}
			seen[key] = true
			w.Header().Set("Retry-After", header)
			http.Error(w, `{"message":"not now"}`, status)
			return true
		}
	}
	j := newJourney(t, from.Server, to)
	j.Source.URL = ill(t, from.Server, once(http.StatusInternalServerError, "0"))
	j.Target.URL = ill(t, to, once(http.StatusTooManyRequests, "7"))
	waited := map[time.Duration]bool{}
	j.Wait = func(_ context.Context, d time.Duration) error {
		waited[d] = true
		return nil
	}
	j.run(t)
	if diff := cmp.Diff(export(t, from.Server), export(t, to)); diff != "" {
		t.Errorf("the target differs from the source: %s", diff)
	}
	if !waited[7*time.Second] {
		t.Errorf("waited %v, and never as long as Retry-After says", waited)
	}
}

// TestServersThatAnswerNonsense end the import with an error that says what is wrong, and what was read stays right.
func TestServersThatAnswerNonsense(t *testing.T) {
	from, to := seed(t, 0), start(t)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was sent %s with %d bytes of authorization", r.URL, len(r.Header.Get("Authorization")))
	}))
	defer other.Close()
	answers := func(status int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body)) // the client may have gone
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		"refused/page of a proxy":        {answers(200, "<html>hello</html>"), "answered 200, but not as this API does"},
		"refused/other JSON":             {answers(200, "{}"), "answered without"},
		"refused/null":                   {answers(200, `{"secrets":null,"folders":null,"tags":null}`), "answered null for"},
		"refused/other types":            {answers(200, `{"secrets":[7],"folders":[7],"tags":[7]}`), "in a form that is not known here"},
		"refused/error without a word":   {answers(404, "nothing here"), "answered 404, but not as this API does"},
		"refused/always failing":         {answers(500, `{"message":"no"}`), "the source failed (500)"},
		"refused/always busy":            {answers(503, `{"message":"no"}`), "too busy (503)"},
		"refused/redirect":               {answers(307, ""), "redirects (307)"},
		"refused/dead token":             {answers(401, `{"message":"The token is revoked"}`), "does not accept the token: The token is revoked"},
		"refused/answer that breaks off": {func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100"); _, _ = w.Write([]byte("{")) }, "ended early"},
	} {
		for _, path := range []string{"/api/v4/secrets", "/api/v2/folders", "/tags"} {
			t.Run(name+" of "+path, func(t *testing.T) {
				j := newJourney(t, from.Server, to)
				j.DryRun = true // reads all the same, and is faster
				j.Source.URL = ill(t, from.Server, func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, path) {
						return false
					}
					c.answer(w)
					return true
				})
				if _, err := importer.Run(t.Context(), j.Options); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v; want an error with %q", err, c.want)
				}
			})
		}
	}
}

// TestOptionsThatCannotWork are refused before anything is sent.
func TestOptionsThatCannotWork(t *testing.T) {
	from, to := start(t), start(t)
	for name, c := range map[string]struct {
		change func(*importer.Options)
		want   string
	}{
		"refused/no URL":             {func(o *importer.Options) { o.Source.URL = "example.com" }, "URL of the source"},
		"refused/URL with password":  {func(o *importer.Options) { o.Target.URL = "https://a:b@example.com" }, "URL of the target"},
		"refused/no token":           {func(o *importer.Options) { o.Source.Token = "" }, "the source needs the access token"},
		"refused/token on two lines": {func(o *importer.Options) { o.Target.Token += "\n" }, "the target needs the access token"},
		"refused/dead token":         {func(o *importer.Options) { o.Target.Token = "x.y.z" }, "the target does not accept the token"},
		"refused/same server":        {func(o *importer.Options) { o.Target = o.Source }, "the same organization"},
		"refused/unknown project":    {func(o *importer.Options) { o.Projects = []string{"none"} }, `no project with the slug "none"`},
		"refused/state of another":   {func(o *importer.Options) { o.State = "../import/import_test.go" }, "not the state of an import between these two"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJourney(t, from, to)
			c.change(&j.Options)
			if _, err := importer.Run(t.Context(), j.Options); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want an error with %q", err, c.want)
			} else if j.Source.Token != "" && strings.Contains(err.Error(), j.Source.Token) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

// TestTokenThatMayNotReadValues: what it may not read is listed, and nothing is written in its place.
func TestTokenThatMayNotReadValues(t *testing.T) {
	from, to := seed(t, 0), start(t)
	reader := from.NewActor(t, "no-access", nil)
	from.post(t, "/api/v1/projects/"+from.project+"/roles", object{"slug": "names", "name": "Names", "permissions": []object{
		{"subject": "secrets", "action": "describeSecret"}, {"subject": "secrets", "action": "readValue", "conditions": object{"secretName": "HOST"}},
		{"subject": "tags", "action": "read"}, {"subject": "secret-imports", "action": "read"}}})
	from.post(t, "/api/v1/projects/"+from.project+"/memberships/identities/"+reader.ID, object{"role": "names"})
	j := newJourney(t, from.Server, to)
	j.Source.Token, j.Projects = reader.Token, []string{"payments"}
	result := j.run(t)
	if s := result[importer.Secrets]; s.Made != 1 || s.Failed != 7 {
		t.Errorf("secrets count %+v; want 1 made and 7 failed", *s)
	}
	for _, kind := range []importer.Kind{importer.Roles, importer.Members} {
		if result[kind].Failed == 0 || !slices.ContainsFunc(j.findings, func(f importer.Finding) bool { return f.Kind == kind && !f.Note }) {
			t.Errorf("%s could not be read, and no finding says so", kind)
		}
	}
	for _, row := range to.Rows(t, "secrets") {
		if !strings.Contains(row, "HOST") {
			t.Errorf("the target has %s", row)
		}
	}
}

// TestSourceThatShowsOnlyOneRole: Infisical shows memberships in the organization to users alone.
func TestSourceThatShowsOnlyOneRole(t *testing.T) {
	from, to := seed(t, 0), start(t)
	j := newJourney(t, from.Server, to)
	older := withoutRoles(t, from.Server)
	j.Source.URL = ill(t, from.Server, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasPrefix(r.URL.Path, "/api/v1/organization/identity-memberships"):
			http.Error(w, `{"message":"not with this sort of token","error":"UnauthorizedError"}`, http.StatusUnauthorized)
		case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/v1/identities"):
			older.ServeHTTP(w, r)
		default:
			return false
		}
		return true
	})
	result := j.run(t)
	if n := result[importer.OrgMembers]; n.Made != 4 || result.Open() != 0 {
		t.Errorf("organization memberships count %+v; want 4 made: %+v", *n, j.wrong())
	}
	notes := slices.DeleteFunc(slices.Clone(j.findings), func(f importer.Finding) bool { return f.Kind != importer.OrgMembers })
	if len(notes) != 1 || !notes[0].Note || !strings.Contains(notes[0].Reason, "only one role") {
		t.Errorf("findings: %+v; want one note", notes)
	}
	ci := to.Admin.Call(t, http.MethodPost, "/api/v1/identities/search", object{"search": object{"name": object{"$eq": "ci"}}}).Want(200)
	if role := ci.Text("identities.0.role"); role != "member" {
		t.Errorf("ci has the role %q", role)
	}
}

// TestTokenThatMayNotWrite brings over what it may, and lists the rest.
func TestTokenThatMayNotWrite(t *testing.T) {
	from, to := seed(t, 0), start(t)
	writer := to.NewActor(t, "member", nil)
	j := newJourney(t, from.Server, to)
	j.Target.Token = writer.Token
	result := j.run(t)
	if n := result[importer.OrgRoles]; n.Failed != 2 || n.Made != 0 {
		t.Errorf("organization roles count %+v; want 2 failed", *n)
	}
	if n := result[importer.Secrets]; n.Made != 8 || n.Failed != 0 {
		t.Errorf("secrets count %+v; want 8 made", *n)
	}
	if int64(len(j.wrong())) != result.Open() {
		t.Errorf("%d findings for %d things that are not at the target", len(j.wrong()), result.Open())
	}
}
