// Package sqldbtest gives tests fresh, migrated databases of each engine: SQLite files, and databases of a private
// PostgreSQL server that it starts for the test run. It does not decide what is tested.
package sqldbtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Each runs fn once an engine, as subtests "sqlite" and "postgres", each with an empty database of its own. A machine
// without PostgreSQL fails the test.
func Each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) { fn(t, Open(t, engine)) })
	}
}

// Open returns an empty database with the current schema. It is closed and removed when t ends.
func Open(t testing.TB, engine sqldb.Engine) *sqldb.DB {
	t.Helper()
	return OpenWith(t, engine, sqldb.Options{})
}

// OpenWith is Open with a clock or a logger. It fills in the URL if there is none; warnings go to t's output.
func OpenWith(t testing.TB, engine sqldb.Engine, o sqldb.Options) *sqldb.DB {
	t.Helper()
	if o.URL == "" {
		o.URL = URL(t, engine)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	db, err := sqldb.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	return db
}

// URL returns the URL of a database that does not exist elsewhere and is removed when t ends, for tests that open it
// themselves, perhaps several times or in another process. It is migrated already.
func URL(t testing.TB, engine sqldb.Engine) string {
	t.Helper()
	if engine == sqldb.Postgres {
		return postgresURL(t)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := NewFile(path); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// NewFile makes a SQLite file with the current schema and nothing else.
func NewFile(path string) error {
	content, err := migrated()
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// migrated returns the content of such a file. Migrating is slow under the race detector, and so done once a test binary.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sallyport-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	db, err := sqldb.Open(context.Background(), sqldb.Options{URL: "sqlite:" + path})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Exec runs a statement in a transaction of its own, past every rule of the features.
func Exec(t testing.TB, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Enroll makes an identity, or a user, a member of an organization without rights, past every rule of the features.
func Enroll(t testing.TB, db *sqldb.DB, orgID, actorID string) {
	t.Helper()
	Exec(t, db, `INSERT INTO memberships (id, scope, org_id, identity_id, user_id, active, created_at, updated_at) VALUES ($1, 'organization', $2,
		(SELECT id FROM identities WHERE id = $1), (SELECT id FROM users WHERE id = $1), TRUE, 0, 0)`, actorID, orgID)
	Exec(t, db, `INSERT INTO membership_roles (id, membership_id, role, temporary, created_at, updated_at) VALUES ($1, $1, 'no-access', FALSE, 0, 0)`, actorID)
}
