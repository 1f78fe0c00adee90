package access

import (
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/fault"
)

func matchAny(globs []glob, value string) bool {
	for i := range globs {
		if globs[i].match(value) {
			return true
		}
	}
	return false
}

func TestGlob(t *testing.T) {
	tests := []struct {
		glob    string
		matched []string
		others  []string
	}{
		{"/app/**", []string{"/app", "/app/x", "/app/x/y"}, []string{"/", "/apple", "/ap"}},
		{"/**", []string{"/", "/app", "/app/x"}, []string{"app"}},
		{"**", []string{"", "/", "a/b"}, nil},
		{"*", []string{"", "DB"}, []string{"a/b"}},
		{"/app/*", []string{"/app/x"}, []string{"/app", "/app/x/y"}},
		{"/*/x", []string{"/a/x"}, []string{"/a/b/x"}},
		{"/**/x", []string{"/x", "/a/x", "/a/b/x"}, []string{"/a/xx"}},
		{"/a/**/b/**/c", []string{"/a/b/c", "/a/1/b/2/3/c"}, []string{"/a/c", "/a/b/c/d"}},
		{"/app*/**", []string{"/app", "/apple", "/apple/x"}, []string{"/ap", "/x/app"}},
		{"/app/**/**", []string{"/app", "/app/x"}, []string{"/apple"}},
		{"/app**x", []string{"/appx", "/apple-x"}, []string{"/app/x"}},
		{"/a***", []string{"/a", "/ab"}, []string{"/a/b"}},
		{"/***", []string{"/", "/a/b"}, []string{"a"}},
		{"/{*,a}*", []string{"/a", "/bc"}, []string{"/a/b"}},
		{"D?", []string{"DB", "Dé"}, []string{"D", "DBX", "D/"}},
		{"{A,B{1,2}}", []string{"A", "B1", "B2"}, []string{"B", "B12", "{A,B{1,2}}"}},
		{"a{,b}", []string{"a", "ab"}, []string{"b"}},
		{"[a-c]1", []string{"a1", "c1"}, []string{"d1", "a"}},
		{"/x[!a]y", []string{"/xby"}, []string{"/xay", "/x/y"}},
		{"/x[^a]y", []string{"/xby"}, []string{"/xay", "/x/y"}},
		{"[[]x", []string{"[x"}, []string{"x"}},
		{"a,b}", []string{"a,b}"}, []string{"a", "b}"}},
		{`\*\{a\}`, []string{"*{a}"}, []string{"x{a}", "*a"}},
		{`\(a\)`, []string{"(a)"}, []string{"a"}},
		{"/u/{{identity.id}}/**", []string{"/u/{{identity.id}}/x"}, []string{"/u/identity.id/x", "/u/x"}},
		{"é*", []string{"éa"}, []string{"\xc3a"}},
	}
	for _, test := range tests {
		t.Run(test.glob, func(t *testing.T) {
			globs, err := compileGlob(test.glob)
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range test.matched {
				if !matchAny(globs, value) {
					t.Errorf("does not match %q", value)
				}
			}
			for _, value := range test.others {
				if matchAny(globs, value) {
					t.Errorf("matches %q", value)
				}
			}
		})
	}
}

