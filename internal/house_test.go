// Package internal has no code: its test keeps the house in order (docs/architecture.md).
package internal

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sallyport/sallyport/internal/"

// floors lists the packages from the ground up. A package imports only packages on floors below its own, and none on the
// same floor. A login method, which is a folder of auth that is not listed, is on the floor "auth/*".
var floors = [][]string{
	{"base/dotenv", "base/text", "cli/profile", "cli/terminal", "testhook/crashpoint"},
	{"base/bounded", "base/config", "base/fault", "base/id", "base/seal", "base/tally", "cli/reference", "cli/remote", "testhook/bug"},
	{"base/limit", "cli/client"},
	{"access", "base/sqldb"}, // access is pure, so that base/httpapi may import it
	{"base/httpapi", "base/quota", "base/sqldb/sqldbtest", "ops/transfer"},
	{"audit", "base/lockout", "feed", "ops/backup"},
	{"feed/feedtest", "ops/doctor", "ops/importer", "role"},
	{"member"},
	{"org"},
	{"identity"},
	{"project", "token"},
	{"auth", "oauth", "secret", "user"},
	{"auth/assertion", "user/password"},
	{"auth/*"},
	{"keys", "console/api"},
	{"console"},
	{"app"},
	{"cli"},
}

func TestImportsRunOneWay(t *testing.T) {
	for name, imports := range packages(t) {
		if floorAt(name) < 0 {
			t.Errorf("internal/%s is on no floor: add it to floors in this test, above the packages that it imports", name)
		}
		for _, imported := range imports {
			if floorAt(imported) >= floorAt(name) {
				t.Errorf("internal/%s imports internal/%s, which is on the same floor or above", name, imported)
			}
			if isConsole := name == "console" || strings.HasPrefix(name, "console/"); isConsole && sectionOf(imported) == "Features" {
				t.Errorf("internal/%s imports internal/%s: the console is a client of the API, and knows no feature", name, imported)
			}
			if sectionOf(name) == "The command line" && sectionOf(imported) == "Features" {
				t.Errorf("internal/%s imports internal/%s: commands speak HTTP, or go through app", name, imported)
			}
			if feature := sectionOf(imported) == "Features" && imported != "access"; feature && strings.HasPrefix(name, "base/") {
				t.Errorf("internal/%s imports the feature internal/%s: the base knows no feature", name, imported)
			}
		}
	}
}

// floorAt returns the floor of a package, and -1 for one that is on none.
func floorAt(name string) int {
	listed := func(name string) int {
		return slices.IndexFunc(floors, func(floor []string) bool { return slices.Contains(floor, name) })
	}
	if n := listed(name); n >= 0 || !strings.HasPrefix(name, "auth/") {
		return n
	}
	return listed("auth/*")
}

// packages returns the packages below this folder with what each imports of the others. Tests may import anything.
func packages(t *testing.T) map[string][]string {
	found := map[string]map[string]bool{}
	for _, path := range sources(t, ".") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.ToSlash(filepath.Dir(path))
		if found[name] == nil {
			found[name] = map[string]bool{}
		}
		for _, spec := range file.Imports {
			if imported, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module); ours {
				found[name][imported] = true
			}
		}
	}
	imports := map[string][]string{}
	for name, set := range found {
		imports[name] = slices.Sorted(maps.Keys(set))
	}
	return imports
}

// Limits that are loose on purpose: the habit is files of 150 lines and functions of ten.
const (
	longestFile     = 500
	longestFunction = 80
)

func TestNothingGrowsWithoutLimit(t *testing.T) {
	for _, path := range sources(t, "..") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n > longestFile && !generated(text) {
			t.Errorf("%s has %d lines: split it by subject", path, n)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue // a table of cases may be long
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				if n := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; n > longestFunction {
					t.Errorf("%s: %s has %d lines: split it", files.Position(f.Pos()), f.Name.Name, n)
				}
			}
		}
	}
}

// generated reports whether a file says that a program wrote it (go.dev/s/generatedcode).
func generated(text []byte) bool {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "// Code generated ") && strings.HasSuffix(lines.Text(), " DO NOT EDIT.") {
			return true
		}
	}
	return false
}

// sources returns the Go files below a folder.
func sources(t *testing.T, dir string) (paths []string) {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".go") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestOptionsAreNotEmbedded: whoever holds a service must not reach its root key or its database through it. So what a service
// works with is in unexported fields.
func TestOptionsAreNotEmbedded(t *testing.T) {
	for _, path := range sources(t, ".") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || !spec.Name.IsExported() {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					if _, name := selector(field.Type); len(field.Names) == 0 && name == "Options" {
						t.Errorf("%s: %s embeds Options: copy what it needs to unexported fields", files.Position(field.Pos()), spec.Name.Name)
					}
				}
			}
			return true
		})
	}
}
