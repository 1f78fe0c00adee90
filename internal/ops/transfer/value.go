package transfer

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// row is one row: nil, string, int64, bool or []byte for each column.
type row []any

// scan reads the current row, each value in the form of its column whatever the engine's driver made of it.
func (t table) scan(rows *sql.Rows) (row, error) {
	r, pointers := make(row, len(t.columns)), make([]any, len(t.columns))
	for i := range r {
		pointers[i] = &r[i]
	}
	if err := rows.Scan(pointers...); err != nil {
		return nil, err
	}
	for i, c := range t.columns {
		v, ok := c.kind.value(r[i])
		if !ok {
			return nil, fmt.Errorf("table %s has a row with the key %s whose column %s is not a %s that PostgreSQL can hold; correct it in the source first",
				t.name, t.keyText(r), c.name, c.kind)
		}
		r[i] = v
	}
	return r, nil
}

// value returns v in the form of its kind. PostgreSQL's text is UTF-8 without the character zero.
func (k kind) value(v any) (any, bool) {
	if v == nil {
		return nil, true
	}
	switch k {
	case kindText:
		s, ok := v.(string)
		return s, ok && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
	case kindInteger:
		n, ok := v.(int64)
		return n, ok
	case kindBoolean:
		if n, ok := v.(int64); ok && (n == 0 || n == 1) { // how SQLite keeps it
			return n == 1, true
		}
		b, ok := v.(bool)
		return b, ok
	}
	b, ok := v.([]byte)
	if b == nil {
		b = []byte{} // empty is not NULL
	}
	return b, ok
}

// size returns about how many bytes the row takes in memory.
func (r row) size() (n int) {
	for _, v := range r {
		n += 24
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// encode appends the row to b, so that no two different lists of rows come to the same bytes.
func (r row) encode(b []byte) []byte {
	for _, v := range r {
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case string:
			b = append(binary.AppendUvarint(append(b, 't'), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, 'x'), uint64(len(v))), v...)
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v)) //nolint:gosec // the bits, not the number
		case bool:
			b = strconv.AppendBool(append(b, 'b'), v)
		}
	}
	return b
}

// keyText returns the key of a row as the JSON list that progress is kept in.
func (t table) keyText(r row) string {
	key := make([]any, len(t.key))
	for i, k := range t.key {
		key[i] = r[k]
	}
	text, err := json.Marshal(key)
	if err != nil {
		return err.Error() // cannot happen: all are strings, numbers and the like
	}
	return string(text)
}

// parseKey is the other way of keyText.
func (t table) parseKey(text string) ([]any, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal([]byte(text), &parts); err != nil || len(parts) != len(t.key) {
		return nil, fmt.Errorf("the progress of table %s on the target cannot be read: %q", t.name, text)
	}
	key := make([]any, len(parts))
	for i, k := range t.key {
		var err error
		switch t.columns[k].kind {
		case kindText:
			key[i], err = parse[string](parts[i])
		case kindInteger:
			key[i], err = parse[int64](parts[i])
		case kindBoolean:
			key[i], err = parse[bool](parts[i])
		case kindBytes:
			key[i], err = parse[[]byte](parts[i])
		}
		if err != nil {
			return nil, fmt.Errorf("the progress of table %s on the target cannot be read: %w", t.name, err)
		}
	}
	return key, nil
}

func parse[T any](text []byte) (any, error) {
	var v T
	err := json.Unmarshal(text, &v)
	return v, err
}
