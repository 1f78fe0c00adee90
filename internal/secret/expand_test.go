package secret

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

var expanded = View{Values: true, Expand: true, Imports: true}

// expand reads one secret of the root of dev with its references expanded.
func (f *fixture) expand(actor *access.Actor, name string) (string, error) {
	f.t.Helper()
	s, err := f.Get(f.t.Context(), actor, f.in("dev", "/"), Find{Name: name, View: expanded})
	if err != nil {
		return "", err
	}
	return s.Value, nil
}

func TestExpand(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.folder("dev", "app")
		f.folder("prod", "a")
		dev := f.in("dev", "/")
		put := func(p Place, values map[string]string) {
			for name, value := range values {
				f.put(p, name, value)
			}
		}
		put(f.in("prod", "/a"), map[string]string{"KEY": "prod key", "BESIDE": "${KEY}!", "MISSING": "${NOPE}"})
		put(f.in("prod", "/"), map[string]string{"KEY": "root key"})
		put(dev, map[string]string{
			"A": "a", "LOCAL": "<${A}>", "TWICE": "${A}${A}", "ENV": "${prod.KEY}", "PATH": "${prod.a.KEY}", "THERE": "${prod.a.BESIDE}", "NOWHERE": "${NOPE} ${prod.x.A} ${nope.A} ${prod.}",
			"DOLLAR": "$1 ${A} $& $$", "ONE": "$1", "TAKES": "${ONE}${ONE}", "SELF": "x${SELF}y", "C1": "1${C2}", "C2": "2${C3}", "C3": "3${C1}", "TWO": "${C2}${C1}", "OTHER": "${@shop.dev.A}",
			"NAME": "A", "FORMED": "${${NAME}}", "OPEN": "$", "PIECES": "${OPEN}{A}", "CHAIN0": "end", "MULTI": "l1\nl2", "FOREIGN": "${prod.a.MISSING}",
		})
		for i := range 12 {
			f.put(dev, fmt.Sprintf("CHAIN%d", i+1), fmt.Sprintf("${CHAIN%d}", i))
		}
		for name, flag := range map[string]bool{"QUOTED": true, "UNQUOTED": false} {
			if _, err := f.Create(t.Context(), f.admin, dev, Changes{Name: name, Value: ptr("x ${MULTI}"), SkipMultiline: &flag}); err != nil {
				t.Fatal(err)
			}
		}
		for name, want := range map[string]string{
			"A": "a", "LOCAL": "<a>", "TWICE": "aa", "ENV": "root key", "PATH": "prod key", "THERE": "prod key!", "NOWHERE": "${NOPE} ${prod.x.A} ${nope.A} ${prod.}",
			"DOLLAR": "$1 a $& $$", "TAKES": "$1$1", "SELF": "xy", "C1": "123", "TWO": "23112" + "3", "OTHER": "${@shop.dev.A}", "FORMED": "${A}", "PIECES": "${A}",
			"CHAIN10": "end", "CHAIN11": "${CHAIN0}", "CHAIN12": "${CHAIN1}", "QUOTED": `"x l1\nl2"`, "UNQUOTED": "x l1\nl2", "FOREIGN": "${NOPE}",
		} {
			t.Run(name, func(t *testing.T) {
				if got, err := f.expand(f.admin, name); err != nil || got != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
		}
		if s := f.get(dev, "LOCAL"); s.Value != "<${A}>" {
			t.Errorf("unasked, %q was expanded", s.Value)
		}
		l, err := f.List(t.Context(), f.admin, dev, Query{View: expanded})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range l.Secrets {
			if one, err := f.expand(f.admin, s.Key); err != nil || one != s.Value {
				t.Errorf("%s is %q in the list and %q alone, %v", s.Key, s.Value, one, err)
			}
		}
	})
}

