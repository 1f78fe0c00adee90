package secret

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// link has a folder import another one, as the administrator.
func (f *fixture) link(into Place, environment, path string) *Import {
	f.t.Helper()
	i, err := f.AddImport(f.t.Context(), f.admin, into, environment, path)
	if err != nil {
		f.t.Fatal(err)
	}
	return i
}

// shown returns what a list shows of imports, as "environment path: secrets".
func shown(l *Listing) (all []string) {
	for _, m := range l.Imports {
		all = append(all, fmt.Sprint(m.Environment, " ", m.Path, ": ", keys(m.Secrets)))
	}
	return all
}

func TestImports(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, name := range []string{"one", "two", "deep"} {
			f.folder("prod", name)
		}
		f.folder("dev", "sub")
		dev := f.in("dev", "/")
		one, two, deep := f.in("prod", "/one"), f.in("prod", "/two"), f.in("prod", "/deep")
		f.put(dev, "OWN", "own")
		f.put(one, "BOTH", "of one")
		f.put(one, "ONE", "1")
		f.put(two, "BOTH", "of two")
		f.put(two, "OWN", "hidden by its own")
		f.put(two, "REF", "${BOTH} ${DEEP}")
		f.put(deep, "DEEP", "deep")
		f.put(deep, "BOTH", "of deep")
		f.put(dev, "USES", "${BOTH} ${DEEP}")
		f.link(dev, "prod", "/one")
		f.link(dev, "prod", "two/")
		f.link(dev, "staging", "/not/there")
		f.link(two, "prod", "/deep")
		f.link(deep, "dev", "/sub")
		// A circle among the sources, as two who make links at once may close it.
		f.exec(`INSERT INTO secret_imports (id, folder_id, environment_id, path, position, version, created_at, updated_at)
			SELECT 'circle', f.id, i.environment_id, '/two', 1, 1, 0, 0 FROM folders f, secret_imports i WHERE f.path = '/sub' AND i.path = '/deep'`)
		l, err := f.List(t.Context(), f.admin, dev, Query{View: expanded})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"prod /one: [/one BOTH=of one /one ONE=1]", "prod /two: [/deep DEEP=deep /two BOTH=of two /two OWN=hidden by its own /two REF=of two deep]",
			"staging /not/there: []"}
		if diff := cmp.Diff(want, shown(l)); diff != "" {
			t.Error(diff)
		}
		for name, value := range map[string]string{"OWN": "own", "ONE": "1", "BOTH": "of two", "DEEP": "deep", "REF": "of two deep", "USES": "of two deep"} {
			if got, err := f.expand(f.admin, name); err != nil || got != value {
				t.Errorf("%s is %q, %v; want %q", name, got, err, value)
			}
		}
		if s, err := f.Get(t.Context(), f.admin, dev, Find{Name: "DEEP", View: expanded}); err != nil || s.Environment != "prod" || s.Path != "/deep" {
			t.Errorf("%+v, %v", s, err)
		}
		_, err = f.Get(t.Context(), f.admin, dev, Find{Name: "DEEP"})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("unasked, an import was looked into: %v", err)
		}
		if l, err := f.List(t.Context(), f.admin, dev, Query{View: View{Values: true}}); err != nil || len(l.Imports) != 0 {
			t.Errorf("unasked, imports were listed: %v, %v", shown(l), err)
		}
		some := f.member(`[{"subject":"secrets","action":["describeSecret","readValue"]},{"subject":"secrets","action":["readValue"],"inverted":true,"conditions":{"secretName":"ONE"}},
			{"subject":"secrets","action":["describeSecret"],"inverted":true,"conditions":{"secretName":"REF"}}]`)
		l, err = f.List(t.Context(), some, dev, Query{View: View{Values: true, Imports: true}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("prod /one: [/one BOTH=of one]", shown(l)[0]); diff != "" {
			t.Error(diff)
		}
		_, err = f.expand(some, "ONE")
		want403 := fault.Is(err, fault.Forbidden)
		_, err = f.expand(some, "REF")
		if !want403 || !fault.Is(err, fault.PermissionDenied) {
			t.Errorf("who may not read the source got it: %v", err)
		}
	})
}

