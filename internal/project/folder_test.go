package project

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/role"
)

// paths returns the paths of all folders below a folder of the environment dev.
func (f *fixture) paths(p *Project, admin *access.Actor, from string) []string {
	f.t.Helper()
	folders, err := f.ListFolders(f.t.Context(), admin, Location{p.ID, "dev", from}, true, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	found := []string{}
	for _, folder := range folders {
		found = append(found, folder.Path)
		if parent := folder.Path[:max(1, strings.LastIndex(folder.Path, "/"))]; parent != parentOf(folder.Path) || folder.Path != join(parent, folder.Name) {
			f.t.Errorf("the folder %+v has another name than its path", folder)
		}
	}
	return found
}

// mkdir makes a folder in the environment dev.
func (f *fixture) mkdir(p *Project, admin *access.Actor, path string) *Folder {
	f.t.Helper()
	folder, err := f.AddFolder(f.t.Context(), admin, Location{p.ID, "dev", parentOf(path)}, path[strings.LastIndex(path, "/")+1:], nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return folder
}

func TestFoldersAreMadeWithThoseAbove(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		description := "what it holds"
		made, err := f.AddFolder(t.Context(), admin, Location{p.ID, "dev", "/a/b"}, "c", &description)
		if err != nil {
			t.Fatal(err)
		}
		if made.Path != "/a/b/c" || *made.Description != description || made.Version != 1 {
			t.Errorf("made %+v", made)
		}
		if diff := cmp.Diff([]string{"/a", "/a/b", "/a/b/c"}, f.paths(p, admin, "/")); diff != "" {
			t.Error(diff)
		}
		read, err := f.ReadFolder(t.Context(), admin, made.ID)
		if err != nil || read.ProjectID != p.ID || read.EnvironmentSlug != "dev" || read.EnvironmentName != "Development" {
			t.Fatalf("read %+v, %v", read, err)
		}
		if diff := cmp.Diff(*made, read.Folder); diff != "" {
			t.Error(diff)
		}
		f.mkdir(p, admin, "/a/x")
		children, err := f.ListFolders(t.Context(), admin, Location{p.ID, "dev", "/a"}, false, 0)
		if err != nil || len(children) != 2 || children[0].Path != "/a/b" || children[1].Path != "/a/x" {
			t.Errorf("children are %+v, %v", children, err)
		}
		if other := f.paths(p, admin, "/nowhere"); len(other) != 0 {
			t.Errorf("nowhere has %v", other)
		}
		if diff := cmp.Diff([]string{"create-project", "create-folder", "create-folder"}, f.events(p.ID)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAddFolderRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		f.mkdir(p, admin, "/taken")
		deep := strings.Repeat("/d", MaxDepth-1)
		for name, c := range map[string]struct {
			at   Location
			name string
			kind fault.Kind
		}{
			"refused/taken":               {Location{p.ID, "dev", "/"}, "taken", fault.BadRequest},
			"refused/dot":                 {Location{p.ID, "dev", "/"}, "a.b", fault.Validation},
			"refused/two dots":            {Location{p.ID, "dev", "/"}, "..", fault.Validation},
			"refused/slash":               {Location{p.ID, "dev", "/"}, "a/b", fault.Validation},
			"refused/empty":               {Location{p.ID, "dev", "/"}, "", fault.Validation},
			"refused/emoji":               {Location{p.ID, "dev", "/"}, "\U0001f4c1", fault.Validation},
			"refused/256 characters":      {Location{p.ID, "dev", "/"}, strings.Repeat("a", 256), fault.Validation},
			"refused/space above":         {Location{p.ID, "dev", "/a b"}, "c", fault.Validation},
			"refused/101 deep":            {Location{p.ID, "dev", deep + "/d"}, "c", fault.Validation},
			"refused/2049 characters":     {Location{p.ID, "dev", strings.Repeat("/"+strings.Repeat("a", 255), 8)}, "c", fault.Validation},
			"refused/unknown environment": {Location{p.ID, "nope", "/"}, "c", fault.NotFound},
			"refused/unknown project":     {Location{id.New(), "dev", "/"}, "c", fault.NotFound},
			"refused/no project":          {Location{"", "dev", "/"}, "c", fault.BadRequest},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := f.AddFolder(t.Context(), admin, c.at, c.name, nil)
				want(t, err, c.kind)
			})
		}
		_, err := f.AddFolder(t.Context(), f.member(p, "viewer"), Location{p.ID, "dev", "/"}, "x", nil)
		want(t, err, fault.PermissionDenied)
		if diff := cmp.Diff([]string{"/taken"}, f.paths(p, admin, "/")); diff != "" {
			t.Errorf("what was refused was made: %s", diff)
		}
		if made, err := f.AddFolder(t.Context(), admin, Location{p.ID, "dev", deep}, "end", nil); err != nil || depth(made.Path) != MaxDepth {
			t.Errorf("100 deep: %+v, %v", made, err)
		}
	})
}

