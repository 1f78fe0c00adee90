// Command banned fails on calls that this project does without, and names what to use instead. It reads syntax alone, so
// it takes no time; its arguments are folders.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// ban is something not to be used. It is named by import path and name; a name that ends in * stands for all that begin
// so.
type ban struct {
	names  []string
	why    string
	tests  bool     // in tests too
	except []string // folders in which it is fine, below the root
	only   []string // folders to which it is confined
}

var features = []string{"internal/access", "internal/audit", "internal/auth", "internal/identity", "internal/org",
	"internal/role", "internal/token"}

var bans = []ban{
	{names: []string{"time.Sleep"}, tests: true, except: []string{"test/cluster", "test/linearizability", "bench"}, // there waiting is the point
		why: "wait for the thing itself: a channel, a context, a timer in a select"},
	{names: []string{"time.Now", "time.Since", "time.Until"}, only: features,
		why: "take the time of the transaction (tx.Now) or of the database (DB.Now): one reading a transaction"},
	{names: []string{"os.Exit", "log.*"}, except: []string{"cmd", "tools"},
		why: "return an error; only main ends the process, and logs go through the *slog.Logger that was handed in"},
	{names: []string{"fmt.Print*"}, except: []string{"tools"},
		why: "write to the io.Writer that was handed in; the log is for what nobody asked for"},
	{names: []string{"log/slog.Debug*", "log/slog.Info*", "log/slog.Warn*", "log/slog.Error*", "log/slog.SetDefault"},
		why: "log through the *slog.Logger that was handed in"},
	{names: []string{"net/http.DefaultClient", "net/http.Get", "net/http.Head", "net/http.Post*"},
		why: "make an http.Client with a time-out"},
	{names: []string{"net/http.DefaultServeMux", "net/http.Handle", "net/http.HandleFunc", "net/http.ListenAndServe*"}, tests: true,
		why: "no global state: routes go on httpapi.API, and cli serves them"},
	{names: []string{"math/rand.*", "math/rand/v2.*"}, except: []string{"internal/sqldb"}, // for a pause before another try
		why: "what nobody may guess comes from crypto/rand or id.Secret"},
	{names: []string{"github.com/google/uuid.New*", "github.com/google/uuid.Must"}, except: []string{"internal/id"},
		why: "ids are UUIDv7: id.New"},
	{names: []string{"reflect.DeepEqual"}, tests: true, why: "cmp.Diff of go-cmp shows what differs"},
	{names: []string{"context.TODO"}, tests: true, why: "pass the caller's context along"},
}

func main() {
	found := 0
	for _, dir := range os.Args[1:] {
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") {
				return err
			}
			n, err := check(filepath.ToSlash(name))
			found += n
			return err
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, "banned:", err)
			os.Exit(1)
		}
	}
	if found > 0 {
		os.Exit(1)
	}
}

// check reports what one file must not have, and returns how much that is.
func check(name string) (found int, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
	if err != nil {
		return 0, err
	}
	test := strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "test/") || strings.HasPrefix(name, "bench/")
	report := func(at token.Pos, what, why string) {
		fmt.Printf("%s: %s is banned: %s\n", files.Position(at), what, why)
		found++
	}
	imported := imports(file)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				report(n.Pos(), "init", "no registration by import: say in app what there is")
			}
			if at := skips(n); at != nil {
				report(at.Pos(), "t.Skip", "a test runs everywhere; what it needs, scripts/ensure-tools installs")
			}
		case *ast.SelectorExpr:
			what := selected(n, imported)
			if b := banOf(what, name, test); b != nil {
				report(n.Pos(), what, b.why)
			}
		}
		return true
	})
	return found, nil
}

// imports maps the names that a file gives to packages to their paths.
func imports(file *ast.File) map[string]string {
	paths := map[string]string{}
	for _, spec := range file.Imports {
		full := strings.Trim(spec.Path.Value, `"`)
		name := path.Base(full)
		if strings.HasPrefix(name, "v") && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(full))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		paths[name] = full
	}
	return paths
}

// selected names what is taken from a package, with the path of the package in place of its name; else "".
func selected(n *ast.SelectorExpr, imported map[string]string) string {
	if left, ok := n.X.(*ast.Ident); ok && imported[left.Name] != "" {
		return imported[left.Name] + "." + n.Sel.Name
	}
	return ""
}

// skips returns where a test skips itself. Functions inside it may: fuzz targets and properties pass over input so.
func skips(f *ast.FuncDecl) (at ast.Node) {
	if !strings.HasPrefix(f.Name.Name, "Test") || f.Body == nil {
		return nil
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(call.Sel.Name, "Skip") {
			if on, ok := call.X.(*ast.Ident); ok && on.Name == "t" {
				at = call
			}
		}
		_, inner := n.(*ast.FuncLit)
		return !inner
	})
	return at
}

// banOf returns the ban of something in a file, or nil.
func banOf(what, file string, test bool) *ban {
	within := func(dir string) bool { return strings.HasPrefix(file, dir+"/") }
	for i := range bans {
		b := &bans[i]
		if test && !b.tests || slices.ContainsFunc(b.except, within) || b.only != nil && !slices.ContainsFunc(b.only, within) {
			continue
		}
		if slices.ContainsFunc(b.names, func(name string) bool { return matches(name, what) }) {
			return b
		}
	}
	return nil
}

// matches reports whether a name of a ban stands for something.
func matches(name, what string) bool {
	before, all := strings.CutSuffix(name, "*")
	return what == name || all && strings.HasPrefix(what, before)
}
