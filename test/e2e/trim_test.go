package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// verbatim are the fields of which nothing is cut off: values, PEM, and texts of several lines.
var verbatim = []string{"secretValue", "secretComment", "secretReminderNote", "description", "projectDescription", "caCert", "jwksCaCert", "publicKeys"}

// free are the fields whose content is the caller's own: names of claims, conditions of rules, a search.
var free = []string{"boundClaims", "claimMetadataMapping", "conditions", "search", "action"}

// TestBlanksAroundEveryText sends each route a good request with white space around every name, id and credential in path,
// query and body, as they come out of files. The answer is that to the good request, and nothing of the white space was kept.
func TestBlanksAroundEveryText(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	everyRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		a := callChanged(t, s, r, func(_, text string) string { return " \t" + text + " \r\n" })
		if a.Status != whenGood(r) {
			t.Fatalf("answered %d %.500s, want %d", a.Status, a.Body, whenGood(r))
		}
		eachText("", a.JSON(), func(name, text string) string {
			if strings.TrimSpace(text) != text && name != "value" {
				t.Errorf("the answer has %s %q", name, text)
			}
			return text
		})
	})
}

// TestEveryIDInUpperCase sends each route a good request with its ids in upper case.
func TestEveryIDInUpperCase(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	everyRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		a := callChanged(t, s, r, func(name, text string) string {
			if name != "name" && id.Valid(text) {
				return strings.ToUpper(text)
			}
			return text
		})
		if a.Status != whenGood(r) {
			t.Errorf("answered %d %.500s, want %d", a.Status, a.Body, whenGood(r))
		}
	})
}

// TestReferencesInUpperCase: ids also stand in fields and parameters that are not named so.
func TestReferencesInUpperCase(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	target, made := s.NewIdentity(t, "no-access"), newRoleWith(t, s, []any{})
	role := strings.ToUpper(made.Text("role.id"))
	s.Admin.Call(t, http.MethodPatch, identityPath(target), object{"role": role}).Want(200)
	s.Admin.Call(t, http.MethodPatch, membershipPath(target), object{"roles": []any{object{"role": role}}}).Want(200)
	s.Admin.Call(t, http.MethodGet, rolesPath+"/"+role, nil).Want(200)
	list := s.Admin.Call(t, http.MethodGet, "/api/v1/organization/audit-logs?actor="+strings.ToUpper(s.AdminID), nil).Want(200)
	if events, _ := list.At("auditLogs").([]any); len(events) == 0 {
		t.Errorf("the events of an actor are not found: %s", list.Body)
	}
	s.Admin.Call(t, http.MethodGet, "/api/v1/organization/keys/projects?after="+strings.ToUpper(newProject(t, s).ID), nil).Want(200)
}

// everyRoute runs do for every route, those that only users may call included.
func everyRoute(t *testing.T, s *harness.Server, do func(t *testing.T, s *harness.Server, r httpapi.Route)) {
	t.Helper()
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) { do(t, s, r) })
	eachUserRoute(t, s, do)
}

// callChanged calls a route with a good request of which each text, by its name, was changed.
func callChanged(t *testing.T, s *harness.Server, r httpapi.Route, change func(name, text string) string) *harness.Answer {
	t.Helper()
	good := requestOf(t, s, r)
	path, query, _ := strings.Cut(good.path, "?")
	if path = changePath(t, r, path, change); query != "" {
		path += "?" + changeQuery(t, query, change)
	}
	if good.body != nil {
		good.body = eachText("", plainJSON(t, good.body), change)
	}
	return s.Admin.Call(t, r.Method, path, good.body)
}

// plainJSON returns a value as it is read from its JSON.
func plainJSON(t *testing.T, v any) (tree any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &tree)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// changePath changes the parameters in a path.
func changePath(t *testing.T, r httpapi.Route, path string, change func(name, text string) string) string {
	t.Helper()
	parts := strings.Split(path, "/")
	for i, name := range strings.Split(r.Path, "/") {
		if !strings.HasPrefix(name, "{") {
			continue
		}
		text, err := url.PathUnescape(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = url.PathEscape(change(strings.Trim(name, "{}"), text))
	}
	return strings.Join(parts, "/")
}

// numbers are the parameters of queries that are no texts.
var numbers = []string{"limit", "offset", "version", "recursive"}

// changeQuery changes the parameters of a query.
func changeQuery(t *testing.T, query string, change func(name, text string) string) string {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range values {
		if !slices.Contains(numbers, name) {
			list[0] = change(name, list[0])
		}
	}
	return values.Encode()
}

// eachText changes the texts in a tree of JSON, but for those that are the caller's own, and returns the tree.
func eachText(name string, tree any, change func(name, text string) string) any {
	if slices.Contains(verbatim, name) || slices.Contains(free, name) {
		return tree
	}
	switch node := tree.(type) {
	case string:
		return change(name, node)
	case []any:
		for i := range node {
			node[i] = eachText(name, node[i], change)
		}
	case map[string]any:
		for inner := range node {
			node[inner] = eachText(inner, node[inner], change)
		}
	}
	return tree
}

// whenGood is what a route answers to a good request of an administrator.
func whenGood(r httpapi.Route) int {
	switch r.ID {
	case "bootstrap":
		return http.StatusBadRequest // since the server is set up
	case "srp-login-1", "srp-login-2":
		return http.StatusBadRequest // always
	case "refresh-user-token":
		return http.StatusUnauthorized // since its token is in a cookie
	case "get-service-token", "post-service-token":
		return http.StatusUnauthorized // always
	}
	return http.StatusOK
}
