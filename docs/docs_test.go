// Package docs has no code: its test keeps the documents in order.
package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinksResolve follows every relative link of every document to a file, and its fragment to a heading.
func TestLinksResolve(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(prose(read(t, page)), -1) {
			target, err := url.Parse(found[1])
			if err != nil || target.IsAbs() {
				continue
			}
			file := page
			if target.Path != "" {
				file = filepath.Join(filepath.Dir(page), target.Path)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which is not there", page, found[1])
				continue
			}
			if target.Fragment != "" && !headings(read(t, file))[target.Fragment] {
				t.Errorf("%s links to %s, and there is no such heading", page, found[1])
			}
		}
	}
}

// TestNoPageNamesAMachine refuses paths that exist on someone's machine alone.
func TestNoPageNamesAMachine(t *testing.T) {
	local := regexp.MustCompile(`(^|[\s"'(=` + "`" + `])/(work|tmp|root|home/[a-z]+)\b[^\s]*`)
	for _, page := range pages(t) {
		for _, found := range local.FindAllString(read(t, page), -1) {
			if !strings.Contains(found, "/home/you/") {
				t.Errorf("%s names %s, a place on one machine", page, strings.TrimSpace(found))
			}
		}
	}
}

// TestReadmeShowsTheWalkThroughThatDevPrints compares all lines but those that differ at each start.
func TestReadmeShowsTheWalkThroughThatDevPrints(t *testing.T) {
	readme := read(t, "../README.md")
	for line := range strings.Lines(read(t, "../internal/cli/walkthrough.txt")) {
		if !strings.Contains(line, "{{") && !strings.Contains(readme, line) {
			t.Errorf("README.md does not have the line that dev prints:\n%s", line)
		}
	}
}

// TestReadmeFiguresAreMeasured: each figure of the table "what it costs" is one of docs/performance.md.
func TestReadmeFiguresAreMeasured(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "../README.md"), "What it costs, measured")
	table, _, _ = strings.Cut(table, "\n## ")
	figures := regexp.MustCompile(`[\d,.]*\d`)
	seen := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, figure := range figures.FindAllString(cells[2], -1) {
			seen++
			if !strings.Contains(read(t, "performance.md"), "| "+strings.ReplaceAll(figure, ",", "")+" |") {
				t.Errorf("README.md says %s, which docs/performance.md did not measure", figure)
			}
		}
	}
	if seen == 0 {
		t.Error("README.md has no figures: this test looks in the wrong place")
	}
}

// pages returns the documents of the repository.
func pages(t *testing.T) (paths []string) {
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != ".." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// prose drops the blocks of code from a document: what looks like a link there is none.
func prose(text string) string {
	parts := strings.Split(text, "\n```")
	var kept strings.Builder
	for i := 0; i < len(parts); i += 2 {
		kept.WriteString(parts[i])
	}
	return kept.String()
}

// headings returns the anchors of a document: its headings in lower case, without punctuation, with dashes for spaces.
func headings(text string) map[string]bool {
	anchors := map[string]bool{}
	drop := regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
	for line := range strings.Lines(prose(text)) {
		if title := strings.TrimLeft(line, "#"); title != line {
			anchor := drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			anchors[strings.ReplaceAll(anchor, " ", "-")] = true
		}
	}
	return anchors
}
