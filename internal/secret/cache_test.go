package secret

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/project"
)

// shown is what a reader sees of two folders: listed, one by one, through references and through imports.
func (f *fixture) shown(t testing.TB, s *Service, reader *access.Actor) (seen []string) {
	t.Helper()
	all := View{Values: true, Expand: true, Imports: true}
	for _, at := range []Place{f.in("dev", "/"), f.in("dev", "/app"), f.in("dev", "/moved")} {
		l, err := s.List(t.Context(), reader, at, Query{View: all})
		if err != nil {
			seen = append(seen, at.Path+": "+fault.From(err).Message)
			continue
		}
		for _, found := range l.Secrets {
			seen = append(seen, fmt.Sprintf("%s %s=%s version %d tags %v", at.Path, found.Key, found.Value, found.Version, slugs(found.Tags)))
		}
		for _, m := range l.Imports {
			seen = append(seen, fmt.Sprint(at.Path, " imports ", m.Environment, m.Path, keys(m.Secrets)))
		}
		for _, name := range []string{"A", "B", "C", "REF"} {
			found, err := s.Get(t.Context(), reader, at, Find{Name: name, View: all})
			if err == nil {
				seen = append(seen, fmt.Sprintf("%s/%s is %s version %d", at.Path, name, found.Value, found.Version))
			}
		}
	}
	return seen
}

// Whoever reads after a change was answered sees it, whatever was read before: the same as a service that keeps nothing.
func TestReadsFollowChanges(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.folder("dev", "app")
		bare := *f.Service
		bare.cache = nil
		tag, root, app, i := f.tag("red"), f.in("dev", "/"), f.in("dev", "/app"), 0
		f.put(root, "A", "0")
		f.put(root, "REF", "${A} and ${dev.app.B}")
		f.put(app, "B", "b")
		rename := func(from, to string) error {
			_, err := f.projects.UpdateFolder(t.Context(), f.admin, project.Location{ProjectID: f.project.ID, Environment: "dev", Path: "/"}, from, project.FolderChanges{Name: &to})
			return err
		}
		update := func(at Place, c Changes) error { _, err := f.Update(t.Context(), f.admin, at, c); return err }
		move := func(from, to Place) error {
			s, err := f.Get(t.Context(), f.admin, from, Find{Name: "B"})
			if err != nil {
				return err
			}
			return f.Move(t.Context(), f.admin, Move{IDs: []string{s.ID}, From: from, To: to})
		}
		changes := []func() error{
			func() error { return update(root, Changes{Name: "A", Value: ptr(fmt.Sprint("a", i))}) },
			func() error { return update(app, Changes{Name: "B", NewName: ptr("C")}) },
			func() error { return update(app, Changes{Name: "C", NewName: ptr("B"), TagIDs: &[]string{tag}}) },
			func() error {
				_, err := f.UpdateAll(t.Context(), f.admin, root, Upsert, []Item{{Changes: Changes{Name: "C", Value: ptr(fmt.Sprint("c", i))}},
					{Path: "/app", Changes: Changes{Name: "B", Value: ptr(fmt.Sprint("b", i))}}})
				return err
			},
			func() error { _, err := f.Delete(t.Context(), f.admin, root, "C", false); return err },
			func() error { return move(app, root) },
			func() error { return move(root, app) },
			func() error { return rename("app", "moved") },
			func() error { return rename("moved", "app") },
			func() error {
				_, err := f.AddImport(t.Context(), f.admin, root, "dev", "/app")
				return err
			},
		}
		for range 60 {
			i++
			f.shown(t, f.Service, f.admin) // so that it is kept
			if err := changes[rand.IntN(len(changes))](); err != nil && fault.From(err).Kind == fault.Internal {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f.shown(t, &bare, f.admin), f.shown(t, f.Service, f.admin)); diff != "" {
				t.Fatalf("after change %d the reader sees what is no more: %s", i, diff)
			}
		}
	})
}

// Nobody who reads while others write is given, after the answer to a write, what it replaced.
func TestReadersBesideAWriter(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.in("dev", "/")
		f.put(at, "A", "1")
		var readers sync.WaitGroup
		defer readers.Wait()
		for range 4 {
			readers.Go(func() {
				last := int64(0)
				for range 300 {
					s, err := f.Get(t.Context(), f.admin, at, Find{Name: "A", View: View{Values: true}})
					if err != nil || s.Version < last {
						t.Errorf("version %+v after %d, %v", s, last, err)
						return
					}
					last = s.Version
				}
			})
		}
		for version := int64(2); version < 20; version++ {
			_, err := f.Update(t.Context(), f.admin, at, Changes{Name: "A", Value: ptr(fmt.Sprint(version))})
			if s := f.get(at, "A"); err != nil || s.Version != version || s.Value != fmt.Sprint(version) {
				t.Errorf("after version %d was written: %+v, %v", version, s, err)
				break
			}
		}
	})
}

// What is kept is bounded, however much is read.
func TestCacheIsBounded(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, value := f.in("dev", "/"), string(make([]byte, 100<<10))
		for i := range 15 { // 1.5 MB, of which 1 MB is kept
			f.put(at, fmt.Sprint("S", i), value)
		}
		for i := range 15 {
			f.get(at, fmt.Sprint("S", i))
		}
		f.cache.rows.CleanUp()
		if held := f.cache.rows.WeightedSize(); held > 1<<20 || held < 1<<18 {
			t.Errorf("%d bytes are kept", held)
		}
	})
}
