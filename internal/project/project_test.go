package project

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

func TestCreateMakesEverythingThatAProjectNeeds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		found, err := f.Read(t.Context(), admin, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, found); diff != "" {
			t.Errorf("created (-), read (+): %s", diff)
		}
		if bySlug, err := f.ReadSlug(t.Context(), admin, p.Slug); err != nil || bySlug.ID != p.ID {
			t.Errorf("by its slug: %+v, %v", bySlug, err)
		}
		var slugs []string
		for i, e := range found.Environments {
			slugs = append(slugs, e.Slug)
			if e.Position != int64(i+1) {
				t.Errorf("%s has position %d", e.Slug, e.Position)
			}
			if root, err := FolderAt(t.Context(), f.db, p.ID, e.Slug, "/"); err != nil || root.Name != "root" || root.ParentID != nil {
				t.Errorf("the root of %s is %+v, %v", e.Slug, root, err)
			}
		}
		if diff := cmp.Diff([]string{"dev", "staging", "prod"}, slugs); diff != "" {
			t.Error(diff)
		}
		a, err := f.Enter(t.Context(), admin, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Check(access.Delete, access.SubjectWorkspace, nil); err != nil {
			t.Errorf("its maker is no administrator: %v", err)
		}
		if diff := cmp.Diff([]string{"create-project"}, f.events(p.ID)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		for name, c := range map[string]struct {
			slug string
			kind fault.Kind
		}{
			"refused/slug that is taken":    {p.Slug, fault.BadRequest},
			"refused/slug of an id":         {id.New(), fault.Validation},
			"refused/upper case":            {"Shop-1", fault.Validation},
			"refused/two hyphens":           {"shop--1", fault.Validation},
			"refused/hyphen at the end":     {"shop-", fault.Validation},
			"refused/slash":                 {"shop/1", fault.Validation},
			"refused/65 characters":         {strings.Repeat("a", 65), fault.Validation},
			"refused/letters beyond a to z": {"früh-1", fault.Validation},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := f.Create(t.Context(), admin, Draft{Name: "x", Slug: c.slug})
				want(t, err, c.kind)
			})
		}
		t.Run("refused/without the right", func(t *testing.T) {
			_, err := f.Create(t.Context(), f.actor(f.org, "no-access"), Draft{Name: "x"})
			want(t, err, fault.PermissionDenied)
		})
		t.Run("accepted/the slug in another organization", func(t *testing.T) {
			if _, err := f.Create(t.Context(), f.actor(f.newOrg(), "member"), Draft{Name: "x", Slug: p.Slug}); err != nil {
				t.Error(err)
			}
		})
		if n := f.count(`SELECT count(*) FROM environments`); n != 6 {
			t.Errorf("%d environments; want those of two projects", n)
		}
	})
}

func TestEnterSaysWhatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		stranger, outsider := f.actor(f.newOrg(), "admin"), f.actor(f.org, "admin")
		for name, c := range map[string]struct {
			actor *access.Actor
			ref   string
			kind  fault.Kind
		}{
			"refused/unknown id":              {admin, id.New(), fault.NotFound},
			"refused/no id":                   {admin, strings.Repeat("x", 10_000), fault.NotFound},
			"refused/of another organization": {stranger, p.ID, fault.NotFound},
			"refused/no member":               {outsider, p.ID, fault.Forbidden},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := f.Enter(t.Context(), c.actor, c.ref)
				want(t, err, c.kind)
			})
		}
		_, err := f.EnterSlug(t.Context(), stranger, p.Slug)
		want(t, err, fault.NotFound)
		_, err = f.EnterSlug(t.Context(), outsider, p.Slug)
		want(t, err, fault.Forbidden)
	})
}

func TestWarmEntryNeedsNoStatement(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		enter := func() error {
			_, err := f.EnterSlug(t.Context(), admin, p.Slug)
			if err == nil {
				_, err = f.Key(t.Context(), p.ID)
			}
			return err
		}
		if err := enter(); err != nil {
			t.Fatal(err)
		}
		if err := f.db.Close(); err != nil { // whoever asks it now gets an error
			t.Fatal(err)
		}
		if err := enter(); err != nil {
			t.Error(err)
		}
	})
}

func TestUpdate(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		expected := *p
		for name, c := range map[string]struct {
			change Changes
			then   func()
		}{
			"nothing":           {Changes{}, func() {}},
			"the name":          {Changes{Name: ptr("New")}, func() { expected.Name = "New" }},
			"the description":   {Changes{Description: ptr("what it is\nfor")}, func() { expected.Description = ptr("what it is\nfor") }},
			"protection":        {Changes{DeleteProtection: ptr(true)}, func() { expected.DeleteProtection = true }},
			"capitals":          {Changes{AutoCapital: ptr(false)}, func() { expected.AutoCapital = false }},
			"sharing":           {Changes{SecretSharing: ptr(false)}, func() { expected.SecretSharing = false }},
			"snapshots":         {Changes{SnapshotsLegacy: ptr(true)}, func() { expected.SnapshotsLegacy = true }},
			"sealed metadata":   {Changes{SealedMetadata: ptr(true)}, func() { expected.SealedMetadata = ptr(true) }},
			"ignored values":    {Changes{IgnoredValues: &[]string{"x", `"`}}, func() { expected.IgnoredValues = `["x","\""]` }},
			"limit of versions": {Changes{VersionLimit: ptr(int64(100))}, func() { expected.VersionLimit = 100 }},
		} {
			t.Run(name, func(t *testing.T) {
				f.ms.Add(1000)
				got, err := f.Update(t.Context(), admin, p.ID, c.change)
				if err != nil {
					t.Fatal(err)
				}
				c.then()
				expected.UpdatedAt = f.ms.Load()
				if diff := cmp.Diff(&expected, got); diff != "" {
					t.Error(diff)
				}
			})
		}
		_, err := f.Update(t.Context(), f.member(p, "viewer"), p.ID, Changes{Name: ptr("x")})
		want(t, err, fault.PermissionDenied)
	})
}

