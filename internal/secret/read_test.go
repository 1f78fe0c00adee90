package secret

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/project"
)

func TestGetRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.in("dev", "/")
		f.put(at, "A", "x")
		describer := f.member(`[{"subject":"secrets","action":["describeSecret"]}]`)
		prod := f.member(`[{"subject":"secrets","action":["describeSecret","readValue"],"conditions":{"environment":"prod"}}]`)
		values := View{Values: true}
		for name, c := range map[string]struct {
			actor *access.Actor
			place Place
			find  Find
			kind  fault.Kind
		}{
			"unknown secret":               {f.admin, at, Find{Name: "NOPE"}, fault.NotFound},
			"unknown folder":               {f.admin, f.in("dev", "/nope"), Find{Name: "A"}, fault.NotFound},
			"unknown environment":          {f.admin, f.in("nope", "/"), Find{Name: "A"}, fault.NotFound},
			"no environment":               {f.admin, f.in("", "/"), Find{Name: "A"}, fault.BadRequest},
			"no project":                   {f.admin, Place{Environment: "dev"}, Find{Name: "A"}, fault.BadRequest},
			"a name of 4 KB":               {f.admin, at, Find{Name: strings.Repeat("a", 4096)}, fault.NotFound},
			"personal, by no user":         {f.admin, at, Find{Name: "A", Personal: true}, fault.BadRequest},
			"the value without the right":  {describer, at, Find{Name: "A", View: values}, fault.Forbidden},
			"another environment":          {prod, at, Find{Name: "A", View: values}, fault.PermissionDenied},
			"unknown, and not to be known": {prod, at, Find{Name: "NOPE"}, fault.PermissionDenied},
		} {
			t.Run("refused/"+name, func(t *testing.T) {
				_, err := f.Get(t.Context(), c.actor, c.place, c.find)
				want(t, err, c.kind)
			})
		}
		s, err := f.Get(t.Context(), describer, at, Find{Name: "A"})
		if err != nil || !s.Hidden || s.Value != "" {
			t.Errorf("without the value: %+v, %v", s, err)
		}
		s, err = f.Get(t.Context(), f.admin, Place{ProjectSlug: f.project.Slug, Environment: "dev"}, Find{Name: "A", View: values})
		if err != nil || s.Value != "x" {
			t.Errorf("by the project's slug: %+v, %v", s, err)
		}
	})
}

func keys(secrets []*Secret) (found []string) {
	for _, s := range secrets {
		text := s.Path + " " + s.Key + "=" + s.Value
		if s.Hidden {
			text += " hidden"
		}
		found = append(found, text)
	}
	return found
}

