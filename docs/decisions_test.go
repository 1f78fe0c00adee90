package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDecisions: each decision is named after its date, has the same sections in the same order, and is in the index under
// its title.
func TestDecisions(t *testing.T) {
	index := read(t, "decisions/README.md")
	files, err := filepath.Glob("decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^(\d{4}-\d\d-\d\d)-[a-z0-9-]+\.md$`)
	form := regexp.MustCompile(`(?s)^# ([^\n]+)\n\n[^\n]+\n\n## Context\n\n[^\n].*\n\n## Options\n\n[^\n].*\n\n## Decision\n\n[^\n].*\n$`)
	seen := 0
	for _, file := range files {
		base := filepath.Base(file)
		if base == "README.md" {
			continue
		}
		seen++
		dated, formed := name.FindStringSubmatch(base), form.FindStringSubmatch(read(t, file))
		switch {
		case dated == nil:
			t.Errorf("%s is not named YYYY-MM-DD-short-name.md", file)
		case formed == nil:
			t.Errorf("%s does not have a title, one line, and the sections Context, Options and Decision in this order", file)
		case !strings.Contains(index, "\n| "+dated[1]+" | ["+formed[1]+"]("+base+") | "):
			t.Errorf("decisions/README.md has no line for %s with its date and title", file)
		}
	}
	if seen == 0 {
		t.Error("there are no decisions")
	}
}
