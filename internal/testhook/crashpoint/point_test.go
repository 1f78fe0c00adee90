package crashpoint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPoints compares the points that have a name with those that the program comes to: a point that nothing reaches
// would be tested by nobody.
func TestPoints(t *testing.T) {
	named, reached := map[string]bool{}, map[string]bool{}
	files := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Point" && file.Name.Name == "crashpoint" {
					named[n.Names[0].Name] = true
				}
			case *ast.CallExpr:
				if isSelector(n.Fun, "Reach") && len(n.Args) == 1 {
					point, _ := n.Args[0].(*ast.SelectorExpr)
					if point == nil {
						t.Errorf("%s: name the point itself", files.Position(n.Pos()))
						return false
					}
					reached[point.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(All()) != len(named) {
		t.Errorf("All returns %d points, %d have a name", len(All()), len(named))
	}
	if diff := cmp.Diff(named, reached); diff != "" {
		t.Errorf("points that have a name (-) and that are reached (+):\n%s", diff)
	}
}

func isSelector(e ast.Expr, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	from, ok := s.X.(*ast.Ident)
	return ok && from.Name == "crashpoint"
}
