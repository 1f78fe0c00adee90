package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// What one transaction holds at most: so many rows, or, but for one row that is larger, so many bytes.
const (
	batchRows  = 1000
	batchBytes = 4 << 20
)

// copied is how far the copy of a table has come: a row of the table move_progress, written with each batch.
type copied struct {
	LastKey string `db:"last_key"` // see keyText; "" before the first row
	Rows    int64  `db:"rows_moved"`
	Done    bool   `db:"done"`
	begun   bool
}

// copy copies what is not copied yet.
func (m *move) copy(ctx context.Context) error {
	if err := m.expect(ctx); err != nil {
		return err
	}
	for _, t := range m.tables {
		at, err := m.progress(ctx, t)
		if err == nil && at.Done {
			m.tick(Progress{Step: Copying, Table: t.name, Rows: at.Rows, Done: true}, at.Rows)
			continue
		}
		if err == nil {
			m.all += at.Rows
			err = m.copyTable(ctx, t, at)
		}
		if err != nil {
			return fmt.Errorf("copying the table %s: %w", t.name, err)
		}
	}
	return nil
}

// expect begins a step: it counts the rows that will go through it.
func (m *move) expect(ctx context.Context) error {
	m.all, m.of = 0, 0
	for _, t := range m.tables {
		var n int64
		if err := m.Source.Get(ctx, &n, "SELECT count(*) FROM "+quote(t.name)); err != nil {
			return err
		}
		m.of += n
	}
	return nil
}

func (m *move) progress(ctx context.Context, t table) (copied, error) {
	var at copied
	err := m.Target.Get(ctx, &at, `SELECT last_key, rows_moved, done FROM move_progress WHERE name = $1`, t.name)
	if errors.Is(err, sqldb.ErrNoRows) {
		return copied{}, nil
	}
	at.begun = true
	return at, err
}

// copyTable reads the rest of a table in one go and writes it in batches.
func (m *move) copyTable(ctx context.Context, t table, at copied) error {
	query, args := "SELECT "+t.list()+" FROM "+quote(t.name), []any(nil)
	if at.LastKey != "" {
		key, err := t.parseKey(at.LastKey)
		if err != nil {
			return err
		}
		query, args = query+" WHERE ("+t.keyList("")+") > ("+holders(len(key))+")", key
	}
	rows, err := m.Source.Query(ctx, query+" ORDER BY "+t.keyList(""), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	batch, size := make([]row, 0, batchRows), 0
	for rows.Next() {
		r, err := t.scan(rows)
		if err != nil {
			return err
		}
		if len(batch) == batchRows || len(batch) > 0 && size+r.size() > batchBytes {
			if at, err = m.write(ctx, t, at, batch, false); err != nil {
				return err
			}
			batch, size = batch[:0], 0
		}
		batch, size = append(batch, r), size+r.size()
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = m.write(ctx, t, at, batch, true)
	return err
}

// write writes a batch, and in the same transaction how far the table has come. The first one of a table replaces what
// the schema put there.
func (m *move) write(ctx context.Context, t table, at copied, batch []row, last bool) (copied, error) {
	next := copied{at.LastKey, at.Rows + int64(len(batch)), last, true}
	if len(batch) > 0 {
		next.LastKey = t.keyText(batch[len(batch)-1])
	}
	err := m.Target.Write(ctx, func(tx *sqldb.Tx) error {
		if !at.begun {
			if _, err := tx.Exec(ctx, "DELETE FROM "+quote(t.name)); err != nil {
				return err
			}
		}
		if err := t.insert(ctx, tx, batch); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO move_progress (name, last_key, rows_moved, done) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET last_key = $2, rows_moved = $3, done = $4`, t.name, next.LastKey, next.Rows, next.Done)
		return err
	})
	if err != nil {
		return at, err
	}
	m.tick(Progress{Step: Copying, Table: t.name, Rows: next.Rows, Done: last}, int64(len(batch)))
	return next, nil
}

// insert hands over a batch as one array a column: the statement is the same whatever the number of rows.
func (t table) insert(ctx context.Context, tx *sqldb.Tx, batch []row) error {
	if len(batch) == 0 {
		return nil
	}
	arrays, casts := make([]any, len(t.columns)), ""
	for i, c := range t.columns {
		arrays[i] = c.kind.array(batch, i)
		if i > 0 {
			casts += ", "
		}
		casts += fmt.Sprintf("$%d::%s[]", i+1, c.kind)
	}
	_, err := tx.Exec(ctx, "INSERT INTO "+quote(t.name)+" ("+t.list()+") SELECT * FROM unnest("+casts+")", arrays...)
	return err
}

// array returns one column of a batch in a form that pgx sends as an array; nil is NULL.
func (k kind) array(batch []row, column int) any {
	switch k {
	case kindText:
		return pointers[string](batch, column)
	case kindInteger:
		return pointers[int64](batch, column)
	case kindBoolean:
		return pointers[bool](batch, column)
	}
	values := make([][]byte, len(batch))
	for i, r := range batch {
		values[i], _ = r[column].([]byte)
	}
	return values
}

func pointers[T any](batch []row, column int) []*T {
	values := make([]*T, len(batch))
	for i, r := range batch {
		if v, ok := r[column].(T); ok {
			values[i] = &v
		}
	}
	return values
}
