package docs

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommentsNamePagesThatExist: each .md file that a comment of a Go file names is in the repository, by its path from
// the root or from docs/, and each section of the reference that a comment names is a heading of its page.
func TestCommentsNamePagesThatExist(t *testing.T) {
	page := regexp.MustCompile(`[\w./-]*\w\.md\b`)
	section := regexp.MustCompile(`docs/(reference/\w+\.md) sections? (\d+(?:\.\d+)?)(?: (?:and|to) (\d+(?:\.\d+)?))?`)
	named := 0
	for file, text := range comments(t) {
		for _, name := range page.FindAllString(text, -1) {
			if !exists("../"+name) && !exists(name) {
				t.Errorf("%s: a comment names %s, which is not in the repository", file, name)
			}
			named++
		}
		for _, found := range section.FindAllStringSubmatch(text, -1) {
			for _, number := range found[2:] {
				if number != "" && exists(found[1]) && !sections(t, found[1])[number] {
					t.Errorf("%s: a comment names section %s of docs/%s, which has no such heading", file, number, found[1])
				}
			}
		}
	}
	if named == 0 {
		t.Error("no comment names a page: this test looks in the wrong place")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sections returns the numbers of the headings of a page, such as "7" and "7.2".
func sections(t *testing.T, page string) map[string]bool {
	numbers := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^#+ (\d+(?:\.\d+)?)\.? `).FindAllStringSubmatch(read(t, page), -1) {
		numbers[found[1]] = true
	}
	return numbers
}

// comments returns the comments of each Go file of the repository, each comment on one line.
func comments(t *testing.T) map[string]string {
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != ".." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			found[path] = commentsOf(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func commentsOf(t *testing.T, path string) string {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, group := range file.Comments {
		text.WriteString(strings.Join(strings.Fields(group.Text()), " ") + "\n")
	}
	return text.String()
}
