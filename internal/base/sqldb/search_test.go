package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// texts are names that the rules of languages sort and fold in other ways than bytes.
var texts = []string{"Zed", "apple", "b-1", "B_1", "Über", "über", "ÜBER", "STRASSE", "straße", "100%", "a_b", `a\b`, "Κόσμος", "ΚΌΣΜΟΣ", "ЖУК", "жук", "İ", "ı", "_x", "Å", "é", "É", "e\u0301"}

// TestBothEnginesSortAndFindAlike: the order of text and what a search finds do not depend on the engine, nor on the
// language that a PostgreSQL database was made for.
func TestBothEnginesSortAndFindAlike(t *testing.T) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{})
			for i, text := range texts {
				sqldbtest.Exec(t, db, `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, 0, 0)`, fmt.Sprint(i), text, fmt.Sprint(i))
			}
			var sorted []string
			if err := db.Select(t.Context(), &sorted, `SELECT name FROM organizations ORDER BY name`); err != nil {
				t.Fatal(err)
			}
			if want := slices.Sorted(slices.Values(texts)); !slices.Equal(sorted, want) {
				t.Errorf("sorted are %q, want %q", sorted, want)
			}
			for term, want := range map[string][]string{
				"über": {"ÜBER", "Über", "über"}, "ÜB": {"ÜBER", "Über", "über"}, "zed": {"Zed"}, "ß": {"straße"}, "κόσμοσ": {"ΚΌΣΜΟΣ", "Κόσμος"},
				"Жук": {"ЖУК", "жук"}, "%": {"100%"}, "_": {"B_1", "_x", "a_b"}, `\`: {`a\b`}, "É": {"É", "é"}, "i": nil, "": sorted,
			} {
				var found, args = []string(nil), []any(nil)
				where := sqldb.Contains("name", term, func(v any) string { args = append(args, v); return fmt.Sprint("$", len(args)) })
				if err := db.Select(t.Context(), &found, `SELECT name FROM organizations WHERE `+where+` ORDER BY name`, args...); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(found, want) {
					t.Errorf("%q finds %q, want %q", term, found, want)
				}
			}
		})
	}
}

// TestNoColumnIsSortedByALanguage: on PostgreSQL all text is sorted by its bytes, in tables of later steps too.
func TestNoColumnIsSortedByALanguage(t *testing.T) {
	db := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{})
	var columns []string
	err := db.Select(t.Context(), &columns, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND data_type = 'text' AND coalesce(collation_name, '') <> 'C' ORDER BY 1`)
	if err != nil || len(columns) > 0 {
		t.Errorf("%s: %v", strings.Join(columns, " "), err)
	}
}

// counting takes longer than any test waits.
const counting = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT count(*) FROM n`

func TestASearchEndsInTime(t *testing.T) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{SearchTime: time.Second}) // enough to connect again
			var n int64
			for name, read := range map[string]func(ctx context.Context) error{
				"a statement": func(ctx context.Context) error { return db.Get(ctx, &n, counting) },
				"a snapshot": func(ctx context.Context) error {
					return db.Read(ctx, func(tx *sqldb.Tx) error { return tx.Get(ctx, &n, counting) })
				},
			} {
				t.Run("refused/"+name, func(t *testing.T) {
					if err := db.Search(t.Context(), "x", read); !fault.Is(err, fault.BadRequest) {
						t.Errorf("got %v", err)
					}
				})
			}
			t.Run("accepted/then", func(t *testing.T) {
				err := db.Search(t.Context(), "x", func(ctx context.Context) error { return db.Get(ctx, &n, `SELECT 1`) })
				if err != nil || n != 1 {
					t.Errorf("got %d, %v", n, err)
				}
			})
		})
	}
}

// TestASearchKeepsItsError: only its own time makes another one of it.
func TestASearchKeepsItsError(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	own := errors.New("on purpose")
	if err := db.Search(t.Context(), "x", func(context.Context) error { return own }); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Search(ctx, "x", func(ctx context.Context) error {
		cancel()
		var n int64
		return db.Get(ctx, &n, counting)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestSearchesLeaveConnections: with as many searches as may run, each with a snapshot, others read at once.
func TestSearchesLeaveConnections(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		inside, done := make(chan struct{}), make(chan struct{})
		ended := make(chan error, 64)
		for i := range cap(ended) {
			go func() {
				ended <- db.Search(t.Context(), fmt.Sprint(i), func(ctx context.Context) error {
					return db.Read(ctx, func(tx *sqldb.Tx) error {
						select {
						case inside <- struct{}{}:
						case <-done:
						}
						<-done
						return nil
					})
				})
			}()
		}
		for range db.Stats().Pool.MaxOpenConnections / 2 {
			<-inside
		}
		var n int64
		err := db.Get(t.Context(), &n, `SELECT 1`)
		close(done)
		for range cap(ended) {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
}
