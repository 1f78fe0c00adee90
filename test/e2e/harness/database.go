package harness

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Exec changes the database behind the server's back.
func (s *Server) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := s.DB.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Count returns the one number that a query answers.
func (s *Server) Count(t testing.TB, query string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := s.DB.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Break makes every write of a kind to a table fail, as a full disk or a damaged page would, until mend is called or
// the test ends. The event is one of INSERT, UPDATE and DELETE.
func (s *Server) Break(t testing.TB, table, event string) (mend func()) {
	t.Helper()
	name := fmt.Sprintf("broken_%s_%s", table, event)
	s.Exec(t, fmt.Sprintf(`CREATE TRIGGER %s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END`, name, event, table))
	mend = func() { s.Exec(t, `DROP TRIGGER IF EXISTS `+name) }
	t.Cleanup(mend)
	return mend
}

// Lock keeps the server from writing until unlock is called, as another process with the file open could.
func (s *Server) Lock(t testing.TB) (unlock func()) {
	t.Helper()
	conn, err := s.DB.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		_, err := conn.ExecContext(t.Context(), `ROLLBACK`)
		if err := errors.Join(err, conn.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// uncounted are the columns that change without anybody changing anything: uses are written some time later.
var uncounted = map[string][]string{
	"access_tokens": {"uses", "last_used_at"}, "client_secrets": {"uses", "last_used_at"},
	"memberships": {"last_login_method", "last_login_at"}, "user_sessions": {"last_used_at"},
}

// unwatched are the tables that change by themselves or by what is refused: the log, what replicas tell each other, and
// failed logins.
var unwatched = []string{"audit_logs", "audit_head", "replicas", "lockouts"}

// Snapshot returns the content of each table, but for what changes without anybody changing anything.
func (s *Server) Snapshot(t testing.TB) map[string][]string {
	t.Helper()
	content := map[string][]string{}
	for _, table := range s.tables(t) {
		if !slices.Contains(unwatched, table) {
			content[table] = s.Rows(t, table)
		}
	}
	return content
}

// Rows returns the rows of a table as text, sorted.
func (s *Server) Rows(t testing.TB, table string) []string {
	t.Helper()
	rows, err := s.DB.Query(`SELECT * FROM ` + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		found = append(found, line(t, rows, uncounted[table]))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// line returns a row as text, without some columns.
func line(t testing.TB, rows *sql.Rows, without []string) string {
	t.Helper()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	if err := rows.Scan(pointers...); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i, column := range columns {
		if slices.Contains(without, column) {
			continue
		}
		if sealed, ok := values[i].([]byte); ok { // number by number, a megabyte would take seconds
			values[i] = string(sealed)
		}
		fmt.Fprintf(&text, "%s=%v ", column, values[i])
	}
	return text.String()
}
