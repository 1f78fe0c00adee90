package sqldb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/sqldb"
	"github.com/sallyport/sallyport/internal/sqldb/sqldbtest"
)

// texts are names that the rules of languages sort and fold in other ways than bytes.
var texts = []string{"Zed", "apple", "b-1", "B_1", "Über", "über", "ÜBER", "STRASSE", "straße", "100%", "a_b", `a\b`, "Κόσμος", "ΚΌΣΜΟΣ", "ЖУК", "жук", "İ", "ı", "_x", "Å", "é", "É", "e\u0301"}

// TestBothEnginesSortAndFindAlike: the order of text and what a search finds do not depend on the engine, nor on the
// language that a PostgreSQL database was made for.
func TestBothEnginesSortAndFindAlike(t *testing.T) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{})
			for i, text := range texts {
				sqldbtest.Exec(t, db, `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, 0, 0)`, fmt.Sprint(i), text, fmt.Sprint(i))
			}
			var sorted []string
			if err := db.Select(t.Context(), &sorted, `SELECT name FROM organizations ORDER BY name`); err != nil {
				t.Fatal(err)
			}
			if want := slices.Sorted(slices.Values(texts)); !slices.Equal(sorted, want) {
				t.Errorf("sorted are %q, want %q", sorted, want)
			}
			for term, want := range map[string][]string{
				"über": {"ÜBER", "Über", "über"}, "ÜB": {"ÜBER", "Über", "über"}, "zed": {"Zed"}, "ß": {"straße"}, "κόσμοσ": {"ΚΌΣΜΟΣ", "Κόσμος"},
				"Жук": {"ЖУК", "жук"}, "%": {"100%"}, "_": {"B_1", "_x", "a_b"}, `\`: {`a\b`}, "É": {"É", "é"}, "i": nil, "": sorted,
			} {
				var found, args = []string(nil), []any(nil)
				where := sqldb.Contains("name", term, func(v any) string { args = append(args, v); return fmt.Sprint("$", len(args)) })
				if err := db.Select(t.Context(), &found, `SELECT name FROM organizations WHERE `+where+` ORDER BY name`, args...); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(found, want) {
					t.Errorf("%q finds %q, want %q", term, found, want)
				}
			}
		})
	}
}

// TestNoColumnIsSortedByALanguage: on PostgreSQL all text is sorted by its bytes, in tables of later steps too.
func TestNoColumnIsSortedByALanguage(t *testing.T) {
	db := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{})
	var columns []string
	err := db.Select(t.Context(), &columns, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND data_type = 'text' AND coalesce(collation_name, '') <> 'C' ORDER BY 1`)
	if err != nil || len(columns) > 0 {
		t.Errorf("%s: %v", strings.Join(columns, " "), err)
	}
}
