// Package sqldbtest gives tests fresh, migrated databases of each engine. It does not hold tests itself.
package sqldbtest

import (
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/internal/sqldb"
)

// Each runs fn once an engine, as subtests named after it, each with an empty database of its own.
func Each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite} {
		t.Run(string(engine), func(t *testing.T) { fn(t, Open(t, engine)) })
	}
}

// Open returns an empty database with the current schema that is closed and removed when t ends.
func Open(t testing.TB, engine sqldb.Engine) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Options{URL: URL(t, engine)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// URL returns the URL of a database that is removed when t ends, for tests that open it themselves, perhaps several times.
func URL(t testing.TB, engine sqldb.Engine) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}
