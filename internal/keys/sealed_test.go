package keys

import (
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

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// TestEverySealedColumnIsRotated fails for a column of bytes that no rotation knows. What is sealed stands in such columns,
// and, of metadata, in the JSON of secrets and secret_versions; see also TestEverybodyWhoSealsIsKnown.
func TestEverySealedColumnIsRotated(t *testing.T) {
	known := []string{"secrets.value", "secrets.comment", "secret_versions.value", "secret_versions.comment"} // by the package secret
	for _, c := range append(slices.Clone(underRoot), underOrganization) {
		known = append(known, c.table+"."+c.sealed)
	}
	slices.Sort(known)
	var columns []string
	err := sqldbtest.Open(t, sqldb.SQLite).Select(t.Context(), &columns, `SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.type = 'BYTEA' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(columns)
	if diff := cmp.Diff(known, columns); diff != "" {
		t.Errorf("columns that a rotation seals anew (-), columns of bytes in the schema (+); add yours to underRoot, with a reference to root_keys:\n%s", diff)
	}
}

// TestEveryKeyIsReferredTo: the database lets no key go that a row refers to, in every table that is sealed.
func TestEveryKeyIsReferredTo(t *testing.T) {
	parents := map[string]string{"root_key_id": "root_keys", "organization_key_id": "organization_keys"}
	db := sqldbtest.Open(t, sqldb.SQLite)
	for _, c := range append(slices.Clone(underRoot), underOrganization, column{table: "secrets", key: "project_key_id"}, column{table: "secret_versions", key: "project_key_id"}) {
		want := parents[c.key]
		if want == "" {
			want = "project_keys"
		}
		var parent string
		err := db.Get(t.Context(), &parent, `SELECT "table" FROM pragma_foreign_key_list($1) WHERE "from" = $2`, c.table, c.key)
		if err != nil || parent != want {
			t.Errorf("%s.%s refers to %q, %v; want %s", c.table, c.key, parent, err, want)
		}
	}
}

// TestDocumentNamesEveryTable: docs/security.md says of each table what of it can be read.
func TestDocumentNamesEveryTable(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	err = sqldbtest.Open(t, sqldb.SQLite).Select(t.Context(), &tables, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'`)
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		if !strings.Contains(string(page), "`"+table+"`") {
			t.Errorf("docs/security.md does not say what of %s can be read without the root key", table)
		}
	}
}

// sealers are the functions that call Seal. One that is new must write to a column that a rotation knows, beside the id of
// its key; then it belongs here. secret.Keep seals for memory alone, under a key that ends with the process. console.keep seals cookies:
// where the key is gone, the user signs in again.
var sealers = []string{
	"auth.parts", "console.keep", "keys.update", "org.MakeKey", "project.MakeKey", "secret.Keep", "secret.seal", "token.sealed", "universal.Start",
}

// TestEverybodyWhoSealsIsKnown fails for a new call of Seal that nobody has thought of rotating.
func TestEverybodyWhoSealsIsKnown(t *testing.T) {
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil || file.Name.Name == "seal" {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && callsSeal(f) {
				found[file.Name.Name+"."+f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sealers, slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("those who are known (-), those who call Seal (+):\n%s", diff)
	}
}

func callsSeal(f *ast.FuncDecl) (calls bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if method, ok := call.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Seal" {
				calls = true
			}
		}
		return true
	})
	return calls
}