func TestList(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.folder("dev", "app")
		f.folder("dev", "a_p")
		f.folder("dev", "äpp")
		root, app := f.in("dev", "/"), f.in("dev", "/app")
		red := f.tag("red")
		f.put(root, "B", "b")
		f.put(root, "A", "a")
		f.put(app, "C", "c")
		f.put(f.in("dev", "/a_p"), "D", "d")
		f.put(f.in("dev", "/äpp"), "E", "e")
		f.put(f.in("prod", "/"), "P", "p")
		if _, err := f.Create(t.Context(), f.admin, app, Changes{Name: "T", Value: ptr("t"), TagIDs: &[]string{red},
			Metadata: &[]Metadata{{"team", "core", false}, {"pin", "1", true}}}); err != nil {
			t.Fatal(err)
		}
		describer := f.member(`[{"subject":"secrets","action":["describeSecret"]},{"subject":"secrets","action":["readValue"],"conditions":{"secretName":"A"}}]`)
		some := f.member(`[{"subject":"secrets","action":["describeSecret","readValue"],"conditions":{"secretPath":{"$glob":"/a*"}}}]`)
		values := View{Values: true}
		for name, c := range map[string]struct {
			actor *access.Actor
			place Place
			q     Query
			want  []string
		}{
			"a folder":                    {f.admin, root, Query{View: values}, []string{"/ A=a", "/ B=b"}},
			"an empty folder":             {f.admin, f.in("staging", "/"), Query{View: values}, nil},
			"all below":                   {f.admin, root, Query{View: values, Below: true}, []string{"/ A=a", "/ B=b", "/a_p D=d", "/app C=c", "/app T=t", "/äpp E=e"}},
			"all below a folder":          {f.admin, f.in("dev", "app/"), Query{View: values, Below: true}, []string{"/app C=c", "/app T=t"}},
			"all below one with umlauts":  {f.admin, f.in("dev", "äpp"), Query{View: values, Below: true}, []string{"/äpp E=e"}},
			"by tag":                      {f.admin, app, Query{View: values, TagSlugs: []string{"blue", "red"}}, []string{"/app T=t"}},
			"by an unknown tag":           {f.admin, app, Query{View: values, TagSlugs: []string{"blue"}}, nil},
			"by metadata":                 {f.admin, app, Query{View: values, Filter: Filter{{Key: "team", Value: "core"}}}, []string{"/app T=t"}},
			"by encrypted metadata":       {f.admin, app, Query{View: values, Filter: Filter{{Key: "pin", Value: "1"}}}, nil},
			"without values":              {f.admin, root, Query{}, []string{"/ A= hidden", "/ B= hidden"}},
			"values that are not allowed": {describer, root, Query{View: values}, []string{"/ A=a", "/ B= hidden"}},
			"the same, all below":         {describer, root, Query{View: values, Below: true}, []string{"/ A=a", "/ B= hidden"}},
			"what is allowed":             {some, root, Query{View: values, Below: true}, []string{"/a_p D=d", "/app C=c", "/app T=t"}},
			"nothing that is allowed":     {some, root, Query{View: values}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				l, err := f.List(t.Context(), c.actor, c.place, c.q)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, keys(l.Secrets)); diff != "" {
					t.Error(diff)
				}
			})
		}
		_, err := f.List(t.Context(), f.member(`[]`), root, Query{})
		want(t, err, fault.PermissionDenied)
		_, err = f.List(t.Context(), f.admin, f.in("dev", "/nope"), Query{})
		if want(t, err, fault.NotFound); fault.From(err).Name != "SecretPathNotFound" {
			t.Errorf("the error is named %q", fault.From(err).Name)
		}
	})
}

func TestPersonalSecrets(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, ada, bob := f.in("dev", "/"), f.user(), f.user()
		f.put(at, "A", "shared")
		f.put(at, "B", "b")
		if _, err := f.Create(t.Context(), ada, at, Changes{Name: "A", Personal: true, Value: ptr("ada's")}); err != nil {
			t.Fatal(err)
		}
		_, err := f.Create(t.Context(), ada, at, Changes{Name: "NOPE", Personal: true})
		want(t, err, fault.BadRequest)
		_, err = f.Create(t.Context(), ada, at, Changes{Name: "A", Personal: true})
		want(t, err, fault.BadRequest)
		list := func(actor *access.Actor, q Query) []string {
			t.Helper()
			l, err := f.List(t.Context(), actor, at, q)
			if err != nil {
				t.Fatal(err)
			}
			return keys(l.Secrets)
		}
		for name, c := range map[string]struct{ got, want []string }{
			"shared ones alone":           {list(ada, Query{View: View{Values: true}}), []string{"/ A=shared", "/ B=b"}},
			"both":                        {list(ada, Query{View: View{Values: true}, Both: true}), []string{"/ A=shared", "/ A=ada's", "/ B=b"}},
			"in their place":              {list(ada, Query{View: View{Values: true}, Overrides: true}), []string{"/ A=ada's", "/ B=b"}},
			"one's own is never hidden":   {list(ada, Query{Overrides: true}), []string{"/ A=ada's", "/ B= hidden"}},
			"not those of others":         {list(bob, Query{View: View{Values: true}, Both: true}), []string{"/ A=shared", "/ B=b"}},
			"an identity never has any":   {list(f.admin, Query{View: View{Values: true}, Both: true}), []string{"/ A=shared", "/ B=b"}},
			"an identity has no override": {list(f.admin, Query{View: View{Values: true}, Overrides: true}), []string{"/ A=shared", "/ B=b"}},
		} {
			if diff := cmp.Diff(c.want, c.got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		_, err = f.Get(t.Context(), bob, at, Find{Name: "A", Personal: true})
		want(t, err, fault.NotFound)
		s, err := f.Update(t.Context(), ada, at, Changes{Name: "A", Personal: true, Value: ptr("new")})
		if err != nil || s.Value != "new" || s.Version != 2 {
			t.Errorf("%+v, %v", s, err)
		}
		if s := f.get(at, "A"); s.Value != "shared" || s.Version != 1 {
			t.Errorf("the shared one became %+v", s)
		}
	})
}

