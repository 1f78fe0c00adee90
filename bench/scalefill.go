package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Sorts of made-up ids: one of a sort tells nothing about one of another.
const (
	tokenID = iota + 1
	identityID
	membershipID
	roleID
	eventID
)

// scatter spreads the numbers 1, 2, 3, ... over the last 48 bits of an id.
const scatter = 2_654_435_761

// madeUp is the i-th id of a sort. It grows with i, as those of the server do with time.
func madeUp(sort int, i int64) string {
	return fmt.Sprintf("%08x-%04x-7%03x-8000-%012x", i/65536, i%65536, sort, i*scatter%(1<<48))
}

// madeUp is madeUp of an SQL expression, as SQL.
func (st *store) madeUp(sort int, i string) string {
	if st.pg == nil {
		return fmt.Sprintf(`printf('%%08x-%%04x-7%03x-8000-%%012x', (%[2]s) / 65536, (%[2]s) %% 65536, (%[2]s) * %d %% %d)`, sort, i, scatter, int64(1)<<48)
	}
	hex := func(digits int, value string) string { return fmt.Sprintf(`lpad(to_hex(%s), %d, '0')`, value, digits) }
	return fmt.Sprintf(`%s || '-' || %s || '-7%03x-8000-' || %s`, hex(8, "("+i+") / 65536"), hex(4, "("+i+") % 65536"), sort,
		hex(12, fmt.Sprintf("(%s) * %d %% %d", i, scatter, int64(1)<<48)))
}

// filling is an INSERT of rows, one for each number.
type filling struct {
	table   string
	columns string
	values  string // SQL over the number i, which counts from 1 to $rows; $now is the time in milliseconds
	rows    int64
	anew    string // an index that the rows do not come in the order of: it is made anew, which sorts once; may be empty
	after   string // a statement for when the rows are there; may be empty
}

// statement is the INSERT. The numbers stand in it, since PostgreSQL refuses an argument that is not used.
func (f filling) statement(now int64) string {
	values := strings.NewReplacer("$rows", fmt.Sprint(f.rows), "$now", fmt.Sprint(now)).Replace(f.values)
	return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO %s (%s) SELECT %s FROM n`, f.rows, f.table, f.columns, values)
}

// fillBeside stops the server and writes rows into its database.
func (at *stage) fillBeside(all ...filling) error {
	if err := at.s.stop(); err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	return at.hastily(at.s, func(e *engine) error {
		for _, f := range all {
			if err := at.insert(e, f, now); err != nil {
				return fmt.Errorf("cannot fill %s: %w", f.table, err)
			}
		}
		return at.noteSize(e)
	})
}

// noteSize notes how large the database is, in MB (10^6 bytes).
func (at *stage) noteSize(e *engine) error {
	query := `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`
	if at.pg != nil {
		query = `SELECT pg_database_size(current_database())`
	}
	var size int64
	err := e.conn.QueryRowContext(at.ctx, query).Scan(&size)
	at.note("the database on disk", "MB", float64(size)/1e6)
	return err
}

// insert writes rows, and makes the index anew that is to be.
func (at *stage) insert(e *engine, f filling, now int64) error {
	texts := []string{f.statement(now)}
	if f.anew != "" {
		catalogue := `SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = '%s'`
		if at.pg != nil {
			catalogue = `SELECT indexdef FROM pg_indexes WHERE indexname = '%s'`
		}
		found, err := e.rows(at.ctx, fmt.Sprintf(catalogue, f.anew))
		if err != nil {
			return err
		}
		texts = []string{"DROP INDEX " + f.anew, f.statement(now), fmt.Sprint(found[0][0])}
	}
	if f.after != "" {
		texts = append(texts, f.after)
	}
	for _, text := range texts {
		if err := e.exec(at.ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// databaseName is the name in a URL of PostgreSQL.
func databaseName(at string) (string, error) {
	u, err := url.Parse(at)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(u.Path, "/"), nil
}