func TestImportsAreManaged(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, name := range []string{"a", "b", "c"} {
			f.folder("dev", name)
		}
		at := f.in("dev", "/")
		order := func() (all []string) {
			t.Helper()
			imports, err := f.ListImports(t.Context(), f.admin, at)
			if err != nil {
				t.Fatal(err)
			}
			for n, i := range imports {
				if i.Position != int64(n+1) {
					t.Errorf("%s has position %d", i.Path, i.Position)
				}
				all = append(all, i.From.Slug+i.Path)
			}
			return all
		}
		check := func(want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, order()); diff != "" {
				t.Error(diff)
			}
		}
		a, _, c := f.link(at, "dev", "/a"), f.link(at, "dev", "/b"), f.link(at, "dev", "/c")
		check("dev/a", "dev/b", "dev/c")
		move := func(id string, to int64) {
			t.Helper()
			if _, err := f.UpdateImport(t.Context(), f.admin, at, id, ImportChanges{Position: &to}); err != nil {
				t.Fatal(err)
			}
		}
		move(c.ID, 1)
		check("dev/c", "dev/a", "dev/b")
		move(c.ID, 99)
		check("dev/a", "dev/b", "dev/c")
		move(a.ID, 2)
		check("dev/b", "dev/a", "dev/c")
		if i, err := f.UpdateImport(t.Context(), f.admin, at, a.ID, ImportChanges{Environment: ptr("prod"), Path: ptr("x/")}); err != nil || i.Version != 3 {
			t.Errorf("%+v, %v", i, err)
		}
		check("dev/b", "prod/x", "dev/c")
		if read, err := f.ReadImport(t.Context(), f.admin, a.ID); err != nil || read.Path != "/x" || read.Into.path != "/" || read.From.Slug != "prod" {
			t.Errorf("%+v, %v", read, err)
		}
		if _, err := f.RemoveImport(t.Context(), f.admin, at, a.ID); err != nil {
			t.Fatal(err)
		}
		check("dev/b", "dev/c")
	})
}

func TestImportsRefuse(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.folder("dev", "a")
		f.folder("dev", "b")
		at, a, b := f.in("dev", "/"), f.in("dev", "/a"), f.in("dev", "/b")
		i := f.link(at, "dev", "/a")
		f.link(a, "dev", "/b")
		later := f.link(b, "prod", "/")
		nothing := f.member(`[{"subject":"secrets","action":["describeSecret"]}]`)
		blind := f.member(`[{"subject":"secret-imports","action":["read","create","edit","delete"]},{"subject":"secrets","action":["describeSecret"],"conditions":{"environment":"dev"}}]`)
		add := func(p Place, environment, path string) error {
			_, err := f.AddImport(t.Context(), f.admin, p, environment, path)
			return err
		}
		ctx := t.Context()
		for name, c := range map[string]struct {
			kind fault.Kind
			do   func() error
		}{
			"of itself":                 {fault.BadRequest, func() error { return add(at, "dev", "/") }},
			"in a circle":               {fault.BadRequest, func() error { return add(b, "dev", "/") }},
			"twice":                     {fault.BadRequest, func() error { return add(at, "dev", "a/") }},
			"of an unknown environment": {fault.NotFound, func() error { return add(at, "nope", "/") }},
			"into an unknown folder":    {fault.NotFound, func() error { return add(f.in("dev", "/x"), "dev", "/a") }},
			"without the right":         {fault.PermissionDenied, func() error { _, err := f.AddImport(ctx, nothing, at, "prod", "/"); return err }},
			"of secrets unknown to it":  {fault.PermissionDenied, func() error { _, err := f.AddImport(ctx, blind, at, "prod", "/"); return err }},
			"list without the right":    {fault.PermissionDenied, func() error { _, err := f.ListImports(ctx, nothing, at); return err }},
			"read without the right":    {fault.PermissionDenied, func() error { _, err := f.ReadImport(ctx, nothing, i.ID); return err }},
			"read an unknown one":       {fault.NotFound, func() error { _, err := f.ReadImport(ctx, f.admin, f.project.ID); return err }},
			"read no id":                {fault.NotFound, func() error { _, err := f.ReadImport(ctx, f.admin, "x"); return err }},
			"list of an unknown folder": {fault.NotFound, func() error { _, err := f.ListImports(ctx, f.admin, f.in("dev", "/x")); return err }},
			"delete without the right":  {fault.PermissionDenied, func() error { _, err := f.RemoveImport(ctx, nothing, at, i.ID); return err }},
			"delete in another folder":  {fault.NotFound, func() error { _, err := f.RemoveImport(ctx, f.admin, a, i.ID); return err }},
			"change without the right":  {fault.PermissionDenied, func() error { _, err := f.UpdateImport(ctx, nothing, at, i.ID, ImportChanges{}); return err }},
			"change in another folder":  {fault.NotFound, func() error { _, err := f.UpdateImport(ctx, f.admin, a, i.ID, ImportChanges{}); return err }},
			"change it into a circle": {fault.BadRequest, func() error {
				_, err := f.UpdateImport(ctx, f.admin, b, later.ID, ImportChanges{Environment: ptr("dev")})
				return err
			}},
			"change to what it may not": {fault.PermissionDenied, func() error {
				_, err := f.UpdateImport(ctx, blind, at, i.ID, ImportChanges{Environment: ptr("prod")})
				return err
			}},
		} {
			t.Run("refused/"+name, func(t *testing.T) { want(t, c.do(), c.kind) })
		}
		if n := f.count(`SELECT count(*) FROM secret_imports`); n != 3 {
			t.Errorf("%d imports are left", n)
		}
		for n := range MaxImports {
			f.exec(`INSERT INTO secret_imports (id, folder_id, environment_id, path, position, version, created_at, updated_at)
				SELECT $1, f.id, f.environment_id, $1, $2, 1, 0, 0 FROM folders f JOIN environments e ON e.id = f.environment_id WHERE e.slug = 'staging' AND f.path = '/'`, fmt.Sprint("/p", n), n+1)
		}
		want(t, add(f.in("staging", "/"), "dev", "/"), fault.BadRequest)
	})
}
