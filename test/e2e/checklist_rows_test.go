package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRowsOfClientsNameTests: each test that the table "Clients" of docs/compatibility.md names is there, and its subtest too.
func TestRowsOfClientsNameTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rows, found := strings.Cut(string(page), "\n## Clients\n")
	rows, _, _ = strings.Cut(rows, "\n## ")
	names := regexp.MustCompile("`(Test[A-Za-z]+)(?:/([a-z0-9A-Z_-]+))?`").FindAllStringSubmatch(rows, -1)
	if !found || len(names) < 50 {
		t.Fatalf("the table names %d tests", len(names))
	}
	source := sourceOfTests(t)
	for route := range requestIDs() {
		source += `"` + route + `"`
	}
	for _, name := range names {
		subtest := `"` + name[2] + `"`
		if name[1] == "TestLeftOut" {
			subtest = strings.ReplaceAll(subtest, "_", " ")
		}
		if !strings.Contains(source, "func "+name[1]+"(") || name[2] != "" && !strings.Contains(source, subtest) {
			t.Errorf("there is no test %s", strings.Trim(name[0], "`"))
		}
	}
}

func sourceOfTests(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"*_test.go", "../clients/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

// requestIDs are the ids of all routes, by which the tests that walk over them name their subtests.
func requestIDs() map[string]bool {
	ids := map[string]bool{}
	for _, r := range shared.App.API().Routes() {
		ids[r.ID] = true
	}
	return ids
}
