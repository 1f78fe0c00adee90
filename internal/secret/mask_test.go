package secret

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// TestTheMaskIsNoValue: what stands on the wire for a hidden value is stored nowhere, in no way of writing.
func TestTheMaskIsNoValue(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, kept := f.in("dev", "/"), []Metadata{{"a", "1", true}, {"a", "2", true}, {"open", "3", false}}
		if _, err := f.Create(t.Context(), f.admin, at, Changes{Name: "K", Value: ptr("real"), Metadata: &kept}); err != nil {
			t.Fatal(err)
		}
		shown := []Metadata{{"a", hidden, true}, {"a", hidden, true}, {"open", "3", false}}
		for name, c := range map[string]Changes{
			"as it was shown": {Name: "K", Value: ptr(hidden), Metadata: &shown},
			"the value":       {Name: "K", Value: ptr(" " + hidden + "\n")},
			"the metadata":    {Name: "K", Metadata: &shown},
		} {
			if _, err := f.Update(t.Context(), f.admin, at, c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := f.UpdateAll(t.Context(), f.admin, at, Upsert, []Item{{Changes: c}}); err != nil {
				t.Errorf("%s, in a batch: %v", name, err)
			}
			s := f.get(at, "K")
			if diff := cmp.Diff(kept, s.Metadata); s.Value != "real" || diff != "" {
				t.Errorf("%s: the value became %q, the metadata %s", name, s.Value, diff)
			}
		}
		for name, write := range map[string]func() error{
			"refused/a new secret": func() error {
				_, err := f.Create(t.Context(), f.admin, at, Changes{Name: "NEW", Value: ptr(hidden)})
				return err
			},
			"refused/new metadata": func() error {
				_, err := f.Create(t.Context(), f.admin, at, Changes{Name: "NEW", Value: ptr("x"), Metadata: &[]Metadata{{"a", hidden, true}}})
				return err
			},
			"refused/a new secret in a batch": func() error {
				_, err := f.CreateAll(t.Context(), f.admin, at, []Item{{Changes: Changes{Name: "NEW", Value: ptr(hidden)}}})
				return err
			},
			"refused/a new secret of an upsert": func() error {
				_, err := f.UpdateAll(t.Context(), f.admin, at, Upsert, []Item{{Changes: Changes{Name: "NEW", Value: ptr(hidden)}}})
				return err
			},
			"refused/another pair": func() error {
				_, err := f.Update(t.Context(), f.admin, at, Changes{Name: "K", Metadata: &[]Metadata{{"b", hidden, true}}})
				return err
			},
			"refused/more pairs than there are": func() error {
				_, err := f.Update(t.Context(), f.admin, at, Changes{Name: "K", Metadata: &[]Metadata{{"a", hidden, true}, {"a", hidden, true}, {"a", hidden, true}}})
				return err
			},
			"refused/a pair that is encrypted no more": func() error {
				_, err := f.Update(t.Context(), f.admin, at, Changes{Name: "K", Metadata: &[]Metadata{{"a", hidden, false}}})
				return err
			},
		} {
			t.Run(name, func(t *testing.T) { want(t, write(), fault.BadRequest) })
		}
	})
}
