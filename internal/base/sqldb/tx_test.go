package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// add returns a function that adds organizations.
func add(ctx context.Context, ids ...string) func(*sqldb.Tx) error {
	return func(tx *sqldb.Tx) error {
		for _, id := range ids {
			_, err := tx.Exec(ctx, "INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)",
				id, "name of "+id, id, tx.Now().UnixMilli(), tx.Now().UnixMilli())
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// expect fails t unless exactly these organizations are in the database.
func expect(t *testing.T, db *sqldb.DB, want ...string) {
	t.Helper()
	got := []string{}
	if err := db.Select(context.Background(), &got, "SELECT id FROM organizations ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("organizations (-want +got):\n%s", diff)
	}
}

// empty removes all organizations.
func empty(t *testing.T, db *sqldb.DB) {
	t.Helper()
	if err := db.Write(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(context.Background(), "DELETE FROM organizations")
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// writes are the two ways to write.
func writes(db *sqldb.DB) map[string]func(context.Context, func(*sqldb.Tx) error) error {
	return map[string]func(context.Context, func(*sqldb.Tx) error) error{"Write": db.Write, "WriteGrouped": db.WriteGrouped}
}

// eachWrite runs fn for both engines and both ways to write, with an empty database each.
func eachWrite(t *testing.T, fn func(t *testing.T, db *sqldb.DB, write func(context.Context, func(*sqldb.Tx) error) error)) {
	for _, way := range []string{"Write", "WriteGrouped"} {
		t.Run(way, func(t *testing.T) {
			sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { fn(t, db, writes(db)[way]) })
		})
	}
}

type organization struct {
	ID        string `db:"id"`
	Name      string `db:"name"`
	CreatedAt int64  `db:"created_at"`
}

func TestReading(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		if err := db.Write(ctx, add(ctx, "a", "b")); err != nil {
			t.Fatal(err)
		}
		var one organization
		const text = "SELECT id, name, created_at FROM organizations WHERE id = $1"
		if err := db.Get(ctx, &one, text, "b"); err != nil || one.Name != "name of b" {
			t.Errorf("Get: %+v, %v", one, err)
		}
		if err := db.Get(ctx, &one, text, "c"); !errors.Is(err, sqldb.ErrNoRows) {
			t.Errorf("Get of nothing: %v", err)
		}
		if err := db.Get(ctx, &one, "SELECT id, name, created_at FROM organizations"); err == nil || errors.Is(err, sqldb.ErrNoRows) {
			t.Errorf("Get of two rows: %v", err)
		}
		if err := db.QueryRow(ctx, "SELECT name FROM organizations WHERE id = $1", "c").Scan(&one.Name); !errors.Is(err, sqldb.ErrNoRows) {
			t.Errorf("QueryRow of nothing: %v", err)
		}
		var all []organization
		if err := db.Select(ctx, &all, "SELECT id, name, created_at FROM organizations ORDER BY id DESC"); err != nil || len(all) != 2 || all[0].ID != "b" {
			t.Errorf("Select: %+v, %v", all, err)
		}
		if err := db.Select(ctx, &all, "SELECT no_such_column FROM organizations"); err == nil {
			t.Error("Select of a column that does not exist succeeded")
		}
	})
}

// TestEveryConnectionReads: each connection is held by a reader when these meet a text that nobody has prepared. None may
// wait for another connection.
func TestEveryConnectionReads(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	connections := db.Stats().Pool.MaxOpenConnections
	if connections < 2 {
		t.Fatalf("%d connections read; want more", connections)
	}
	var inside, done sync.WaitGroup
	inside.Add(connections)
	for range connections {
		done.Go(func() {
			err := db.Read(ctx, func(tx *sqldb.Tx) error {
				inside.Done()
				inside.Wait()
				var n int64
				return tx.Get(ctx, &n, `SELECT COUNT(*) + 42 FROM instance`)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

func TestReadIsOneSnapshot(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		var before, after, outside int
		err := db.Read(ctx, func(tx *sqldb.Tx) error {
			const text = "SELECT COUNT(*) FROM organizations"
			return errors.Join(
				tx.Get(ctx, &before, text),
				db.Write(ctx, add(ctx, "a")),
				tx.Get(ctx, &after, text),
				db.Get(ctx, &outside, text))
		})
		if err != nil || before != 0 || after != 0 || outside != 1 {
			t.Errorf("before %d, after %d, outside %d: %v", before, after, outside, err)
		}
		if err := db.Read(ctx, add(ctx, "b")); err == nil {
			t.Error("a Read could write")
		}
		expect(t, db, "a")
	})
}

func TestWriteUndoesWhatFails(t *testing.T) {
	ctx := context.Background()
	mine := errors.New("mine")
	cases := map[string]struct {
		fn   func(*sqldb.Tx) error
		want func(error) bool
	}{
		"returned error": {
			func(tx *sqldb.Tx) error { return errors.Join(add(ctx, "x")(tx), mine) },
			func(err error) bool { return errors.Is(err, mine) },
		},
		"unique constraint": {
			add(ctx, "x", "x"),
			sqldb.IsUnique,
		},
		"swallowed failure of a statement": {
			func(tx *sqldb.Tx) error { _ = add(ctx, "x", "x")(tx); return nil },
			sqldb.IsUnique,
		},
		"statement after a failed one": {
			func(tx *sqldb.Tx) error { _ = add(ctx, "x", "x")(tx); return add(ctx, "y")(tx) },
			func(err error) bool { return sqldb.IsUnique(err) },
		},
		"broken statement": {
			func(tx *sqldb.Tx) error { _, err := tx.Exec(ctx, "INSERT INTO nowhere VALUES (1)"); return err },
			func(err error) bool { return err != nil && !sqldb.IsUnique(err) },
		},
		"foreign key": {
			func(tx *sqldb.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO instance_admins (identity_id) VALUES ($1)", "nobody")
				return err
			},
			func(err error) bool { return err != nil && !sqldb.IsUnique(err) },
		},
	}
	eachWrite(t, func(t *testing.T, db *sqldb.DB, write func(context.Context, func(*sqldb.Tx) error) error) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				empty(t, db)
				if err := write(ctx, add(ctx, "before")); err != nil {
					t.Fatal(err)
				}
				if err := write(ctx, c.fn); !c.want(err) {
					t.Errorf("got %v", err)
				}
				if err := write(ctx, add(ctx, "after")); err != nil {
					t.Error(err)
				}
				expect(t, db, "after", "before")
			})
		}
	})
}

func TestNoRowsIsNoFailure(t *testing.T) {
	eachWrite(t, func(t *testing.T, db *sqldb.DB, write func(context.Context, func(*sqldb.Tx) error) error) {
		ctx := t.Context()
		err := write(ctx, func(tx *sqldb.Tx) error {
			var name string
			if err := tx.Get(ctx, &name, "SELECT name FROM organizations WHERE id = $1", "a"); !errors.Is(err, sqldb.ErrNoRows) {
				return fmt.Errorf("got %w", err)
			}
			n, err := tx.Exec(ctx, "UPDATE organizations SET name = $1 WHERE id = $2", "x", "a")
			if n != 0 || err != nil {
				return fmt.Errorf("%d rows updated, %w", n, err)
			}
			return add(ctx, "a")(tx)
		})
		if err != nil {
			t.Error(err)
		}
		expect(t, db, "a")
	})
}

func TestPanicReachesItsCaller(t *testing.T) {
	eachWrite(t, func(t *testing.T, db *sqldb.DB, write func(context.Context, func(*sqldb.Tx) error) error) {
		ctx := t.Context()
		func() {
			defer func() {
				if p := recover(); p != "mine" {
					t.Errorf("recovered %v", p)
				}
			}()
			_ = write(ctx, func(tx *sqldb.Tx) error {
				_ = add(ctx, "x")(tx)
				panic("mine")
			})
		}()
		if err := write(ctx, add(ctx, "after")); err != nil {
			t.Error(err)
		}
		expect(t, db, "after")
	})
}

func TestNestedWriteIsRefused(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		for outer, first := range writes(db) {
			for inner, second := range writes(db) {
				err := first(ctx, func(tx *sqldb.Tx) error { return second(ctx, add(ctx, "x")) })
				if !errors.Is(err, sqldb.ErrNested) {
					t.Errorf("%s in %s: %v", inner, outer, err)
				}
			}
		}
		expect(t, db)
	})
}