// TestFoldersAreAsInAModel makes, renames and deletes at random, and compares with a set of paths.
func TestFoldersAreAsInAModel(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	admin := f.actor(f.org, "member")
	rapid.Check(t, func(t *rapid.T) {
		p, err := f.Create(context.Background(), admin, Draft{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		model := map[string]bool{"/": true}
		names := rapid.SampledFrom([]string{"a", "A", "b", "a-b", "a_", "aXb"})
		for range rapid.IntRange(1, 15).Draw(t, "changes") {
			at := rapid.SampledFrom(slices.Sorted(maps.Keys(model))).Draw(t, "at")
			name := names.Draw(t, "name")
			switch rapid.IntRange(0, 3).Draw(t, "change") {
			case 0, 1:
				path := join(at, name)
				if rapid.Bool().Draw(t, "deep") {
					path = join(path, names.Draw(t, "second name"))
				}
				_, err := f.AddFolder(t.Context(), admin, Location{p.ID, "dev", parentOf(path)}, path[strings.LastIndex(path, "/")+1:], nil)
				expect(t, "make "+path, err, !model[path])
				for up := path; up != "/"; up = parentOf(up) {
					model[up] = true
				}
			case 2:
				to := join(parentOf(at), name)
				_, err := f.UpdateFolder(t.Context(), admin, Location{p.ID, "dev", parentOf(at)}, at[strings.LastIndex(at, "/")+1:], FolderChanges{Name: &name})
				possible := at != "/" && (!model[to] || to == at)
				expect(t, "rename "+at+" to "+to, err, possible)
				if possible {
					model = renamed(model, at, to)
				}
			case 3:
				_, err := f.DeleteFolder(t.Context(), admin, Location{p.ID, "dev", parentOf(at)}, at[strings.LastIndex(at, "/")+1:], true)
				expect(t, "delete "+at, err, at != "/")
				if at != "/" {
					maps.DeleteFunc(model, func(path string, _ bool) bool { return path == at || strings.HasPrefix(path, at+"/") })
				}
			}
			expected := slices.Sorted(maps.Keys(model))
			if diff := cmp.Diff(expected[1:], f.paths(p, admin, "/")); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func expect(t *rapid.T, what string, err error, possible bool) {
	if (err == nil) != possible {
		t.Fatalf("%s: %v; want it to work: %v", what, err, possible)
	}
}

func renamed(model map[string]bool, at, to string) map[string]bool {
	after := map[string]bool{}
	for path := range model {
		if path == at || strings.HasPrefix(path, at+"/") {
			path = to + strings.TrimPrefix(path, at)
		}
		after[path] = true
	}
	return after
}

func TestRenameCarriesWhatIsBelow(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		for _, path := range []string{"/a/b/c", "/ab", "/A/b", "/a_b/c"} {
			f.mkdir(p, admin, path)
		}
		a := f.mkdir(p, admin, "/a/d")
		top, err := FolderAt(t.Context(), f.db, p.ID, "dev", "/a")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.UpdateFolder(t.Context(), admin, Location{p.ID, "dev", "/elsewhere"}, top.ID, FolderChanges{Name: ptr("new")}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/A", "/A/b", "/a_b", "/a_b/c", "/ab", "/new", "/new/b", "/new/b/c", "/new/d"}, f.paths(p, admin, "/")); diff != "" {
			t.Error(diff)
		}
		_, err = f.UpdateFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "new", FolderChanges{Name: ptr("ab")})
		want(t, err, fault.BadRequest)
		_, err = f.UpdateFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "nope", FolderChanges{})
		want(t, err, fault.NotFound)
		_, err = f.UpdateFolder(t.Context(), admin, Location{p.ID, "prod", "/"}, a.ID, FolderChanges{})
		want(t, err, fault.NotFound)
		_, err = f.UpdateFolder(t.Context(), f.member(p, "viewer"), Location{p.ID, "dev", "/"}, "nope", FolderChanges{})
		want(t, err, fault.PermissionDenied)
	})
}

func TestRenameKeepsPathsShort(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		f.mkdir(p, admin, "/a"+strings.Repeat("/"+strings.Repeat("x", 250), 8))
		_, err := f.UpdateFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "a", FolderChanges{Name: ptr(strings.Repeat("y", 50))})
		want(t, err, fault.Validation)
		if _, err := f.UpdateFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "a", FolderChanges{Name: ptr(strings.Repeat("y", 30))}); err != nil {
			t.Error(err)
		}
	})
}

func TestBatchIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		a, b := f.mkdir(p, admin, "/a"), f.mkdir(p, admin, "/b")
		change := func(folderID, name string) BatchFolder {
			return BatchFolder{"dev", "/", folderID, FolderChanges{Name: &name}}
		}
		_, err := f.UpdateFolders(t.Context(), admin, Ref{ID: p.ID}, []BatchFolder{change(a.ID, "c"), change(b.ID, "c")})
		want(t, err, fault.BadRequest)
		if diff := cmp.Diff([]string{"/a", "/b"}, f.paths(p, admin, "/")); diff != "" {
			t.Error(diff)
		}
		done, err := f.UpdateFolders(t.Context(), admin, Ref{ID: p.ID}, []BatchFolder{change(a.ID, "c"), change(b.ID, "a")})
		if err != nil || len(done) != 2 || done[1].Path != "/a" {
			t.Errorf("%+v, %v", done, err)
		}
	})
}

func TestDeleteFolder(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		a := f.mkdir(p, admin, "/a")
		f.mkdir(p, admin, "/ab")
		_, err := f.DeleteFolder(t.Context(), f.member(p, "viewer"), Location{p.ID, "dev", "/"}, "a", true)
		want(t, err, fault.PermissionDenied)
		f.holdsAny = func(_ context.Context, _ *sqldb.Tx, folderID string) (bool, error) { return folderID == a.ID, nil }
		_, err = f.DeleteFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "a", false)
		want(t, err, fault.BadRequest)
		f.holdsAny = nil
		f.mkdir(p, admin, "/a/b")
		_, err = f.DeleteFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "a", false)
		want(t, err, fault.BadRequest)
		_, err = f.DeleteFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "nope", true)
		want(t, err, fault.NotFound)
		root, err := FolderAt(t.Context(), f.db, p.ID, "dev", "/")
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.DeleteFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, root.ID, true)
		want(t, err, fault.BadRequest)
		if _, err := f.DeleteFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "a", true); err != nil {
			t.Fatal(err)
		}
		if _, err := f.DeleteFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "ab", false); err != nil {
			t.Errorf("deleting an empty folder: %v", err)
		}
		if left := f.paths(p, admin, "/"); len(left) != 0 {
			t.Errorf("%v are left", left)
		}
	})
}

