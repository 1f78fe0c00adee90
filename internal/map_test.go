package internal

import (
	"cmp"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the map of packages in docs/architecture.md again")

const architecture = "../docs/architecture.md"

// sections are the parts of the map, in the order of the page. The first one whose folder holds a package has it; features
// lie directly in internal.
var sections = []struct{ title, folder string }{
	{"The whole", "app"},
	{"The whole", "console"},
	{"The whole", "console/"},
	{"The command line", "cli"},
	{"The command line", "cli/"},
	{"A whole installation", "ops/"},
	{"Without features: the base", "base/"},
	{"For tests alone", "testhook/"},
	{"Features", ""},
}

// shown is the order of the titles on the page.
var shown = []string{"The whole", "The command line", "Features", "A whole installation", "Without features: the base", "For tests alone"}

// TestMap: the map of packages in docs/architecture.md is what the package comments and the floors make it. Run it with
// -update to write the map again.
func TestMap(t *testing.T) {
	page, err := os.ReadFile(architecture)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- map: generated -->\n", "<!-- end of the map -->\n"
	head, rest, found := strings.Cut(string(page), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the lines %q and %q around its map", architecture, begin, end)
	}
	want := head + begin + mapOfPackages(t) + end + tail
	if want == string(page) {
		return
	}
	if !*update {
		t.Fatalf("the map in %s is stale: run `make generate`", architecture)
	}
	if err := os.WriteFile(architecture, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mapOfPackages draws a table for each section. The packages of a table are sorted from the highest floor to the lowest.
func mapOfPackages(t *testing.T) string {
	rows := map[string][]string{}
	for _, name := range slices.SortedFunc(maps.Keys(packages(t)), higherFirst) {
		if !strings.HasSuffix(name, "test") { // helpers of tests
			title := sectionOf(name)
			rows[title] = append(rows[title], fmt.Sprintf("| `internal/%s` | %s |\n", name, comment(t, name)))
		}
	}
	var text strings.Builder
	for _, title := range shown {
		fmt.Fprintf(&text, "\n### %s\n\n| folder | what it owns, and what it does not |\n|---|---|\n%s", title, strings.Join(rows[title], ""))
	}
	return text.String() + "\n"
}

func higherFirst(a, b string) int {
	return cmp.Or(cmp.Compare(floorAt(b), floorAt(a)), cmp.Compare(a, b))
}

func sectionOf(name string) string {
	for _, section := range sections {
		if name == section.folder || strings.HasSuffix(section.folder, "/") && strings.HasPrefix(name, section.folder) || section.folder == "" {
			return section.title
		}
	}
	return ""
}

// comment returns the first paragraph of a package's comment, without "Package x".
func comment(t *testing.T, name string) string {
	files, err := filepath.Glob(name + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if text, found := strings.CutPrefix(file.Doc.Text(), "Package "+file.Name.Name+" "); found && !strings.HasSuffix(path, "_test.go") {
			paragraph, _, _ := strings.Cut(text, "\n\n")
			return strings.Join(strings.Fields(paragraph), " ")
		}
	}
	t.Errorf("internal/%s has no package comment that begins with %q", name, "Package "+filepath.Base(name))
	return ""
}

// TestClocksAreKeptFromFeatures: the linter lets no feature but the feed read a clock of its own (.golangci.yml).
func TestClocksAreKeptFromFeatures(t *testing.T) {
	config, err := os.ReadFile("../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`- path: (\S+)\n\s+text: "` + regexp.QuoteMeta("`time\\\\.(Now|Since|Until)`")).FindSubmatch(config)
	if found == nil {
		t.Fatal(".golangci.yml has no rule that lets packages read clocks")
	}
	allowed := regexp.MustCompile(string(found[1]))
	for name := range packages(t) {
		if feature := sectionOf(name) == "Features" && !strings.HasPrefix(name, "feed"); feature && allowed.MatchString("internal/"+name+"/x.go") {
			t.Errorf(".golangci.yml lets internal/%s read the clock; a feature takes the time of its transaction", name)
		}
	}
}
