package secret

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

func TestTagsAreAttachedAndDetached(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		dev := f.in("dev", "/")
		f.tag("red")
		f.tag("blue")
		f.put(dev, "A", "kept")
		for i, step := range []struct {
			change func() (*Secret, error)
			want   []string
		}{
			{func() (*Secret, error) { return f.Attach(t.Context(), f.admin, dev, "A", false, []string{"red"}) }, []string{"red"}},
			{func() (*Secret, error) {
				return f.Attach(t.Context(), f.admin, dev, "A", false, []string{"blue", "red"})
			}, []string{"blue", "red"}},
			{func() (*Secret, error) { return f.Detach(t.Context(), f.admin, dev, "A", false, []string{"red"}) }, []string{"blue"}},
			{func() (*Secret, error) { return f.Detach(t.Context(), f.admin, dev, "A", false, []string{"red"}) }, []string{"blue"}},
		} {
			changed, err := step.change()
			if err != nil || changed.Version != int64(i+2) {
				t.Fatalf("step %d made %+v, %v", i, changed, err)
			}
			read := f.get(dev, "A")
			if diff := cmp.Diff(step.want, slugs(read.Tags)); diff != "" || read.Value != "kept" {
				t.Errorf("step %d: the value is %q, and the tags: %s", i, read.Value, diff)
			}
		}
	})
}

func TestTaggingRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		dev := f.in("dev", "/")
		f.tag("red")
		f.put(dev, "A", "x")
		reader := f.member(`[{"subject":"secrets","action":["describeSecret","readValue"]}]`)
		untagged := f.member(`[{"subject":"secrets","action":["describeSecret","edit"]},
			{"subject":"secrets","action":["edit"],"conditions":{"secretTags":{"$in":["red"]}},"inverted":true}]`)
		for name, c := range map[string]struct {
			by         *access.Actor
			name, slug string
			kind       fault.Kind
		}{
			"refused/unknown tag":              {f.admin, "A", "green", fault.NotFound},
			"refused/unknown secret":           {f.admin, "B", "red", fault.NotFound},
			"refused/without the right":        {reader, "A", "red", fault.PermissionDenied},
			"refused/without it for the tag":   {untagged, "A", "red", fault.PermissionDenied},
			"refused/no member of the project": {f.actor("admin"), "A", "red", fault.Forbidden},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := f.Attach(t.Context(), c.by, dev, c.name, false, []string{c.slug})
				want(t, err, c.kind)
				if read := f.get(dev, "A"); read.Version != 1 || len(read.Tags) != 0 {
					t.Errorf("the secret is %+v after it", read)
				}
			})
		}
	})
}
