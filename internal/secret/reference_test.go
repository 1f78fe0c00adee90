package secret

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tokens returns all references of a text.
func tokens(text string) (found []string) {
	for {
		_, token, after, ok := nextReference(text)
		if !ok {
			return found
		}
		found, text = append(found, token), after
	}
}

func TestNextReference(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "", "${A}": "A", "x${A}y${b.c-d_E9}z": "A b.c-d_E9", "${@p.dev.A}": "@p.dev.A", "$1 $& $A ${}": "", "${A": "", "${A B}": "", "$${A}": "A",
		"${${A}}": "A", "${ü}${B}": "B", "${A}}": "A", "{A}": "", "$ {A}": "", "${A\n}": "", strings.Repeat("${", 10) + "A}": "A",
	} {
		if got := strings.Join(tokens(text), " "); got != want {
			t.Errorf("%q has the references %q, want %q", text, got, want)
		}
	}
}

func TestParseReference(t *testing.T) {
	for token, want := range map[string]locatedName{
		"A": {"dev", "/app", "A"}, "prod.A": {"prod", "/", "A"}, "prod.a.b.A": {"prod", "/a/b", "A"}, "prod..A": {"prod", "/", "A"}, ".A": {"", "/", "A"}, "A.": {"A", "/", ""},
	} {
		if got, local, ok := parseReference(token, "dev", "/app"); got != want || !ok || local != !strings.Contains(token, ".") {
			t.Errorf("%q leads to %+v, %v, %v; want %+v", token, got, local, ok, want)
		}
	}
	if _, _, ok := parseReference("@shop.dev.A", "dev", "/"); ok {
		t.Error("a reference to another project leads somewhere")
	}
}

// TestReferencesCutNothing: the parts of a text around a reference and the reference itself are the text.
func TestReferencesCutNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cutsNothing(t, rapid.StringOf(rapid.RuneFrom([]rune("${}.A@ü-_ "))).Draw(t, "text"))
	})
}

func FuzzReference(f *testing.F) {
	f.Add("x${A}y${prod.a.B}")
	f.Fuzz(func(t *testing.T, text string) { cutsNothing(t, text) })
}

func cutsNothing(t interface{ Errorf(string, ...any) }, text string) {
	before, token, after, ok := nextReference(text)
	if !ok {
		return
	}
	if before+"${"+token+"}"+after != text || token == "" {
		t.Errorf("%q was cut into %q, %q and %q", text, before, token, after)
	}
	if _, _, _, earlier := nextReference(before); earlier {
		t.Errorf("%q: an earlier reference was passed over", text)
	}
	if to, _, ok := parseReference(token, "dev", "/"); ok && !strings.HasPrefix(to.path, "/") {
		t.Errorf("%q leads to the path %q", token, to.path)
	}
}