// counter counts the statements that are read with.
type counter struct {
	project.Reader
	statements int
}

func (c *counter) Get(ctx context.Context, dst any, query string, args ...any) error {
	c.statements++
	return c.Reader.Get(ctx, dst, query, args...)
}

func (c *counter) Select(ctx context.Context, dst any, query string, args ...any) error {
	c.statements++
	return c.Reader.Select(ctx, dst, query, args...)
}

// warm fills the caches and hides every table that a read should not need any more, so that what is counted is all
// there is.
func (f *fixture) warm(actor *access.Actor, p Place, name string) *counter {
	f.t.Helper()
	if _, err := f.Get(f.t.Context(), actor, p, Find{Name: name, View: View{Values: true}}); err != nil {
		f.t.Fatal(err)
	}
	for _, table := range []string{"memberships", "membership_roles", "privileges", "custom_roles", "identity_metadata", "tags", "projects"} {
		f.exec(`ALTER TABLE ` + table + ` RENAME TO hidden_` + table)
	}
	c := &counter{Reader: f.db}
	f.from = c
	return c
}

func TestReadsTakeFewStatements(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, red := f.in("dev", "/"), f.tag("red")
		for i := range 100 {
			if _, err := f.Create(t.Context(), f.admin, at, Changes{Name: fmt.Sprintf("S%d", i), Value: ptr("x"), TagIDs: &[]string{red},
				Metadata: &[]Metadata{{"a", "b", false}}}); err != nil {
				t.Fatal(err)
			}
		}
		reader := f.member(`[{"subject":"secrets","action":["describeSecret","readValue"],"conditions":{"environment":"dev","secretPath":{"$glob":"/**"},"secretTags":{"$in":["red"]}}}]`)
		c := f.warm(reader, at, "S0")
		all := View{Values: true, Expand: true, Imports: true}
		if s, err := f.Get(t.Context(), reader, at, Find{Name: "S7", View: all}); err != nil || s.Value != "x" || len(s.Tags) != 1 || c.statements != 1 {
			t.Errorf("one secret took %d statements: %+v, %v", c.statements, s, err)
		}
		c.statements = 0
		if l, err := f.List(t.Context(), reader, at, Query{View: all}); err != nil || len(l.Secrets) != 100 || c.statements > 2 {
			t.Errorf("100 secrets took %d statements: %v", c.statements, err)
		}
		c.statements = 0
		if s, err := f.Get(t.Context(), reader, at, Find{Name: "S7", View: all}); err != nil || s.Value != "x" || c.statements != 0 {
			t.Errorf("the second time one secret took %d statements: %v", c.statements, err)
		}
		if l, err := f.List(t.Context(), reader, at, Query{View: all}); err != nil || len(l.Secrets) != 100 || c.statements != 0 {
			t.Errorf("the second time 100 secrets took %d statements: %v", c.statements, err)
		}
	})
}
