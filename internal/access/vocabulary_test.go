package access

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/vocabulary.txt again")

// TestVocabulary compares the subjects, actions, conditions and built-in roles with the golden file. Clients store these words
// in roles, so a word that is gone or has changed breaks what people have. Run with -update to accept a change.
// docs/permissions.md is made from the golden file.
func TestVocabulary(t *testing.T) {
	const golden = "testdata/vocabulary.txt"
	now := strings.Join(append(
		lines("organization", organization, OrgRole, "admin", "member", "no-access"),
		lines("project", project, ProjectRole, "admin", "member", "viewer", "no-access", "cryptographic-operator")...), "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), now); diff != "" {
		t.Errorf("The vocabulary of permissions has changed. Run make generate if that is intended (- golden, + code):\n%s", diff)
	}
}

// lines returns a vocabulary with its built-in roles: on each line the scope, the kind of line, what it is about, and words.
func lines(scope string, v *vocabulary, roleOf func(string) ([]Rule, bool), roles ...string) (text []string) {
	add := func(kind, about, what string) {
		text = append(text, strings.Join([]string{scope, kind, about, what}, " | "))
	}
	for _, w := range v.words {
		add("subject", string(w.subject), joined(w.actions))
		for _, k := range slices.Sorted(maps.Keys(w.keys)) {
			add("condition", fmt.Sprintf("%s %s", w.subject, keyNames[k]), operatorNames(w.keys[k]))
		}
		for _, a := range slices.Sorted(maps.Keys(w.means)) {
			add("stands for", fmt.Sprintf("%s %s", w.subject, a), joined(w.means[a]))
		}
		for _, a := range slices.Sorted(maps.Keys(w.widens)) {
			add("denies too", fmt.Sprintf("%s %s", w.subject, a), joined(w.widens[a]))
		}
	}
	for _, slug := range roles {
		rules, _ := roleOf(slug)
		add("role", slug, fmt.Sprintf("%d rules", len(rules)))
		for _, r := range rules {
			add("rule", slug+" "+string(r.Subject), joined(r.Actions))
			if len(r.Conditions) > 0 || r.Inverted {
				add("rule", fmt.Sprintf("%s %s %v inverted %t", slug, r.Subject, r.Conditions, r.Inverted), "is not a plain one")
			}
		}
	}
	return text
}

// joined joins actions by spaces.
func joined(actions []Action) string {
	return strings.Trim(fmt.Sprint(actions), "[]")
}

// operatorNames returns the operators that a condition on an attribute may use.
func operatorNames(allowed operator) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		if allowed&operators[name] != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}