func TestGlobRefused(t *testing.T) {
	tests := map[string]string{
		"refused/too long":              strings.Repeat("a", maxGlob+1),
		"refused/open brace":            "{a,b",
		"refused/open class":            "[ab",
		"refused/empty class":           "[]",
		"refused/empty negated class":   "[!]",
		"refused/class with a slash":    "[a/]",
		"refused/range over the slash":  "[+-9]",
		"refused/negated class, dash":   "[!-a]",
		"refused/backslash at the end":  `a\`,
		"refused/negation":              "!/app/**",
		"refused/extended pattern":      "@(a|b)",
		"refused/negated group":         "!(a)",
		"refused/no UTF-8":              "\xff",
		"refused/replacement character": "\uFFFD",
		"refused/null":                  "a\x00",
		"refused/too many alternatives": "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
		"refused/too much altogether":   "{1,2,3,4,5,6,7,8,9}" + strings.Repeat("a*", 240),
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			if globs, err := compileGlob(s); !fault.Is(err, fault.Validation) {
				t.Errorf("compileGlob(%q) = %v, %v; want a Validation fault", s, globs, err)
			}
		})
	}
}

// drawGlob draws a glob of small parts, so that values often match it.
func drawGlob(t *rapid.T, label string, parts ...string) string {
	parts = append(parts, "a", "b", "/", "/", "*", "?", "/**", "**/", "**")
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 7).Draw(t, label), "")
}

func drawValue(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "/", "/a", "ab"}), 0, 6).Draw(t, label), "")
}

// Whatever doublestar matches with a glob that has braces, ours matches without them. Globs that end in a slash are
// left out: doublestar lets "a**/" match "a". The other way round they differ where a star is: doublestar does not
// let "x*/**" match "x".
func TestGlobAsDoublestar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawGlob(t, "glob", "{a,b}", "{b,/a}", "{a,ab}", "[ab]", "[!a]")
		value := drawValue(t, "value")
		globs, err := compileGlob(s)
		if err != nil {
			return // too many alternatives
		}
		ours, theirs := matchAny(globs, value), doublestar.MatchUnvalidated(s, value)
		if theirs && !ours && !strings.Contains(s, "[!") && !strings.HasSuffix(s, "/") {
			t.Fatalf("glob %q does not match %q, doublestar's does", s, value)
		}
		if ours && !theirs && !strings.Contains(s, "*") {
			t.Fatalf("glob %q matches %q, doublestar's does not", s, value)
		}
	})
}

// A pattern that needs no walk matches as it would with one, and every match starts with the stem.
func TestGlobShapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		globs, err := compileGlob(drawGlob(t, "glob", "[ab]", `\*`))
		if err != nil {
			t.Fatal(err)
		}
		value := drawValue(t, "value")
		for _, g := range globs {
			walked := doublestar.MatchUnvalidated(g.pattern, value)
			if g.match(value) != walked {
				t.Fatalf("pattern %q on %q: match = %v, walked %v", g.pattern, value, !walked, walked)
			}
			if walked && value != g.stem && !strings.HasPrefix(value, g.prefix) {
				t.Fatalf("pattern %q matches %q, which does not start with %q", g.pattern, value, g.prefix)
			}
		}
	})
}

// What is proved of two globs holds for every value.
func TestGlobProofs(t *testing.T) {
	proved := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		a, err := compileGlob(drawGlob(t, "a", "{a,b}", "[ab]"))
		b, err2 := compileGlob(drawGlob(t, "b", "{a,/b}"))
		if err != nil || err2 != nil {
			return
		}
		p := &proof{budget: maxProof}
		within, apart := p.within(a, b), p.apart(a, b)
		for range 20 {
			value := drawValue(t, "value")
			if within && matchAny(a, value) && !matchAny(b, value) {
				t.Fatalf("%v within %v, but not on %q", a, b, value)
			}
			if apart && matchAny(a, value) && matchAny(b, value) {
				t.Fatalf("%v apart from %v, but both match %q", a, b, value)
			}
		}
		proved["within"] += bit(within)
		proved["apart"] += bit(apart)
	})
	if proved["within"] == 0 || proved["apart"] == 0 {
		t.Errorf("nothing was proved: %v", proved)
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestGlobWithin(t *testing.T) {
	tests := []struct {
		a, b   string
		within bool
	}{
		{"/app/**", "/app/**", true},
		{"/app/x/**", "/app/**", true},
		{"/app/*", "/app/**", true},
		{"/app/*/x", "/**", true},
		{"/app", "/app/**", true},
		{"/{app,other}/x/**", "{/app/**,/other/**}", true},
		{"D*", "**", true},
		{"/apple/**", "/app/**", false},
		{"/app/**", "/app/*", false},
		{"/**", "/app/**", false},
		{"/ap*/**", "/app/**", false},
	}
	for _, test := range tests {
		t.Run(test.a+" in "+test.b, func(t *testing.T) {
			a, _ := compileGlob(test.a)
			b, _ := compileGlob(test.b)
			if got := (&proof{budget: maxProof}).within(a, b); got != test.within {
				t.Errorf("within = %v, want %v", got, test.within)
			}
		})
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("/app/{a,b}/**", "/app/a/x")
	f.Add(`[!a]\*{{identity.id}}`, "*")
	f.Fuzz(func(t *testing.T, s, value string) {
		globs, err := compileGlob(s)
		if err != nil || len(value) > maxValue {
			return
		}
		if len(globs) == 0 || len(globs) > 2*maxAlternatives {
			t.Fatalf("%d patterns", len(globs))
		}
		for _, g := range globs {
			if g.match(value) != doublestar.MatchUnvalidated(g.pattern, value) {
				t.Fatalf("pattern %q on %q: shape and walk differ", g.pattern, value)
			}
		}
		if literal, err := compileGlob(escapeGlob(value)); err == nil && !matchAny(literal, value) {
			t.Fatalf("%q escaped does not match itself", value)
		}
	})
}
