package sqldb_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

func TestCheckPlaceholders(t *testing.T) {
	for name, query := range map[string]string{
		"accepted/none":               "SELECT 1",
		"accepted/in order":           "SELECT $1, $2, $3",
		"accepted/used again":         "SELECT $1, $2, $1, $3, $2",
		"accepted/in a string":        "SELECT '$9 it''s ?', $1",
		"accepted/in an identifier":   `SELECT "$2" FROM t WHERE a = $1`,
		"accepted/in a line comment":  "SELECT $1 -- then $7?\n, $2",
		"accepted/in a block comment": "SELECT $1 /* $7 ? */, $2",
		"accepted/ten and more":       "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
		"accepted/end of the text":    "SELECT 1 -- $2",
		"refused/starts late":         "SELECT $2",
		"refused/out of order":        "SELECT $2, $1",
		"refused/gap":                 "SELECT $1, $3",
		"refused/zero":                "SELECT $0",
		"refused/leading zero":        "SELECT $01",
		"refused/no number":           "SELECT $",
		"refused/name":                "SELECT $name",
		"refused/number and name":     "SELECT $1a",
		"refused/dollar quotes":       "SELECT $$text$$",
		"refused/question mark":       "SELECT ?",
		"refused/after a string":      "SELECT 'a', $2",
	} {
		t.Run(name, func(t *testing.T) {
			err := sqldb.CheckPlaceholders(query)
			if accepted := err == nil; accepted != strings.HasPrefix(name, "accepted") {
				t.Errorf("%s: %v", query, err)
			}
		})
	}
}

func FuzzCheckPlaceholders(f *testing.F) {
	f.Add("SELECT $1, '$2', /* $3 */ \"$4\" -- $5\n, $2")
	f.Add("SELECT '")
	f.Fuzz(func(t *testing.T, query string) {
		if sqldb.CheckPlaceholders(query) == nil && sqldb.CheckPlaceholders(query+"\n*/'\" */") != nil {
			t.Errorf("text without placeholders made %q unacceptable", query)
		}
	})
}

// TestQueriesAreChecked shows that no way to run a query goes round the rules, on either engine.
func TestQueriesAreChecked(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		var n int64
		var all []int64
		ways := map[string]func(query string, args ...any) error{
			"Get":    func(q string, a ...any) error { return db.Get(ctx, &n, q, a...) },
			"Select": func(q string, a ...any) error { return db.Select(ctx, &all, q, a...) },
			"Query":  func(q string, a ...any) error { _, err := db.Query(ctx, q, a...); return err },
			"Row":    func(q string, a ...any) error { return db.QueryRow(ctx, q, a...).Scan(&n) },
			"Tx.Get": func(q string, a ...any) error {
				return db.Read(ctx, func(tx *sqldb.Tx) error { return tx.Get(ctx, &n, q, a...) })
			},
			"Tx.Select": func(q string, a ...any) error {
				return db.Read(ctx, func(tx *sqldb.Tx) error { return tx.Select(ctx, &all, q, a...) })
			},
			"Tx.Exec": func(q string, a ...any) error {
				return db.Write(ctx, func(tx *sqldb.Tx) error { _, err := tx.Exec(ctx, q, a...); return err })
			},
		}
		for name, run := range ways {
			t.Run(name+"/refused/out of order", func(t *testing.T) {
				err := run("SELECT seq FROM feed_head WHERE seq < $2 AND id = $1", "head", 5)
				if err == nil || !strings.Contains(err.Error(), "placeholder $2 where $1 is next") {
					t.Error(err)
				}
			})
			t.Run(name+"/refused/number of arguments", func(t *testing.T) {
				err := run("SELECT seq FROM feed_head WHERE id = $1", "head", "more")
				if err == nil || !strings.Contains(err.Error(), "takes 1 arguments, was given 2") {
					t.Error(err)
				}
			})
		}
	})
}

func TestPositional(t *testing.T) {
	for query, want := range map[string]struct {
		text  string
		order []int
	}{
		"SELECT 1":                         {"SELECT 1", nil},
		"SELECT $1, $2":                    {"SELECT ?, ?", []int{0, 1}},
		"SELECT $1, '$1', $2, $1":          {"SELECT ?, '$1', ?, ?", []int{0, 1, 0}},
		`SELECT "$2" -- $3` + "\n, $1, $1": {`SELECT "$2" -- $3` + "\n, ?, ?", []int{0, 0}},
	} {
		text, order, err := sqldb.Positional(query)
		if err != nil || text != want.text || !slices.Equal(order, want.order) {
			t.Errorf("%s became %s with %v, %v", query, text, order, err)
		}
	}
	if _, _, err := sqldb.Positional("SELECT $2"); err == nil {
		t.Error("accepted a placeholder out of order")
	}
}
