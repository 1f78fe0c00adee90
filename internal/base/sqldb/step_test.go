package sqldb

import (
	"cmp"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// TestStepsStateTheOldestVersion: each step from the guard on states, first of all and once, whose programs may run next to it: none
// that is newer than itself, and none that an earlier step has refused.
func TestStepsStateTheOldestVersion(t *testing.T) {
	all, err := steps()
	if err != nil {
		t.Fatal(err)
	}
	before := int64(0)
	for _, s := range all {
		switch {
		case s.version < guarded:
			continue
		case s.oldest < max(before, guarded) || s.oldest > s.version:
			t.Errorf("step %d states %d; want a version from %d to %d", s.version, s.oldest, max(before, guarded), s.version)
		case tightens(t, s.version) && s.oldest == before:
			t.Errorf("step %d takes something away, or asks for more, than the programs of version %d know. Do that in a later release, or state a later version", s.version, s.oldest)
		}
		if first := statementsOf(t, s.version)[0]; s.version > guarded && !stated.MatchString(first) {
			t.Errorf("step %d begins with %q; want what it states, which locks the head of the log", s.version, first)
		}
		before = s.oldest
	}
	if got, want := floor(all, 0), before; got != want {
		t.Errorf("the floor of all steps is %d; want %d", got, want)
	}
}

// statementsOf returns those of a step.
func statementsOf(t *testing.T, version int64) (found []string) {
	t.Helper()
	files, err := schemaSteps()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		s, err := readStep(files, name)
		if err != nil {
			t.Fatal(err)
		}
		if s.version != version {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for statement := range strings.SplitSeq(comments.ReplaceAllString(string(text), ""), ";\n") {
			if statement = strings.TrimSpace(statement); statement != "" {
				found = append(found, statement+";")
			}
		}
	}
	return found
}

var comments = regexp.MustCompile(`(?m)--.*$`)

// tightens reports whether a step has a statement after which an older program may fail, or write what a newer one cannot read.
func tightens(t *testing.T, version int64) bool {
	t.Helper()
	made := map[string]bool{} // tables that the step itself makes: no older program knows them
	for _, statement := range statementsOf(t, version) {
		if found := makes.FindStringSubmatch(statement); found != nil {
			made[found[1]] = true
			continue
		}
		if found := tight.FindStringSubmatch(statement); found != nil && !made[cmp.Or(found[1], found[2])] && !strings.Contains(statement, "NOT NULL DEFAULT") {
			return true
		}
	}
	return false
}

var (
	makes = regexp.MustCompile(`^CREATE TABLE (\w+)`)
	tight = regexp.MustCompile(`(?s)^(?:ALTER TABLE (\w+) .*(?:NOT NULL|CHECK|UNIQUE|CONSTRAINT|DROP|RENAME|TYPE)|DROP TABLE (\w+)|CREATE UNIQUE INDEX)`)
)
