package transfer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// leftOut are the tables that stay behind: what only says something about one database and the servers on it.
var leftOut = []string{"replicas", "moves", "sallyport_versions"}

// kind is a type of the schema; its name is the one that it has there.
type kind string

const (
	kindText    kind = "TEXT"
	kindInteger kind = "BIGINT"
	kindBoolean kind = "BOOLEAN"
	kindBytes   kind = "BYTEA"
)

type column struct {
	name string
	kind kind
}

// table is a table as the source's schema describes it, so that new columns come along by themselves.
type table struct {
	name    string
	columns []column
	key     []int // the primary key, as indices into columns
	parents []string
}

// tables returns the tables to move, each after those that it refers to.
func tables(ctx context.Context, db *sqldb.DB) ([]table, error) {
	var names []string
	err := db.Select(ctx, &names, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	var found []table
	for _, name := range names {
		if slices.Contains(leftOut, name) {
			continue
		}
		t, err := describe(ctx, db, name)
		if err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return order(found)
}

func describe(ctx context.Context, db *sqldb.DB, name string) (table, error) {
	t := table{name: name}
	var columns []struct {
		Name string `db:"name"`
		Kind string `db:"type"`
		Key  int    `db:"pk"` // its place in the primary key, from 1
	}
	if err := db.Select(ctx, &columns, `SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid`, name); err != nil {
		return t, err
	}
	places := map[int]int{}
	for i, c := range columns {
		switch kind(c.Kind) {
		case kindText, kindInteger, kindBoolean, kindBytes:
		default:
			return t, fmt.Errorf("column %s.%s has the type %s, which cannot be moved", name, c.Name, c.Kind)
		}
		t.columns = append(t.columns, column{c.Name, kind(c.Kind)})
		if c.Key > 0 {
			places[c.Key] = i
		}
	}
	for place := 1; place <= len(places); place++ {
		t.key = append(t.key, places[place])
	}
	if len(t.key) == 0 {
		return t, fmt.Errorf("table %s has no primary key, so it cannot be moved in steps", name)
	}
	return t, db.Select(ctx, &t.parents, `SELECT DISTINCT "table" FROM pragma_foreign_key_list($1) ORDER BY "table"`, name)
}

// order puts each table after those that it refers to. Tables that refer to themselves or in a ring cannot be copied
// row by row.
func order(unsorted []table) (sorted []table, err error) {
	placed := map[string]bool{}
	for len(unsorted) > 0 {
		ready := slices.IndexFunc(unsorted, func(t table) bool {
			return !slices.ContainsFunc(t.parents, func(parent string) bool { return !placed[parent] })
		})
		if ready < 0 {
			return nil, fmt.Errorf("table %s refers to itself, in a ring, or to a table that is not moved: %v", unsorted[0].name, unsorted[0].parents)
		}
		placed[unsorted[ready].name] = true
		sorted = append(sorted, unsorted[ready])
		unsorted = slices.Delete(unsorted, ready, ready+1)
	}
	return sorted, nil
}

// quote returns a name as SQL has it. Names come from our own schema.
func quote(name string) string { return `"` + name + `"` }

// list returns the names of the columns for SQL.
func (t table) list() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = quote(c.name)
	}
	return strings.Join(names, ", ")
}

// keyList returns the key for SQL, each column followed by suffix where it is text.
func (t table) keyList(suffix string) string {
	names := make([]string, len(t.key))
	for i, k := range t.key {
		names[i] = quote(t.columns[k].name)
		if t.columns[k].kind == kindText {
			names[i] += suffix
		}
	}
	return strings.Join(names, ", ")
}

// holders returns n placeholders.
func holders(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(list, ", ")
}