func TestTxEndsWithItsFunction(t *testing.T) {
	eachWrite(t, func(t *testing.T, db *sqldb.DB, write func(context.Context, func(*sqldb.Tx) error) error) {
		ctx := t.Context()
		var kept *sqldb.Tx
		if err := write(ctx, func(tx *sqldb.Tx) error { kept = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := add(ctx, "x")(kept); err == nil {
			t.Error("a transaction could be used after its function had returned")
		}
		expect(t, db)
	})
}

func TestTransactionReadsTheClockOnce(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 678_900_000, time.FixedZone("east", 3600))
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			readings := 0
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{Now: func() time.Time { readings++; return at }})
			err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
				first, second := tx.Now(), tx.Now()
				if want := "2030-01-02T02:04:05.678Z"; first.Format(time.RFC3339Nano) != want || second != first {
					return fmt.Errorf("the time is %v, not %s", tx.Now(), want)
				}
				return nil
			})
			if err != nil || readings != 1 {
				t.Errorf("%d readings, %v", readings, err)
			}
		})
	}
}

func TestClosedDatabaseRefuses(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		if err := errors.Join(db.Close(), db.Close()); err != nil {
			t.Fatal(err)
		}
		var n int
		for name, err := range map[string]error{
			"Get":          db.Get(ctx, &n, "SELECT 1"),
			"QueryRow":     db.QueryRow(ctx, "SELECT 1").Scan(&n),
			"Read":         db.Read(ctx, func(*sqldb.Tx) error { return nil }),
			"Write":        db.Write(ctx, add(ctx, "x")),
			"WriteGrouped": db.WriteGrouped(ctx, add(ctx, "x")),
			"Writable":     db.Writable(ctx),
		} {
			if !errors.Is(err, sqldb.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestWritable(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if err := db.Writable(t.Context()); err != nil {
			t.Errorf("of a healthy database: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stuck, goOn := make(chan struct{}), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- db.WriteGrouped(context.Background(), func(*sqldb.Tx) error { close(stuck); <-goOn; return nil })
		}()
		<-stuck
		cancel()
		if err := db.Writable(ctx); err == nil {
			t.Error("of a database whose writer is stuck: no error")
		}
		close(goOn)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestContextDoneInside(t *testing.T) {
	eachWrite(t, func(t *testing.T, db *sqldb.DB, write func(context.Context, func(*sqldb.Tx) error) error) {
		ctx, cancel := context.WithCancel(t.Context())
		err := write(ctx, func(tx *sqldb.Tx) error {
			err := add(ctx, "x")(tx)
			cancel()
			return errors.Join(err, add(ctx, "y")(tx))
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("inside: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		err = write(ctx, func(tx *sqldb.Tx) error {
			defer cancel()
			return add(ctx, "a")(tx)
		})
		if err != nil {
			t.Errorf("after the last statement: %v", err)
		}
		expect(t, db, "a")
	})
}

// TestSQLiteSettings shows that the settings that keep promises are in force.
func TestSQLiteSettings(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	ctx := t.Context()
	settings := func(get func(ctx context.Context, dst any, query string, args ...any) error) map[string]string {
		got := map[string]string{}
		for _, name := range []string{"journal_mode", "synchronous", "foreign_keys", "query_only", "busy_timeout"} {
			var value string
			if err := get(ctx, &value, "PRAGMA "+name); err != nil {
				t.Error(err)
			}
			got[name] = value
		}
		return got
	}
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "query_only": "0", "busy_timeout": "5000"}
	if err := db.Write(ctx, func(tx *sqldb.Tx) error {
		if diff := cmp.Diff(want, settings(tx.Get)); diff != "" {
			t.Errorf("writer (-want +got):\n%s", diff)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	want["query_only"] = "1"
	if diff := cmp.Diff(want, settings(db.Get)); diff != "" {
		t.Errorf("readers (-want +got):\n%s", diff)
	}
}

// TestManyTexts runs more query texts than are kept prepared.
func TestManyTexts(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		err := db.Write(ctx, func(tx *sqldb.Tx) error {
			for i := range 1100 {
				var inside, outside int
				text := fmt.Sprintf("SELECT %d + CAST($1 AS BIGINT)", i)
				if err := errors.Join(tx.Get(ctx, &inside, text, 1), db.Get(ctx, &outside, text, 1)); err != nil || inside != i+1 || outside != i+1 {
					return fmt.Errorf("text %d: %d and %d, %w", i, inside, outside, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
