package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHandlersCallOneMethod: a handler turns wire types into plain ones and calls one exported method, which checks the permission.
// What it calls besides, unexported functions of the same api file, does no more. No path through it has SQL.
func TestHandlersCallOneMethod(t *testing.T) {
	seen := 0
	for name := range packages(t) {
		f := functionsOf(t, name)
		for _, h := range f.handlers() {
			seen++
			if n := f.calls(h.body, nil); n > 1 {
				t.Errorf("%s: the handler calls %d exported methods on one path: make one of them", h.place, n)
			}
			for _, at := range f.statements(h.body, nil) {
				t.Errorf("%s: SQL in a handler: move it to a method of the feature", at)
			}
		}
	}
	if seen < 150 {
		t.Errorf("only %d handlers were found: the test no longer knows how they are registered", seen)
	}
}

// functions are those of a package, by their names. Methods of different types with one name are all looked at.
type functions struct {
	files  *token.FileSet
	parsed []*ast.File
	byName map[string][]*ast.FuncDecl
}

func functionsOf(t *testing.T, name string) *functions {
	t.Helper()
	paths, err := filepath.Glob(name + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	f := &functions{files: token.NewFileSet(), byName: map[string][]*ast.FuncDecl{}}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(f.files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		f.parsed = append(f.parsed, file)
		for _, d := range file.Decls {
			if decl, ok := d.(*ast.FuncDecl); ok && decl.Body != nil {
				f.byName[decl.Name.Name] = append(f.byName[decl.Name.Name], decl)
			}
		}
	}
	return f
}

type handler struct {
	place string
	body  *ast.BlockStmt
}

// handlers returns what is registered with httpapi.Handle and httpapi.HandleOpen.
func (f *functions) handlers() (found []handler) {
	known := map[token.Pos]bool{}
	for _, file := range f.parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			if pkg, method := selector(call.Fun); pkg != "httpapi" || !strings.HasPrefix(method, "Handle") {
				return true
			}
			last := call.Args[len(call.Args)-1]
			if literal, ok := last.(*ast.FuncLit); ok {
				found = append(found, handler{f.files.Position(literal.Pos()).String(), literal.Body})
				return true
			}
			_, name := selector(last)
			for _, decl := range f.byName[name] {
				if handles(decl) && !known[decl.Pos()] {
					known[decl.Pos()] = true
					found = append(found, handler{f.files.Position(decl.Pos()).String(), decl.Body})
				}
			}
			return true
		})
	}
	return found
}

// handles reports whether a function can be a handler: it takes a context, a caller and an input.
func handles(decl *ast.FuncDecl) bool {
	params := decl.Type.Params.List
	if len(params) != 3 || decl.Type.Results.NumFields() != 2 {
		return false
	}
	_, input := params[2].Type.(*ast.StarExpr)
	return input
}

// selector returns what is before and behind the dot of an expression; only the name where there is no dot.
func selector(e ast.Expr) (before, name string) {
	switch e := e.(type) {
	case *ast.IndexExpr:
		return selector(e.X)
	case *ast.Ident:
		return "", e.Name
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			before = x.Name
		}
		return before, e.Sel.Name
	}
	return "", ""
}

// calls returns how many exported methods the statements of a block call on one path, at most.
func (f *functions) calls(block *ast.BlockStmt, above []string) int {
	return f.callsOf(block.List, above)
}

func (f *functions) callsOf(list []ast.Stmt, above []string) int {
	if len(list) == 0 {
		return 0
	}
	rest := list[1:]
	switch s := list[0].(type) {
	case *ast.IfStmt:
		n, otherwise := 0, 0
		if s.Init != nil {
			n += f.callsIn(s.Init, above)
		}
		n += f.callsIn(s.Cond, above)
		if s.Else != nil {
			otherwise = f.callsOf([]ast.Stmt{s.Else}, above)
		}
		then := f.calls(s.Body, above)
		if !ends(s.Body) {
			then += f.callsOf(rest, above)
		}
		return n + max(then, otherwise+f.callsOf(rest, above))
	case *ast.BlockStmt:
		return f.callsOf(slices.Concat(s.List, rest), above)
	case *ast.SwitchStmt:
		most := 0
		for _, c := range s.Body.List {
			most = max(most, f.callsOf(c.(*ast.CaseClause).Body, above))
		}
		return most + f.callsOf(rest, above)
	}
	return f.callsIn(list[0], above) + f.callsOf(rest, above)
}

// ends reports whether nothing that follows a block is reached from it.
func ends(block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	_, returns := block.List[len(block.List)-1].(*ast.ReturnStmt)
	return returns
}

// callsIn counts the calls in a node that take the request's context: those of exported functions, and what the unexported
// ones do.
func (f *functions) callsIn(node ast.Node, above []string) (n int) {
	ast.Inspect(node, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || !takesContext(call) {
			return true
		}
		before, name := selector(call.Fun)
		if ast.IsExported(name) {
			if before != "httpapi" && before != "limit" {
				n++
			}
			return true
		}
		if !slices.Contains(above, name) {
			deepest := 0
			for _, decl := range f.byName[name] {
				deepest = max(deepest, f.calls(decl.Body, append(above, name)))
			}
			n += deepest
		}
		return true
	})
	return n
}

func takesContext(call *ast.CallExpr) bool {
	if len(call.Args) == 0 {
		return false
	}
	first, ok := call.Args[0].(*ast.Ident)
	return ok && first.Name == "ctx"
}

var statement = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b`)

// statements returns the places of SQL in a block, and in the unexported functions that it calls.
func (f *functions) statements(block *ast.BlockStmt, above []string) []string {
	found := map[string]bool{}
	ast.Inspect(block, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.BasicLit:
			if node.Kind == token.STRING && statement.MatchString(strings.Trim(node.Value, "`\"")) {
				found[f.files.Position(node.Pos()).String()] = true
			}
		case *ast.CallExpr:
			_, name := selector(node.Fun)
			if takesContext(node) && !ast.IsExported(name) && !slices.Contains(above, name) {
				for _, decl := range f.byName[name] {
					for _, at := range f.statements(decl.Body, append(above, name)) {
						found[at] = true
					}
				}
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(found))
}
