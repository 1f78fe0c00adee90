package sqldb_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// change is a change of three rows, about what revoking a token writes.
func change(ctx context.Context, n int64) func(*sqldb.Tx) error {
	key := strconv.FormatInt(n, 10)
	return func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO change_log (seq, kind, key, until, at) VALUES ($1, $2, $3, $4, $5)",
			n, "token", key, 0, 0); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			key, key, "", "", "", false, 0, 0); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE feed_head SET seq = $1 WHERE id = $2", n, "head")
		return err
	}
}

// BenchmarkCommit measures durable commits of a change of three rows, one caller and sixteen.
func BenchmarkCommit(b *testing.B) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		for _, callers := range []int{1, 16} {
			b.Run(string(engine)+"/callers="+strconv.Itoa(callers), func(b *testing.B) {
				db := sqldbtest.Open(b, engine)
				var n atomic.Int64
				before := db.Stats()
				parallel(b, callers, func(ctx context.Context) error {
					return db.WriteGrouped(ctx, change(ctx, n.Add(1)))
				})
				after := db.Stats()
				b.ReportMetric(float64(after.Grouped-before.Grouped)/float64(after.Commits-before.Commits), "functions/commit")
			})
		}
	}
}

// parallel runs b.N calls of fn, by so many callers at a time.
func parallel(b *testing.B, callers int, fn func(context.Context) error) {
	ctx := b.Context()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			var err error
			for err == nil && left.Add(-1) >= 0 {
				err = fn(ctx)
			}
			done <- err
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

type identity struct {
	ID        string  `db:"id"`
	OrgID     string  `db:"org_id"`
	ProjectID *string `db:"project_id"`
	Name      string  `db:"name"`
	Protected bool    `db:"delete_protection"`
	CreatedAt int64   `db:"created_at"`
	UpdatedAt int64   `db:"updated_at"`
}

// BenchmarkRead compares reading one row of seven columns by reflection with reading it by hand.
func BenchmarkRead(b *testing.B) {
	const text = "SELECT id, org_id, project_id, name, delete_protection, created_at, updated_at FROM identities WHERE id = $1"
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		db := sqldbtest.Open(b, engine)
		ctx := b.Context()
		if err := db.Write(ctx, func(tx *sqldb.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)", "o", "o", "o", 1, 1); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)", "i", "o", "n", true, 1, 1)
			return err
		}); err != nil {
			b.Fatal(err)
		}
		b.Run(string(engine)+"/Get", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var i identity
				if err := db.Get(ctx, &i, text, "i"); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(engine)+"/QueryRow", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var i identity
				err := db.QueryRow(ctx, text, "i").Scan(&i.ID, &i.OrgID, &i.ProjectID, &i.Name, &i.Protected, &i.CreatedAt, &i.UpdatedAt)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
