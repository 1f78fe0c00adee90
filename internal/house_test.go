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

// floors lists the packages from the ground up. A package imports only what stands on floors below its own; on one
// floor nobody imports a neighbor. A login method, a folder of auth that is not listed, stands on the floor "auth/*".
var floors = [][]string{
	{"crashpoint", "text"},
	{"bounded", "bug", "config", "fault", "id", "seal", "tally"},
	{"limit"},
	{"access", "sqldb"},
	{"httpapi", "quota", "sqldb/sqldbtest", "transfer"},
	{"audit", "backup", "feed", "lockout"},
	{"doctor", "importer", "role", "feed/feedtest"},
	{"org"},
	{"identity"},
	{"project", "token"},
	{"auth", "oauth", "secret", "user"},
	{"auth/assertion"},
	{"auth/*"},
	{"keys"},
	{"app"},
	{"cli"},
}

// features are what cli reaches through app and over HTTP alone.
var features = []string{"access", "audit", "feed", "lockout", "role", "org", "identity", "project", "secret", "token", "auth", "oauth", "user", "keys"}

func TestImportsRunOneWay(t *testing.T) {
	floors := floorOf()
	find := func(name string) (int, bool) {
		if _, listed := floors[name]; !listed && strings.HasPrefix(name, "auth/") {
			name = "auth/*"
		}
		n, ok := floors[name]
		return n, ok
	}
	for name, imports := range packages(t) {
		own, ok := find(name)
		if !ok {
			t.Errorf("internal/%s stands on no floor: add it to floors in this test, above what it imports", name)
		}
		for _, imported := range imports {
			if below, _ := find(imported); ok && below >= own {
				t.Errorf("internal/%s imports internal/%s, which stands beside or above it", name, imported)
			}
			if feature, _, _ := strings.Cut(imported, "/"); name == "cli" && slices.Contains(features, feature) {
				t.Errorf("internal/cli imports internal/%s: commands speak HTTP, or go through app", imported)
			}
		}
	}
}

func floorOf() map[string]int {
	floor := map[string]int{}
	for i, names := range floors {
		for _, name := range names {
			floor[name] = i
		}
	}
	return floor
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