func TestANewSlugTakesTheOldOnesPlace(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		other, _ := f.project()
		old := p.Slug
		_, err := f.Update(t.Context(), admin, p.ID, Changes{Slug: &other.Slug})
		want(t, err, fault.BadRequest)
		if _, err := f.ReadSlug(t.Context(), admin, old); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Update(t.Context(), admin, p.ID, Changes{Slug: ptr("new-slug")}); err != nil {
			t.Fatal(err)
		}
		if found, err := f.ReadSlug(t.Context(), admin, "new-slug"); err != nil || found.ID != p.ID {
			t.Errorf("by its new slug: %+v, %v", found, err)
		}
		_, err = f.ReadSlug(t.Context(), admin, old)
		want(t, err, fault.NotFound)
		_, err = f.Update(t.Context(), admin, p.ID, Changes{Slug: ptr("no slug")})
		want(t, err, fault.Validation)
	})
}

func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		if _, err := f.Key(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
		_, err := f.Delete(t.Context(), f.member(p, "member"), p.ID)
		want(t, err, fault.PermissionDenied)
		if _, err := f.Update(t.Context(), admin, p.ID, Changes{DeleteProtection: ptr(true)}); err != nil {
			t.Fatal(err)
		}
		_, err = f.Delete(t.Context(), admin, p.ID)
		want(t, err, fault.Forbidden)
		if _, err := f.Update(t.Context(), admin, p.ID, Changes{DeleteProtection: ptr(false)}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Delete(t.Context(), admin, p.ID); err != nil {
			t.Fatal(err)
		}
		_, err = f.Enter(t.Context(), admin, p.ID)
		want(t, err, fault.NotFound)
		_, err = f.ReadSlug(t.Context(), admin, p.Slug)
		want(t, err, fault.NotFound)
		_, err = f.Delete(t.Context(), admin, p.ID)
		want(t, err, fault.NotFound)
		_, err = f.Key(t.Context(), p.ID)
		want(t, err, fault.NotFound)
		if n := f.count(`SELECT count(*) FROM project_keys WHERE project_id = $1 AND length(sealed) > 0`, p.ID); n != 0 {
			t.Error("the key of a deleted project is still there")
		}
		if projects, err := f.List(t.Context(), admin); err != nil || len(projects) != 0 {
			t.Errorf("listed: %v, %v", projects, err)
		}
		if _, err := f.Create(t.Context(), admin, Draft{Name: "x", Slug: p.Slug}); err != nil {
			t.Errorf("its slug cannot be used again: %v", err)
		}
	})
}

func TestListHasTheActorsProjects(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		f.project()
		projects, err := f.List(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]*Project{p}, projects); diff != "" {
			t.Error(diff)
		}
	})
}

func TestKeysAreBoundToTheirRows(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, _ := f.project()
		other, _ := f.project()
		k, err := f.Key(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		sealed := k.Seal([]byte("value"), "place")
		again, err := replica(t, f.db).Key(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := again.Open(sealed, "place"); err != nil || string(plain) != "value" {
			t.Errorf("opened %q, %v with the key as another server read it", plain, err)
		}
		f.exec(`UPDATE project_keys SET sealed = (SELECT sealed FROM project_keys WHERE project_id = $1) WHERE project_id = $2`, p.ID, other.ID)
		if _, err := replica(t, f.db).Key(t.Context(), other.ID); err == nil {
			t.Error("a key opened in the row of another project")
		}
	})
}

// TestProjectsAtOnceShareTheKeyOfTheirOrganization, which the first one makes.
func TestProjectsAtOnceShareTheKeyOfTheirOrganization(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin := f.actor(f.org, "member")
		made := make([]*Project, 8)
		var all sync.WaitGroup
		for i := range made {
			all.Go(func() {
				var err error
				if made[i], err = f.Create(t.Context(), admin, Draft{Name: "x"}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		fresh := replica(t, f.db)
		for _, p := range made {
			if _, err := fresh.Key(t.Context(), p.ID); err != nil {
				t.Errorf("a key cannot be opened: %v", err)
			}
		}
	})
}

// TestAnotherReplicaKnowsAtOnce what was changed when the change is answered.
func TestAnotherReplicaKnowsAtOnce(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.Postgres)
	f := &fixture{Service: replica(t, db), t: t}
	f.org = f.newOrg()
	other := replica(t, db)
	p, admin := f.project()
	if _, err := other.EnterSlug(t.Context(), admin, p.Slug); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Update(t.Context(), admin, p.ID, Changes{Slug: ptr("moved")}); err != nil {
		t.Fatal(err)
	}
	_, err := other.EnterSlug(t.Context(), admin, p.Slug)
	want(t, err, fault.NotFound)
	if _, err := f.Delete(t.Context(), admin, p.ID); err != nil {
		t.Fatal(err)
	}
	_, err = other.Enter(t.Context(), admin, p.ID)
	want(t, err, fault.NotFound)
}

func TestParsePath(t *testing.T) {
	for in, want := range map[string]string{"": "/", " ": "/", "/": "/", "//": "/", "/a": "/a", "/a/": "/a", "a": "/a", "a//b/": "/a/b", " /a b ": "/a b", "/..": "/.."} {
		if got := ParsePath(in); got != want {
			t.Errorf("ParsePath(%q) = %q; want %q", in, got, want)
		}
	}
}