func TestExpandAsksForEveryTarget(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		dev := f.in("dev", "/")
		f.put(f.in("prod", "/"), "DEEP", "the-deep-value")
		f.put(dev, "NEAR", "${prod.DEEP}")
		f.put(dev, "FAR", "${NEAR}")
		f.put(dev, "NONE", "${nope.X}")
		onlyDev := f.member(`[{"subject":"secrets","action":["describeSecret","readValue"],"conditions":{"environment":"dev"}}]`)
		for _, name := range []string{"NEAR", "FAR"} {
			_, err := f.expand(onlyDev, name)
			want(t, err, fault.Forbidden)
			details, _ := fault.From(err).Details.([]string)
			if len(details) != 1 || !strings.Contains(details[0], `"DEEP"`) || strings.Contains(details[0], "the-deep-value") {
				t.Errorf("the details are %q", details)
			}
		}
		l, err := f.List(t.Context(), onlyDev, dev, Query{View: expanded})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range l.Secrets {
			if refused := s.Unexpanded != nil; refused != (s.Key != "NONE") || refused && s.Value != f.get(dev, s.Key).Value {
				t.Errorf("%s is %q in the list, with the reason %v", s.Key, s.Value, s.Unexpanded)
			}
		}
		if got, err := f.expand(onlyDev, "NONE"); err != nil || got != "${nope.X}" {
			t.Errorf("%q, %v", got, err)
		}
		l, err = f.List(t.Context(), onlyDev, dev, Query{View: View{Values: true}})
		if err != nil || len(l.Secrets) != 3 {
			t.Errorf("without expansion: %v", err)
		}
		describer := f.member(`[{"subject":"secrets","action":["describeSecret"]}]`)
		if l, err := f.List(t.Context(), describer, dev, Query{View: expanded}); err != nil || !l.Secrets[0].Hidden {
			t.Errorf("hidden values are not expanded: %v", err)
		}
	})
}

// TestExpansionIsBounded: a value that would grow without bound is refused, at little cost.
func TestExpansionIsBounded(t *testing.T) {
	f := newFixture(t, "sqlite")
	dev := f.in("dev", "/")
	f.put(dev, "L0", strings.Repeat("ha", 1000))
	for i := range 9 {
		f.put(dev, fmt.Sprintf("L%d", i+1), strings.Repeat(fmt.Sprintf("${L%d}", i), 1000))
	}
	_, err := f.expand(f.admin, "L9")
	want(t, err, fault.BadRequest)
	f.put(dev, "FAN", strings.Repeat("${A}${B}", 5000))
	f.put(dev, "A", "a")
	f.put(dev, "B", "${FAN}")
	if got, err := f.expand(f.admin, "FAN"); err != nil || got != strings.Repeat("a", 5000) {
		t.Errorf("a fan with a circle: %d bytes, %v", len(got), err)
	}
	var far strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&far, "${prod.f%d.A}", i)
	}
	f.put(dev, "FAR", far.String())
	_, err = f.expand(f.admin, "FAR")
	want(t, err, fault.BadRequest)
	var near strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&near, "${N%d}", i)
	}
	f.put(dev, "NEAR", near.String())
	c := &counter{Reader: f.db}
	f.from = c
	if got, err := f.expand(f.admin, "NEAR"); err != nil || got != near.String() || c.statements > 300 {
		t.Errorf("10,000 references to what is not there: %d bytes, %v, %d statements", len(got), err, c.statements)
	}
}

func TestExpansionTakesPersonalSecretsOnlyWhenAsked(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		dev, ada := f.in("dev", "/"), f.user()
		f.put(dev, "A", "shared")
		f.put(dev, "B", "<${A}>")
		if _, err := f.Create(t.Context(), ada, dev, Changes{Name: "A", Personal: true, Value: ptr("mine")}); err != nil {
			t.Fatal(err)
		}
		for want, q := range map[string]Query{"<shared>": {View: expanded, Both: true}, "<mine>": {View: expanded, Overrides: true}} {
			l, err := f.List(t.Context(), ada, dev, q)
			if err != nil || l.Secrets[len(l.Secrets)-1].Value != want {
				t.Errorf("%v, %v; want %s", keys(l.Secrets), err, want)
			}
		}
	})
}
