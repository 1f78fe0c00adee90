package secret

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// pieces are what the values of TestASecretReadsTheSameInAnyCompany are put together from.
var pieces = []string{"x", "$", "{A}", "${A}", "${B}", "${C}", "${HID}", "${NONE}", "${dev.B}", "${dev.one.A}", "${dev.one.C}", "${dev.two.B}", "${dev.two.C}", "${dev.two.HID}", "${prod.A}", "${nope.A}", "\n"}

// TestASecretReadsTheSameInAnyCompany: a secret in a list, whatever the list is of, says what reading it alone says.
func TestASecretReadsTheSameInAnyCompany(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		reader := f.userWith(everything[:len(everything)-1] + `,{"subject":"secrets","action":"readValue","inverted":true,"conditions":{"secretName":"HID","environment":"dev"}}]`)
		for seed := range uint64(12) {
			company(t, f, rand.New(rand.NewPCG(seed, 1)), reader)
		}
	})
}

// company fills the project by chance and compares all lists with what is read alone.
func company(t *testing.T, f *fixture, random *rand.Rand, reader *access.Actor) {
	for _, table := range []string{"secret_versions", "secrets", "secret_imports"} {
		f.exec(`DELETE FROM ` + table)
	}
	f.exec(`DELETE FROM folders WHERE path <> '/'`)
	f.folder("dev", "one")
	f.folder("dev", "two")
	some := []string{f.tag(fmt.Sprint("some-", random.Uint64()))}
	value := func() *string {
		var text strings.Builder
		for range random.IntN(5) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		return ptr(text.String())
	}
	for _, p := range []Place{f.in("dev", "/"), f.in("dev", "/one"), f.in("dev", "/two"), f.in("prod", "/")} {
		for _, name := range []string{"A", "B", "C", "HID"} {
			if random.IntN(4) == 0 {
				continue
			}
			c := Changes{Name: name, Value: value(), SkipMultiline: ptr(random.IntN(2) == 0)}
			if random.IntN(2) == 0 {
				c.TagIDs = &some
			}
			if _, err := f.Create(t.Context(), f.admin, p, c); err != nil {
				t.Fatal(err)
			}
			if random.IntN(3) > 0 || name == "HID" {
				continue
			}
			if _, err := f.Create(t.Context(), reader, p, Changes{Name: name, Personal: true, Value: value()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.link(f.in("dev", "/"), "dev", "/one")
	f.link(f.in("dev", "/one"), "dev", "/two")
	tags := append([]string{""}, f.tagSlugs(some[0])...)
	compareCompany(t, f, reader, tags)
}

func (f *fixture) tagSlugs(tagID string) (slugs []string) {
	f.t.Helper()
	if err := f.db.Select(f.t.Context(), &slugs, `SELECT slug FROM tags WHERE id = $1`, tagID); err != nil {
		f.t.Fatal(err)
	}
	return slugs
}

func compareCompany(t *testing.T, f *fixture, reader *access.Actor, tags []string) {
	overridden := map[locatedName]string{}
	for _, path := range []string{"/", "/one", "/two"} {
		l := f.list(reader, path, Query{View: expanded, Overrides: true})
		for _, s := range l.Secrets {
			overridden[s.name()] = s.Value
		}
	}
	for n := range 2 * 2 * 2 * 3 {
		for _, path := range []string{"/", "/one"} {
			q := Query{View: View{Values: true, Expand: true, Imports: n&1 > 0}, Below: n&2 > 0, Both: n/8 == 1, Overrides: n/8 == 2}
			if n&4 > 0 {
				q.TagSlugs = tags[1:]
			}
			l := f.list(reader, path, q)
			for _, s := range l.Secrets {
				if q.Overrides && s.Value != overridden[s.name()] {
					t.Errorf("%+v with %+v is %q, but %q with nothing else", s.name(), q, s.Value, overridden[s.name()])
				} else if !q.Overrides {
					f.sameAlone(reader, s, q)
				}
			}
			for _, m := range l.Imports {
				for _, s := range m.Secrets {
					if !q.Overrides {
						f.sameAlone(reader, s, q)
					}
				}
			}
		}
	}
}

func (f *fixture) list(reader *access.Actor, path string, q Query) *Listing {
	f.t.Helper()
	l, err := f.List(f.t.Context(), reader, f.in("dev", path), q)
	if err != nil {
		f.t.Fatal(err)
	}
	return l
}

// sameAlone compares a secret of a list with the same one read alone.
func (f *fixture) sameAlone(reader *access.Actor, s *Secret, q Query) {
	f.t.Helper()
	if s.Hidden {
		return
	}
	find := Find{Name: s.Key, Personal: s.Personal(), View: View{Values: true, Expand: true}}
	alone, err := f.Get(f.t.Context(), reader, f.in(s.Environment, s.Path), find)
	if err == nil && (s.Unexpanded != nil || alone.Value != s.Value) {
		f.t.Errorf("%+v with %+v is %q (%v), but alone %q", s.name(), q, s.Value, s.Unexpanded, alone.Value)
	}
	if err == nil {
		return
	}
	find.Expand = false
	stored, asStored := f.Get(f.t.Context(), reader, f.in(s.Environment, s.Path), find)
	if asStored != nil || s.Unexpanded == nil || s.Unexpanded.Message != fault.From(err).Message || s.Value != stored.Value {
		f.t.Errorf("%+v with %+v is %q (%v), but alone refused: %v", s.name(), q, s.Value, s.Unexpanded, err)
	}
}

// TestOneSecretCostsItsOwnExpansion: secrets that cannot be expanded, however many, leave the others of a list alone.
func TestOneSecretCostsItsOwnExpansion(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.folder("dev", "app")
		dev, app := f.in("dev", "/"), f.in("dev", "/app")
		f.put(app, "Z", "${dev.GOOD}")
		f.put(dev, "GOOD", "fine")
		f.put(dev, "0MANY", strings.Repeat("${X}", perSecret.steps+1))
		f.put(dev, "0LONG", strings.Repeat("v", 1<<20))
		f.put(dev, "0WIDE", strings.Repeat("${0LONG}", 10))
		var folders strings.Builder
		for i := range maxFolders + 1 {
			fmt.Fprintf(&folders, "${dev.f%d.X}", i)
		}
		f.put(dev, "0FOLDERS", folders.String())
		for i := range 6 {
			f.put(dev, fmt.Sprintf("1AGAIN%d", i), strings.Repeat("${0LONG}", 7))
		}
		f.link(app, "dev", "/")
		l := f.list(f.admin, "/app", Query{View: expanded})
		if s := l.Secrets[0]; s.Value != "fine" || s.Unexpanded != nil {
			t.Errorf("Z is %q, %v", s.Value, s.Unexpanded)
		}
		refused := 0
		for _, s := range l.Imports[0].Secrets {
			if s.Unexpanded != nil {
				refused++
			}
			if s.Unexpanded != nil && !strings.Contains(s.Value, "${") || s.Unexpanded == nil && strings.HasPrefix(s.Key, "0M") {
				t.Errorf("%s is %d bytes, %v", s.Key, len(s.Value), s.Unexpanded)
			}
		}
		if refused < 4 || refused == len(l.Imports[0].Secrets) {
			t.Errorf("%d secrets were not expanded", refused)
		}
	})
}

// TestAnOverrideStandsInWhateverTheFilter: a filter asks what the shared secret has, and the personal one comes with it.
func TestAnOverrideStandsInWhateverTheFilter(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		tagID, ada := f.tag("web"), f.user()
		for _, name := range []string{"K", "REF"} {
			c := Changes{Name: name, Value: ptr("<${K}>"), TagIDs: &[]string{tagID}, Metadata: &[]Metadata{{Key: "team", Value: "a"}}}
			if _, err := f.Create(t.Context(), f.admin, f.in("dev", "/"), c); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.Create(t.Context(), ada, f.in("dev", "/"), Changes{Name: "K", Personal: true, Value: ptr("mine")}); err != nil {
			t.Fatal(err)
		}
		for _, q := range []Query{{}, {TagSlugs: []string{"web"}}, {Filter: Filter{{Key: "team", Value: "a"}}}} {
			q.View, q.Overrides = expanded, true
			if l := f.list(ada, "/", q); len(l.Secrets) != 2 || l.Secrets[0].Value != "mine" || l.Secrets[1].Value != "<mine>" {
				t.Errorf("%+v: %v", q, keys(l.Secrets))
			}
			q.Overrides, q.Both = false, true
			if l := f.list(ada, "/", q); len(l.Secrets) != 3 {
				t.Errorf("%+v: %v", q, keys(l.Secrets))
			}
		}
		if l := f.list(ada, "/", Query{View: expanded, Overrides: true, TagSlugs: []string{"other"}}); len(l.Secrets) != 0 {
			t.Errorf("%v", keys(l.Secrets))
		}
	})
}