// TestARuleCountsWhereAFolderReallyIs, whatever path the caller claims.
func TestARuleCountsWhereAFolderReallyIs(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		inside, outside := f.mkdir(p, admin, "/team/x"), f.mkdir(p, admin, "/other/x")
		a, err := f.Enter(t.Context(), f.limited(p, access.Rule{Subject: access.SubjectSecretFolders, Actions: access.Actions{access.Create, access.Edit, access.Delete},
			Conditions: access.Conditions{"secretPath": map[string]any{"$glob": "/team/**"}}}), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		at := Location{p.ID, "dev", "/team"}
		_, err = f.DeleteFolder(t.Context(), a.Actor, at, outside.ID, true)
		want(t, err, fault.PermissionDenied)
		_, err = f.UpdateFolder(t.Context(), a.Actor, at, outside.ID, FolderChanges{Name: ptr("y")})
		want(t, err, fault.PermissionDenied)
		_, err = f.AddFolder(t.Context(), a.Actor, Location{p.ID, "dev", "/other"}, "y", nil)
		want(t, err, fault.PermissionDenied)
		if _, err := f.DeleteFolder(t.Context(), a.Actor, at, inside.ID, true); err != nil {
			t.Error(err)
		}
	})
}

// limited makes a member with no role and one additional privilege.
func (f *fixture) limited(p *Project, rules ...access.Rule) *access.Actor {
	f.t.Helper()
	a := f.member(p, "no-access")
	text := fmt.Sprintf(`[%s]`, strings.Join(ruleTexts(f.t, rules), ","))
	f.exec(`INSERT INTO privileges (id, membership_id, slug, permissions, temporary, created_at, updated_at)
		SELECT $1, id, 'p', $2, FALSE, 0, 0 FROM memberships WHERE project_id = $3 AND identity_id = $4`, id.New(), text, p.ID, a.ID)
	return a
}

// TestFoldersAtOnce: of those who make the same folder one wins, and nobody makes a parent twice.
func TestFoldersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		var all sync.WaitGroup
		var made sync.Map
		for i := range 12 {
			all.Go(func() {
				name := fmt.Sprint("n", i%3)
				_, err := f.AddFolder(t.Context(), admin, Location{p.ID, "dev", "/a/b"}, name, nil)
				if err == nil {
					if _, twice := made.LoadOrStore(name, true); twice {
						t.Errorf("%s was made twice", name)
					}
				} else if !fault.Is(err, fault.BadRequest) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if diff := cmp.Diff([]string{"/a", "/a/b", "/a/b/n0", "/a/b/n1", "/a/b/n2"}, f.paths(p, admin, "/")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestManyFolders(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	p, admin := f.project()
	root, err := FolderAt(t.Context(), f.db, p.ID, "dev", "/")
	if err != nil {
		t.Fatal(err)
	}
	f.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO folders (id, environment_id, parent_id, name, path, version, created_at, updated_at)
		SELECT 'f' || i, $2, $3, 'f' || i, '/f' || i, 1, 0, 0 FROM n`, MaxFolders-2, root.EnvironmentID, root.ID)
	f.mkdir(p, admin, "/last")
	_, err = f.AddFolder(t.Context(), admin, Location{p.ID, "dev", "/"}, "more", nil)
	want(t, err, fault.BadRequest)
}

func TestFolderAtPath(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		made := f.mkdir(p, admin, "/a/b")
		found, err := f.ReadFolderAt(t.Context(), admin, p.ID, "dev", "/a/b/")
		if err != nil || found.ID != made.ID || found.EnvironmentSlug != "dev" || found.ProjectID != p.ID {
			t.Errorf("found %+v, %v; want %s", found, err, made.ID)
		}
		for name, at := range map[string][2]string{"a path without a folder": {"dev", "/a/c"}, "another environment": {"prod", "/a/b"},
			"an unknown environment": {"nope", "/a/b"}, "no path": {"dev", " "}} {
			t.Run("refused/"+name, func(t *testing.T) {
				_, err := f.ReadFolderAt(t.Context(), admin, p.ID, at[0], at[1])
				want(t, err, fault.NotFound)
			})
		}
		_, err = f.ReadFolderAt(t.Context(), f.actor(f.org, role.NoAccess), p.ID, "dev", "/a/b")
		want(t, err, fault.Forbidden)
	})
}
