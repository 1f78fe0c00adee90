package harness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Watch has the database count every change of a row from now on, as Changes tells them. It is for tests that look so
// often that reading everything again would take too long.
func (s *Server) Watch(t testing.TB) {
	t.Helper()
	s.Exec(t, `CREATE TABLE watched (name TEXT PRIMARY KEY, n BIGINT NOT NULL)`)
	for _, table := range s.tables(t) {
		if slices.Contains(unwatched, table) || table == "watched" {
			continue
		}
		s.Exec(t, `INSERT INTO watched VALUES (?, 0)`, table)
		for _, event := range []string{"INSERT", "DELETE", "UPDATE OF " + strings.Join(s.columns(t, table), ", ")} {
			verb, _, _ := strings.Cut(event, " ")
			s.Exec(t, fmt.Sprintf(`CREATE TRIGGER watch_%s_%s AFTER %s ON %s BEGIN UPDATE watched SET n = n + 1 WHERE name = '%s'; END`,
				table, verb, event, table, table))
		}
	}
}

// Changes returns how many rows of each table were changed since Watch, but for what changes without anybody changing
// anything: a line a table that was changed at all.
func (s *Server) Changes(t testing.TB) string {
	t.Helper()
	var changes string
	err := s.DB.QueryRow(`SELECT coalesce(group_concat(name || ' ' || n, char(10)), '') FROM watched WHERE n > 0`).Scan(&changes)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// columns returns the columns of a table that count.
func (s *Server) columns(t testing.TB, table string) []string {
	t.Helper()
	var all string
	if err := s.DB.QueryRow(`SELECT group_concat(name) FROM pragma_table_info(?)`, table).Scan(&all); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(all, ","), func(column string) bool { return slices.Contains(uncounted[table], column) })
}

// tables returns the names of all tables.
func (s *Server) tables(t testing.TB) []string {
	t.Helper()
	var all string
	err := s.DB.QueryRow(`SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(all, ",")
}
