package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

const formType = "application/x-www-form-urlencoded"

// cookied are the routes that read or set a cookie: a form that another site has a browser send must not reach them.
var cookied = []string{"/api/v3/auth/login", "/api/v1/auth/code", "/api/v1/account/accept-invitation", "/api/v1/auth/token", "/api/v1/auth/logout", "/api/v3/auth/login1", "/api/v3/auth/login2"}

// TestForms sends each route its good request as a form. Whatever is a plain value arrives as in JSON; a list or an object
// has no form.
func TestForms(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	d := published(t)
	everyRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		good := requestOf(t, s, r)
		call := func(form string) *harness.Answer {
			return s.Admin.With("Content-Type", formType).Call(t, r.Method, good.path, form)
		}
		for _, path := range cookied {
			if r.Path == path {
				call("a=b").WantError(415, "UnsupportedMediaType")
				return
			}
		}
		if strings.HasPrefix(r.ID, "create-") && strings.HasSuffix(r.ID, "privilege-old") {
			call("a=b").WantError(422, "ValidationFailure") // what is allowed is a list or an object, in one of two fields
			return
		}
		if body, ok := plainJSON(t, good.body).(map[string]any); ok {
			form, flat := formOf(body, d, r)
			flat = flat && !namesSomebody(r) // by a list
			if a := call(form); flat && a.Status != whenGood(r) || !flat && a.Status != whenGood(r) && a.Status != 422 {
				t.Errorf("answered %d %.500s, want %d", a.Status, a.Body, whenGood(r))
			}
		}
	})
}

// formOf returns a body as a form, without the fields that are none of the route's or are lists or objects, and whether
// the route can do without those.
func formOf(body map[string]any, d *document, r httpapi.Route) (form string, flat bool) {
	values := url.Values{}
	flat = true
	for _, f := range d.bodyFields(r) {
		value, given := body[f.place[0]]
		switch plain := f.kind != "array" && f.kind != "object" && f.kind != ""; {
		case len(f.place) > 1 || !given:
		case plain && value != nil:
			values.Set(f.place[0], fmt.Sprint(value))
		case f.required:
			flat = false
		}
	}
	return values.Encode(), flat
}

// TestFormsOfTheGitHubActions logs in with the forms of the official GitHub Actions.
func TestFormsOfTheGitHubActions(t *testing.T) {
	t.Parallel()
	u := newUniversal(t, shared)
	anyone := shared.As("").With("Content-Type", formType)
	form := url.Values{"clientId": {u.ClientID}, "clientSecret": {u.Secret}}
	jwt := anyone.Call(t, "POST", "/api/v1/auth/universal-auth/login", form.Encode()).Want(200).Text("accessToken")
	shared.As(jwt).Call(t, "GET", detailsPath, nil).Want(200)
	anyone.Call(t, "POST", selfRevokePath, url.Values{"accessToken": {jwt}}.Encode()).Want(200)
	shared.As(jwt).Call(t, "GET", detailsPath, nil).WantError(401, "TokenError")
	anyone.Call(t, "POST", "/api/v1/auth/universal-auth/login", strings.Replace(form.Encode(), "=", "=%ZZ", 1)).WantError(400, "BadRequest")
}

// TestNoAnswerOpensTheAPIToPagesOfOthers: browsers let a page of another site read an answer only where a header says so.
// There is none, and the request that asks for leave beforehand is one that no route answers.
func TestNoAnswerOpensTheAPIToPagesOfOthers(t *testing.T) {
	t.Parallel()
	everyRoute(t, harness.StartReady(t, harness.Unswept), func(t *testing.T, s *harness.Server, r httpapi.Route) {
		good := requestOf(t, s, r)
		foreign := s.Admin.With("Origin", "https://evil.example")
		asked := foreign.With("Access-Control-Request-Method", r.Method).With("Access-Control-Request-Headers", "authorization,content-type")
		for _, a := range []*harness.Answer{asked.Call(t, "OPTIONS", good.path, nil).WantError(405, "MethodNotAllowed"), foreign.Call(t, r.Method, good.path, good.body)} {
			for name := range a.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("the answer has the header %s", name)
				}
			}
		}
	})
}
