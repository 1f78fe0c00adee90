package secret

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// shelves is a part of a project: folders that import from each other, with secrets of the same few names.
type shelves struct {
	*fixture
	paths []string
	names []string
}

func drawShelves(t *rapid.T, f *fixture, serial int, tag string) *shelves {
	s := &shelves{fixture: f, names: []string{"A", "B"}}
	for i := range 4 {
		s.paths = append(s.paths, fmt.Sprintf("/w%d-%d", serial, i))
		f.folder("dev", s.paths[i][1:])
	}
	for _, path := range s.paths {
		for _, name := range s.names {
			if rapid.IntRange(0, 2).Draw(t, "is there") == 0 {
				continue
			}
			c := Changes{Name: name, Value: ptr("of " + path)}
			if rapid.Bool().Draw(t, "tagged") {
				c.TagIDs = &[]string{tag}
			}
			if _, err := f.Create(t.Context(), f.admin, f.in("dev", path), c); err != nil {
				t.Fatal(err)
			}
		}
		for _, source := range rapid.SliceOfN(rapid.SampledFrom(s.paths), 0, 3).Draw(t, "imports") {
			_, err := f.AddImport(t.Context(), f.admin, f.in("dev", path), "dev", source)
			if err != nil && !fault.Is(err, fault.BadRequest) { // a circle, or there already
				t.Fatal(err)
			}
		}
	}
	return s
}

// drawRules draws what somebody may know and read of the shelves.
func (s *shelves) drawRules(t *rapid.T) string {
	rule := rapid.Custom(func(t *rapid.T) map[string]any {
		conditions := map[string]any{}
		switch rapid.IntRange(0, 4).Draw(t, "condition") {
		case 0, 1:
			conditions["secretPath"] = map[string]any{"$in": rapid.SliceOfN(rapid.SampledFrom(s.paths), 1, 3).Draw(t, "paths")}
		case 2:
			conditions["secretName"] = rapid.SampledFrom(s.names).Draw(t, "name")
		case 3:
			conditions["secretTags"] = map[string]any{"$in": []string{"red"}}
		}
		actions := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"describeSecret", "readValue"}), 1, 2, rapid.ID).Draw(t, "actions")
		return map[string]any{"subject": "secrets", "action": actions, "conditions": conditions, "inverted": rapid.IntRange(0, 3).Draw(t, "inverted") == 0}
	})
	text, err := json.Marshal(rapid.SliceOfN(rule, 1, 4).Draw(t, "rules"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inList returns the secret that a list shows behind a name: its own one, or that of the last import that has it.
func inList(l *Listing, name string) *Secret {
	named := func(s *Secret) bool { return s.Key == name }
	if i := slices.IndexFunc(l.Secrets, named); i >= 0 {
		return l.Secrets[i]
	}
	for _, m := range slices.Backward(l.Imports) {
		if i := slices.IndexFunc(m.Secrets, named); i >= 0 {
			return m.Secrets[i]
		}
	}
	return nil
}

// TestListAndGetAgree: whatever the rules and the imports are, a list, a recursive list, and reads by name and by id agree on which
// secret stands behind a name, on its value, and on whether the reader gets to see either.
func TestListAndGetAgree(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		red, serial := f.tag("red"), 0
		rapid.Check(t, func(rt *rapid.T) {
			serial++
			s := drawShelves(rt, f, serial, red)
			actor := f.member(s.drawRules(rt))
			deep, err := f.List(t.Context(), actor, f.in("dev", "/"), Query{View: View{Values: true}, Below: true})
			if err != nil {
				deep = &Listing{}
			}
			for _, path := range s.paths {
				for _, values := range []bool{true, false} {
					s.compare(rt, actor, path, values, deep)
				}
			}
		})
	})
}

func (s *shelves) compare(t *rapid.T, actor *access.Actor, path string, values bool, deep *Listing) {
	at, view := s.in("dev", path), View{Values: values, Imports: true}
	l, err := s.List(t.Context(), actor, at, Query{View: view})
	if err != nil {
		l = &Listing{}
	}
	for _, name := range s.names {
		found, err := s.Get(t.Context(), actor, at, Find{Name: name, View: view})
		listed := inList(l, name)
		below := slices.ContainsFunc(deep.Secrets, func(o *Secret) bool { return o.Path == path && o.Key == name })
		switch {
		case err == nil && (listed == nil || listed.ID != found.ID || listed.Value != found.Value || listed.Hidden != found.Hidden):
			t.Fatalf("%s %s, values %v: by name it is %+v, in the list %+v", path, name, values, found, listed)
		case fault.Is(err, fault.Forbidden) && listed != nil && (!listed.Hidden || listed.Value != ""):
			t.Fatalf("%s %s: its value may not be read by name, and the list shows %+v", path, name, listed)
		case (fault.Is(err, fault.PermissionDenied) || fault.Is(err, fault.NotFound)) && listed != nil:
			t.Fatalf("%s %s, values %v: by name %v, and the list shows %+v", path, name, values, err, listed)
		case values && below != (err == nil && found.Path == path):
			t.Fatalf("%s %s: by name %v, in the recursive list: %v", path, name, err, below)
		}
		if err == nil && values {
			if byID, err := s.GetByID(t.Context(), actor, found.ID); err != nil || byID.Value != found.Value {
				t.Fatalf("%s %s: by id %+v, %v", path, name, byID, err)
			}
		}
	}
}

// TestAChainOfImportsEndsAtOnePlace: both ways of reading go equally deep, as many levels as is documented.
func TestAChainOfImportsEndsAtOnePlace(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for i := range 14 {
			f.folder("dev", fmt.Sprint("n", i))
			f.put(f.in("dev", fmt.Sprint("/n", i)), fmt.Sprint("N", i), "x")
		}
		for i := range 13 {
			f.link(f.in("dev", fmt.Sprint("/n", i)), "dev", fmt.Sprint("/n", i+1))
		}
		at, view := f.in("dev", "/n0"), View{Values: true, Imports: true}
		l, err := f.List(t.Context(), f.admin, at, Query{View: view})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 14 {
			name := fmt.Sprint("N", i)
			_, err := f.Get(t.Context(), f.admin, at, Find{Name: name, View: view})
			if listed := inList(l, name) != nil; listed != (i <= maxImportDepth) || listed != (err == nil) {
				t.Errorf("%s is in the list: %v, by name: %v", name, listed, err)
			}
		}
	})
}
