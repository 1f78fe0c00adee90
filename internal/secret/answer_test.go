package secret

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/project"
)

// bodyOf returns the body that a reader is answered, and whether it was kept, as the routes do it.
func bodyOf(t testing.TB, kept *Reuse, make func() any) (body string, found bool) {
	t.Helper()
	if kept.Found() {
		text, err := kept.Body()
		if err != nil {
			t.Fatal(err)
		}
		return string(text), true
	}
	text, err := json.Marshal(make())
	if err != nil {
		t.Fatal(err)
	}
	kept.Keep("tag", text)
	return string(text), false
}

// listed is the answer of a list.
func (f *fixture) listed(t testing.TB, s *Service, reader *access.Actor, p Place, v View) (string, bool) {
	t.Helper()
	l, err := s.List(t.Context(), reader, p, Query{View: v, Reuse: true})
	if err != nil {
		return fault.From(err).Message, false
	}
	return bodyOf(t, l.reuse, func() any {
		shown := []any{wireAll(l.Secrets)}
		for _, m := range l.Imports {
			shown = append(shown, m.Environment, m.Path, wireAll(m.Secrets))
		}
		return shown
	})
}

// got is the answer of a read by name.
func (f *fixture) got(t testing.TB, s *Service, reader *access.Actor, p Place, name string, v View) (string, bool) {
	t.Helper()
	found, err := s.Get(t.Context(), reader, p, Find{Name: name, View: v, Reuse: true})
	if err != nil {
		return fault.From(err).Message, false
	}
	return bodyOf(t, found.reuse, func() any { return wire(found) })
}

// TestKeptAnswersFollowChanges: whatever changes, a reader is answered what a service that keeps nothing answers.
func TestKeptAnswersFollowChanges(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.folder("dev", "app")
		bare := *f.Service
		bare.cache = nil
		tagID, root, app, i := f.tag("red"), f.in("dev", "/"), f.in("dev", "/app"), 0
		f.put(root, "A", "0")
		f.put(root, "B", "0")
		f.put(app, "A", "b")
		reader := f.member(everything)
		update := func(at Place, c Changes) error { _, err := f.Update(t.Context(), f.admin, at, c); return err }
		rules := func(text string) error {
			return f.feed.Change(t.Context(), func(tx *feed.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE privileges SET permissions = $1`, text)
				member.Changed(tx, reader.ID, f.project.ID)
				return err
			})
		}
		rename := func(from, to string) error {
			_, err := f.projects.UpdateFolder(t.Context(), f.admin, project.Location{ProjectID: f.project.ID, Environment: "dev", Path: "/"}, from, project.FolderChanges{Name: &to})
			return err
		}
		unlink := func() error {
			all, err := f.ListImports(t.Context(), f.admin, root)
			for _, one := range all {
				_, err = f.RemoveImport(t.Context(), f.admin, root, one.ID)
			}
			return err
		}
		changes := []func() error{
			func() error { return update(root, Changes{Name: "A", Value: ptr(fmt.Sprint("a", i))}) },
			func() error { return update(root, Changes{Name: "A", Value: ptr("${B} and ${dev.app.A}")}) },
			func() error { return update(root, Changes{Name: "B", Value: ptr(fmt.Sprint("b", i))}) },
			func() error { return update(root, Changes{Name: "B", TagIDs: &[]string{tagID}}) },
			func() error { return update(app, Changes{Name: "A", Value: ptr(fmt.Sprint("c", i))}) },
			func() error {
				_, err := f.projects.UpdateTag(t.Context(), f.admin, f.project.ID, tagID, ptr(fmt.Sprint("red-", i)), ptr("#ff0000"))
				return err
			},
			func() error { return rename("app", "moved") },
			func() error { return rename("moved", "app") },
			func() error { _, err := f.AddImport(t.Context(), f.admin, root, "dev", "/app"); return err },
			unlink,
			func() error { return rules(everything) },
			func() error { return rules(strings.Replace(everything, `"readValue",`, "", 1)) },
			func() error {
				return rules(`[{"subject":"secrets","action":["describeSecret","readValue"],"conditions":{"secretName":"B"}}]`)
			},
			func() error { return rules(`[]`) },
			func() error { _, err := f.Delete(t.Context(), f.admin, root, "B", false); return err },
			func() error {
				_, err := f.Create(t.Context(), f.admin, root, Changes{Name: "B", Value: ptr("new")})
				return err
			},
		}
		kept := 0
		compare := func(what string, ours, theirs func(s *Service) (string, bool)) {
			for range 2 {
				mine, found := ours(f.Service)
				if found {
					kept++
				}
				if honest, _ := theirs(&bare); mine != honest {
					t.Fatalf("after change %d %s is answered what is no more: %s", i, what, cmp.Diff(honest, mine))
				}
			}
		}
		for range 80 {
			i++
			if err := changes[rand.IntN(len(changes))](); err != nil && fault.From(err).Kind == fault.Internal {
				t.Fatal(err)
			}
			for _, who := range []*access.Actor{f.admin, reader} {
				for _, v := range []View{{Values: true, Expand: true, Imports: true}, {Values: true}, {}} {
					for _, at := range []Place{root, app, f.in("dev", "/moved")} {
						list := func(s *Service) (string, bool) { return f.listed(t, s, who, at, v) }
						compare(at.Path, list, list)
						get := func(s *Service) (string, bool) { return f.got(t, s, who, at, "A", v) }
						compare(at.Path+" A", get, get)
					}
				}
			}
		}
		if kept == 0 {
			t.Error("no answer was kept")
		}
	})
}

// TestWhatIsNotKept: an answer that hangs on more than its folder is made each time.
func TestWhatIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.folder("dev", "app")
		root, app := f.in("dev", "/"), f.in("dev", "/app")
		f.put(root, "A", "1")
		f.put(app, "REF", "${dev.A}")
		all := View{Values: true, Expand: true, Imports: true}
		twice := func(name string, p Place, who *access.Actor) bool {
			f.got(t, f.Service, who, p, name, all)
			_, found := f.got(t, f.Service, who, p, name, all)
			return found
		}
		if !twice("A", root, f.admin) {
			t.Error("the answer of a plain secret is not kept")
		}
		if twice("REF", app, f.admin) {
			t.Error("the answer of a secret with a reference is kept")
		}
		if twice("A", root, f.user()) {
			t.Error("the answer to a user is kept")
		}
		f.link(app, "dev", "/")
		if twice("A", app, f.admin) {
			t.Error("the answer of an imported secret is kept")
		}
		f.listed(t, f.Service, f.admin, app, all)
		if _, found := f.listed(t, f.Service, f.admin, app, all); found {
			t.Error("a list with imports is kept")
		}
	})
}

// TestAKeptAnswerIsSealed: values lie in memory as they lie on disk.
func TestAKeptAnswerIsSealed(t *testing.T) {
	f := newFixture(t, "sqlite")
	f.put(f.in("dev", "/"), "A", "correct horse")
	body, _ := f.listed(t, f.Service, f.admin, f.in("dev", "/"), View{Values: true})
	l, err := f.List(t.Context(), f.admin, f.in("dev", "/"), Query{View: View{Values: true}, Reuse: true})
	if err != nil || !l.reuse.Found() || !strings.Contains(body, "correct horse") {
		t.Fatalf("%v, kept: %v, %s", err, l.reuse.Found(), body)
	}
	if a := l.reuse.found; strings.Contains(string(a.sealed)+string(a.told)+a.tag, "horse") {
		t.Error("a kept answer shows its values")
	}
}
