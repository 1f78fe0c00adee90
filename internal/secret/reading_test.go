package secret

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/project"
)

// TestAReadingTellsWhereValuesCameFrom: whichever way a value leaves the server, the one event of the reading names the secret, or
// the folder that a list took it from.
func TestAReadingTellsWhereValuesCameFrom(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.folder("prod", "deep")
		f.folder("dev", "below")
		dev := f.in("dev", "/")
		f.put(f.in("prod", "/deep"), "DB", "pw")
		f.put(f.in("prod", "/"), "TOP", "${prod.deep.DB}")
		f.put(f.in("dev", "/below"), "LOW", "low")
		f.put(dev, "REF", "${prod.TOP}")
		f.put(dev, "PLAIN", "plain")
		reads := func(name string, read func() error, want ...string) {
			t.Helper()
			before := len(f.events())
			if err := read(); err != nil {
				t.Fatal(err)
			}
			events := f.events()[before:]
			if len(events) != 1 {
				t.Fatalf("%s leaves %q", name, events)
			}
			for _, want := range want {
				if !strings.Contains(events[0], want) {
					t.Errorf("%s leaves %s, without %s", name, events[0], want)
				}
			}
		}
		get := func(name string, v View) func() error {
			return func() error {
				_, err := f.Get(t.Context(), f.admin, dev, Find{Name: name, View: v})
				return err
			}
		}
		list := func(actor *access.Actor, q Query) func() error {
			return func() error {
				_, err := f.List(t.Context(), actor, dev, q)
				return err
			}
		}
		const top, db = `"secretKey":"TOP"`, `"secretKey":"DB"`
		reads("a reference", get("REF", expanded), top, db, `"secretPath":"/deep"`)
		reads("no reference", get("PLAIN", expanded), `"secretKey":"PLAIN"`)
		reads("references in a list", list(f.admin, Query{View: expanded}), top, db, `"secretPath":"/","numberOfSecrets":2`)
		reads("the folders below", list(f.admin, Query{View: View{Values: true}, Below: true}),
			`"alsoFrom":[{"environment":"dev","secretPath":"/below","numberOfSecrets":1}]`)
		f.link(dev, "prod", "/deep")
		reads("an import in a list", list(f.admin, Query{View: View{Values: true, Imports: true}}),
			`"alsoFrom":[{"environment":"prod","secretPath":"/deep","numberOfSecrets":1}]`)
		reads("one secret by an import", get("DB", expanded), db, `"environment":"prod"`)
	})
}

// TestAReadingNamesABoundedNumber: an event stays small, and says how much it does not name.
func TestAReadingNamesABoundedNumber(t *testing.T) {
	r, l := &projectScope{}, &Listing{}
	for n := range maxTold + 3 {
		s := &Secret{Environment: "prod", Path: fmt.Sprint("/", n), Key: "K"}
		r.refer(s)
		l.Secrets = append(l.Secrets, s)
	}
	if targets, more := r.targetsRead(); len(targets) != maxTold || more != 3 {
		t.Errorf("%d references are named, and %d are not", len(targets), more)
	}
	at := &folderScope{projectScope: r, env: &project.Environment{Slug: "dev"}, path: "/"}
	if all := at.readAll(l); len(all.AlsoFrom) != maxTold || all.MorePlaces != 3 {
		t.Errorf("%d folders are named, and %d are not", len(all.AlsoFrom), all.MorePlaces)
	}
}
