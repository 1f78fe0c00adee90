package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
)

// Sum is what a table holds, in short.
type Sum struct {
	Table  string
	Rows   int64
	SHA256 string // over all columns of all rows as they lie in the file, in hex
}

// querier is a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// sums reads every table of a SQLite database but those that a backup adds to.
func sums(ctx context.Context, q querier) ([]Sum, error) {
	names, err := column[string](ctx, q, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'
		AND name NOT IN ('moves', 'backup_contents') ORDER BY name`)
	if err != nil {
		return nil, err
	}
	var found []Sum
	for _, name := range names {
		s, err := sumTable(ctx, q, name)
		if err != nil {
			return nil, fmt.Errorf("the table %s cannot be read: %w", name, err)
		}
		found = append(found, s)
	}
	return found, nil
}

func sumTable(ctx context.Context, q querier, name string) (Sum, error) {
	rows, err := q.QueryContext(ctx, `SELECT * FROM "`+name+`" ORDER BY rowid`)
	if err != nil {
		return Sum{}, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return Sum{}, err
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	h, n := sha256.New(), int64(0)
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return Sum{}, err
		}
		for _, v := range values {
			add(h, v)
		}
		n++
	}
	return Sum{name, n, hex.EncodeToString(h.Sum(nil))}, rows.Err()
}

// add hashes a value with its type and length, so that no two rows look alike.
func add(h hash.Hash, v any) {
	var text []byte
	switch v := v.(type) {
	case []byte:
		text = v
	case string:
		text = []byte(v)
	default:
		text = fmt.Append(nil, v)
	}
	head := binary.BigEndian.AppendUint64(fmt.Appendf(nil, "%T", v), uint64(len(text)))
	_, _ = h.Write(append(head, text...)) // a hash takes everything
}

// column returns the first column of what a query finds.
func column[T any](ctx context.Context, q querier, query string, args ...any) (found []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return found, rows.Err()
}
