package access

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// TestGlobAsPicomatch compares with what picomatch says of 60,000 pairs; test/clients/globs makes the table.
func TestGlobAsPicomatch(t *testing.T) {
	file, err := os.Open("testdata/globs.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	pairs, refused, wrong := 0, 0, 0
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		s := unquote(t, fields[0])
		g, err := compileGlob(s)
		if err != nil {
			refused++
			continue
		}
		for _, f := range fields[1:] {
			value, want := unquote(t, f[1:]), f[0] == '+'
			if pairs++; g.match(value) != want {
				if wrong++; wrong < 30 {
					t.Errorf("glob %q on %q: picomatch says %v; %s", s, value, want, globSource(s))
				}
			}
			if values, few := g.list(); few && slices.Contains(values, value) != want {
				t.Errorf("glob %q stands for %q, but on %q picomatch says %v", s, values, value, want)
			}
		}
	}
	if lines.Err() != nil || pairs < 60_000 || refused > 600 {
		t.Errorf("%d pairs were compared, %d globs were refused (%v)", pairs, refused, lines.Err())
	}
	t.Logf("%d pairs, %d globs refused, %d wrong", pairs, refused, wrong)
}

func unquote(t *testing.T, text string) (s string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGlob(t *testing.T) {
	tests := []struct {
		glob    string
		matched []string
		others  []string
	}{
		{"/app/**", []string{"/app", "/app/x", "/app/x/y"}, []string{"/", "/apple", "/ap"}},
		{"/**", []string{"/", "/app", "/app/x"}, []string{"app"}},
		{"**", []string{"/", "a/b"}, []string{"", ".a", "a/.b"}},
		{"*", []string{"DB", "*"}, []string{"", "a/b", ".env"}},
		{"/app/*", []string{"/app/x"}, []string{"/app", "/app/x/y"}},
		{"/*/x", []string{"/a/x"}, []string{"/a/b/x"}},
		{"/**/x", []string{"/a/x", "/a/b/x"}, []string{"/x", "/a/xx", "/.a/x"}},
		{"/a/**/b/**/c", []string{"/a/b/c", "/a/1/b/2/3/c"}, []string{"/a/c", "/a/b/c/d"}},
		{"/app*/**", []string{"/app/x", "/apple/x"}, []string{"/app", "/apple", "/ap", "/x/app"}},
		{"/app/**/**", []string{"/app", "/app/x"}, []string{"/apple"}},
		{"/app**x", []string{"/appx", "/apple-x"}, []string{"/app/x"}},
		{"/*", []string{"/app", "/app/"}, []string{"/", "/.app", "/app/x"}},
		{"/*/**", []string{"/app/x", "/app/"}, []string{"/", "/app"}},
		{"[ab]", []string{"a", "[ab]"}, []string{"c"}},
		{"/{*,a}*", []string{"/a", "/bc"}, []string{"/a/b"}},
		{"D?", []string{"DB", "Dé"}, []string{"D", "DBX", "D/"}},
		{"{A,B{1,2}}", []string{"A", "B1", "B2"}, []string{"B", "B12"}},
		{"a{,b}", []string{"a", "ab"}, []string{"b"}},
		{"[a-c]1", []string{"a1", "c1"}, []string{"d1", "a"}},
		{"/x[^a]y", []string{"/xby"}, []string{"/xay", "/x/y"}},
		{`[\[]x`, []string{"[x"}, []string{"x"}},
		{"a,b}", []string{"a,b}"}, []string{"a", "b}"}},
		{`\*\{a\}`, []string{"*{a}"}, []string{"x{a}", "*a"}},
		{`\(a\)`, []string{"(a)"}, []string{"a"}},
		{"/u/{{identity.id}}/**", []string{"/u/{{identity.id}}/x"}, []string{"/u/identity.id/x", "/u/x"}},
		{"é*", []string{"éa"}, []string{"\xc3a"}},
	}
	for _, test := range tests {
		t.Run(test.glob, func(t *testing.T) {
			g, err := compileGlob(test.glob)
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range test.matched {
				if !g.match(value) {
					t.Errorf("does not match %q", value)
				}
			}
			for _, value := range test.others {
				if g.match(value) {
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
		"refused/range out of order":    "[b-a]",
		"refused/negation as in shells": "[!a]",
		"refused/bare parenthesis":      "(a)",
		"refused/bare pipe":             "a|b",
		"refused/bare quote":            `"a"`,
		"refused/range in braces":       "{1..3}",
		"refused/three stars":           "/***",
		"refused/too many options":      strings.Repeat("{a,b}", 65),
		"refused/word behind backslash": `\d`,
		"refused/plus behind a class":   "[ab]+",
		"refused/named class":           "[[:alpha:]]",
		"refused/negated class, dash":   "[!-a]",
		"refused/backslash at the end":  `a\`,
		"refused/negation":              "!/app/**",
		"refused/extended pattern":      "@(a|b)",
		"refused/negated group":         "!(a)",
		"refused/no UTF-8":              "\xff",
		"refused/replacement character": "\uFFFD",
		"refused/null":                  "a\x00",
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
	parts = append(parts, "a", "b", "/", "/", "*", "?", "/**", "**/", ".")
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 7).Draw(t, label), "")
}

func drawValue(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "/", "/a", "ab", "."}), 0, 6).Draw(t, label), "")
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
		p := newProof(maxProof)
		within, apart := p.within(a, b), p.apart(a, b)
		for range 20 {
			value := drawValue(t, "value")
			if within && a.match(value) && !b.match(value) {
				t.Fatalf("%v within %v, but not on %q", a, b, value)
			}
			if apart && a.match(value) && b.match(value) {
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
		{"/app/x/**", "{/app/**,/other/**}", true},
		{"/{app,other}/x/**", "{/app/**,/other/**}", false}, // a glob also matches its own text
		{"/**/x", "/**", true},
		{"/**", "/**/x", false},
		{"/*", "/**", true},
		{"/.*", "/**", false},
		{"[ab]*", "*", true},
		{"?", "[^a]", false},
		{"D*", "**", true},
		{"/apple/**", "/app/**", false},
		{"/app/**", "/app/*", false},
		{"/**", "/app/**", false},
		{"/ap*/**", "/app/**", false},
		{"/ap*/**", "/a*/**", true},
	}
	for _, test := range tests {
		t.Run(test.a+" in "+test.b, func(t *testing.T) {
			a, _ := compileGlob(test.a)
			b, _ := compileGlob(test.b)
			if got := (newProof(maxProof)).within(a, b); got != test.within {
				t.Errorf("within = %v, want %v", got, test.within)
			}
		})
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("/app/{a,b}/**", "/app/a/x")
	f.Add(`[!a]\*{{identity.id}}`, "*")
	f.Fuzz(func(t *testing.T, s, value string) {
		g, err := compileGlob(s)
		if err != nil || len(value) > maxValue {
			return
		}
		values, few := g.list()
		if matched := g.match(value); few && matched != slices.Contains(values, value) {
			t.Fatalf("glob %q stands for %q, but match of %q = %v", s, values, value, matched)
		} else if matched && value != s && !strings.HasPrefix(value, g.prefix) {
			t.Fatalf("glob %q matches %q, which does not start with %q", s, value, g.prefix)
		}
		if literal, err := compileGlob(escapeGlob(value)); err == nil && value != "" && !literal.match(value) {
			t.Fatalf("%q escaped does not match itself", value)
		}
	})
}
