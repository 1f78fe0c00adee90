package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// takesAway reports whether a route revokes, detaches, ends or deletes something.
func takesAway(r httpapi.Route) bool {
	return r.Method == http.MethodDelete || slices.ContainsFunc([]string{"revoke", "detach", "delete", "remove", "clear", "logout"},
		func(verb string) bool { return strings.Contains(r.ID, verb) })
}

// synonyms are fields of which a client sends one; the others are left out when one is tried.
var synonyms = [][]string{{"projectId", "workspaceId", "projectSlug", "workspaceSlug"}, {"path", "directory"}, {"usernames", "emails"}}

// nameless are fields that name nothing: they say how, or are not needed.
var nameless = []string{
	"token_type_hint", // RFC 7009 section 2.1: a server may ignore it
	"type",            // shared or personal; of one kind where the test makes it
	"mode",
}

// answered are the routes and fields for which a name of nothing is no error, and why.
var answered = map[string]string{
	"oauth-revoke token":       "RFC 7009 section 2.2: what is no token needs no revoking",
	"revoke-any-token tokenId": "tokens of logins leave no row: any id may be one, and is revoked",
}

// TestWhateverTakesAwayRefusesAMisspeltName calls each route that revokes, detaches or deletes with a good request of which
// one name is misspelt. Whoever takes back must not be told that it is done when nothing was.
func TestWhateverTakesAwayRefusesAMisspeltName(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	s.Watch(t)
	tried := 0
	everyRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		if !takesAway(r) {
			return
		}
		for _, name := range namesOf(t, s, r) {
			if answered[r.ID+" "+name] != "" {
				continue
			}
			tried++
			t.Run(name, func(t *testing.T) { refusesMisspelt(t, s, r, name) })
		}
	})
	if tried < 60 {
		t.Errorf("%d names were tried: the walk lost its way", tried)
	}
}

// broader are the fields of bodies that need not be there: without them the route does what is said here, and that is no less.
var broader = map[string]string{
	"authMethod": "revokes the tokens of all methods",
	"path":       "looks in the root", "directory": "looks in the root", "secretPath": "looks in the root",
}

// TestWhateverTakesAwayRefusesAMissingName is the same for a field whose own name is misspelt: it is unknown, and nothing is named.
func TestWhateverTakesAwayRefusesAMissingName(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	tried := 0
	everyRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		good := requestOf(t, s, r)
		fields, ok := plainJSON(t, good.body).(map[string]any)
		if !takesAway(r) || !ok {
			return
		}
		for name, value := range fields {
			if _, flag := value.(bool); flag || broader[name] != "" || slices.Contains(nameless, name) {
				continue
			}
			tried++
			t.Run(name, func(t *testing.T) { refusesMissing(t, s, r, name) })
		}
	})
	if tried < 20 {
		t.Errorf("%d names were tried: the walk lost its way", tried)
	}
}

// refusesMissing sends a good request without one field and its synonyms.
func refusesMissing(t *testing.T, s *harness.Server, r httpapi.Route, name string) {
	t.Helper()
	good := requestOf(t, s, r)
	fields := plainJSON(t, good.body).(map[string]any)
	for _, other := range append(synonymsOf(name), name) {
		delete(fields, other)
	}
	fields[name+"x"] = "misspelt"
	a := s.Admin.Call(t, r.Method, good.path, fields)
	if a.Status < 400 || a.Status >= 500 {
		t.Errorf("answered %d %.300s", a.Status, a.Body)
	}
}

// namesOf returns the fields of a route's good request that name something.
func namesOf(t *testing.T, s *harness.Server, r httpapi.Route) (names []string) {
	t.Helper()
	note := func(name, text string) string {
		if !slices.Contains(nameless, name) && !slices.Contains(names, name) && text != "" {
			names = append(names, name)
		}
		return text
	}
	good := requestOf(t, s, r)
	path, query, _ := strings.Cut(good.path, "?")
	changePath(t, r, path, note)
	if query != "" {
		changeQuery(t, query, func(name, text string) string { return noteQuery(note, name, text) })
	}
	if good.body != nil {
		eachText("", plainJSON(t, good.body), note)
	}
	slices.Sort(names)
	return names
}

// noteQuery leaves out flags, which name nothing.
func noteQuery(note func(name, text string) string, name, text string) string {
	if text == "true" || text == "false" {
		return text
	}
	return note(name, text)
}

// refusesMisspelt sends a good request with one name misspelt.
func refusesMisspelt(t *testing.T, s *harness.Server, r httpapi.Route, name string) {
	t.Helper()
	good := requestOf(t, s, r)
	others := synonymsOf(name)
	before := s.Changes(t)
	path, query, _ := strings.Cut(good.path, "?")
	change := func(at, text string) string {
		if at == name {
			return misspelt(text)
		}
		return text
	}
	if path = changePath(t, r, path, change); query != "" {
		path += "?" + changeQuery(t, query, change)
	}
	var body any
	if good.body != nil {
		body = eachText("", plainJSON(t, good.body), change)
		if fields, ok := body.(map[string]any); ok {
			for _, other := range others {
				delete(fields, other)
			}
		}
	}
	a := s.Admin.Call(t, r.Method, path, body)
	if a.Status < 400 || a.Status >= 500 {
		t.Errorf("answered %d %.300s", a.Status, a.Body)
	}
	if diff := cmp.Diff(before, s.Changes(t)); diff != "" {
		t.Errorf("it changed something: %s", diff)
	}
}

func synonymsOf(name string) (others []string) {
	for _, group := range synonyms {
		if slices.Contains(group, name) {
			others = slices.DeleteFunc(slices.Clone(group), func(n string) bool { return n == name })
		}
	}
	return others
}

// misspelt returns a name with a slip of the pen: an id or a token that nothing has, another word.
func misspelt(text string) string {
	if id.Valid(text) {
		return id.New()
	}
	return text + "x"
}
