package transfer_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/ops/transfer"
)

// everyTable lists the tables of the schema, by each engine's own catalogue.
var everyTable = map[sqldb.Engine]string{
	sqldb.SQLite:   `SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sqlite_sequence' ORDER BY name`,
	sqldb.Postgres: `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema()) ORDER BY relname`,
}

// TestEveryTableIsMovedOrLeftOut fails for a new table that nobody has thought of: one that cannot be moved, or one
// that stays behind without being on the list.
func TestEveryTableIsMovedOrLeftOut(t *testing.T) {
	moved, err := transfer.TableNames(t.Context(), sqldbtest.Open(t, sqldb.SQLite))
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(append(slices.Clone(moved), transfer.LeftOut...)))
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var have []string
		if err := db.Select(t.Context(), &have, everyTable[db.Engine()]); err != nil {
			t.Fatal(err)
		}
		slices.Sort(have) // engines differ in how they order names
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("moved or left out (-), in the schema (+):\n%s", diff)
		}
	})
}

func TestTablesComeAfterThoseTheyReferTo(t *testing.T) {
	moved, err := transfer.TableNames(t.Context(), sqldbtest.Open(t, sqldb.SQLite))
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{"organizations", "identities"}, {"identities", "memberships"}, {"custom_roles", "membership_roles"},
		{"memberships", "membership_roles"}, {"auth_configs", "client_secrets"}} {
		if slices.Index(moved, pair[0]) > slices.Index(moved, pair[1]) {
			t.Errorf("%s comes after %s", pair[0], pair[1])
		}
	}
}

func TestTablesRefuse(t *testing.T) {
	for name, c := range map[string]struct{ schema, word string }{
		"refused/ring":           {`CREATE TABLE odd (id TEXT PRIMARY KEY, parent TEXT REFERENCES odd (id))`, "refers to itself"},
		"refused/no primary key": {`CREATE TABLE odd (id TEXT)`, "no primary key"},
		"refused/unknown type":   {`CREATE TABLE odd (id TEXT PRIMARY KEY, size REAL)`, "odd.size has the type REAL"},
	} {
		t.Run(name, func(t *testing.T) {
			db := sqldbtest.Open(t, sqldb.SQLite)
			execute(t, db, c.schema)
			_, err := transfer.TableNames(t.Context(), db)
			mustSay(t, err, c.word)
		})
	}
}
