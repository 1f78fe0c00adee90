package sqldb

import (
	"context"
	"io/fs"
	"regexp"
	"slices"
)

// unsorted finds the columns of our tables that PostgreSQL would sort and fold by the rules of a language, a statement for
// each table. SQLite knows bytes alone, and so does "C": with it both engines order text alike, and lower alters ASCII alone.
const unsorted = `SELECT format('ALTER TABLE %I %s', c.relname, string_agg(format('ALTER COLUMN %I TYPE TEXT COLLATE "C"', a.attname), ', ' ORDER BY a.attnum))
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
	AND c.relname = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'text'::regtype
	AND a.attcollation <> (SELECT l.oid FROM pg_collation l WHERE l.collname = 'C' AND l.collnamespace = 'pg_catalog'::regnamespace)
	GROUP BY c.relname ORDER BY c.relname`

// unsorted returns the statements that have text sorted by its bytes; none where it is.
func (s *pgStore) unsorted(ctx context.Context) ([]string, error) {
	tables, err := ownTables()
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, unsorted, tables)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var statements []string
	for rows.Next() {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			return nil, err
		}
		statements = append(statements, statement)
	}
	return statements, rows.Err()
}

// sort has text sorted by its bytes, all columns or none.
func (s *pgStore) sort(ctx context.Context) error {
	statements, err := s.unsorted(ctx)
	if err != nil || len(statements) == 0 {
		return err
	}
	tx, err := s.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

var tableNamed = regexp.MustCompile(`(?:CREATE TABLE|RENAME TO) (\w+)`)

// ownTables returns the names of all tables that the schema ever had. Others in the same schema are not ours to change.
func ownTables() (names []string, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	for _, file := range files {
		text, failed := migrations.ReadFile(file)
		if failed != nil {
			return nil, failed
		}
		for _, found := range tableNamed.FindAllSubmatch(text, -1) {
			names = append(names, string(found[1]))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), err
}
