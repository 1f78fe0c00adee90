package sqldb_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// TestSecretsMoveIntoTheirRows: schema version 11 takes the versions in force into the rows of secrets, and leaves the
// older ones where they were.
func TestSecretsMoveIntoTheirRows(t *testing.T) {
	for engine, dialect := range map[sqldb.Engine]goose.Dialect{sqldb.SQLite: goose.DialectSQLite3, sqldb.Postgres: goose.DialectPostgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := atVersion(t, engine, dialect, 10,
				`INSERT INTO project_keys (id, project_id, organization_key_id, sealed, active, created_at) VALUES ('k', 'p', 'o', 'x', FALSE, 0)`,
				`INSERT INTO secrets (id, folder_id, key, version, created_at) VALUES ('a', 'f', 'A', 3, 1), ('b', 'f', 'B', 1, 2)`,
				`INSERT INTO secret_versions (secret_id, version, value, comment, metadata, tags, skip_multiline, reminder_note, reminder_days, created_at, project_key_id)
				VALUES ('a', 1, 'a1', NULL, '[]', '', FALSE, NULL, NULL, 11, 'k'), ('a', 2, 'a2', 'c2', '[2]', 't2', TRUE, 'r2', 2, 12, 'k'),
				('a', 3, 'a3', 'c3', '[3]', 't3', TRUE, 'r3', 3, 13, 'k'), ('b', 1, 'b1', NULL, '[]', '', FALSE, NULL, NULL, 14, NULL)`)
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{URL: url})
			var got []string
			err := db.Select(t.Context(), &got, `SELECT id || ' ' || version || ' ' || updated_at || ' ' || CAST(skip_multiline AS INTEGER) || ' ' || coalesce(reminder_days, 0) || ' ' ||
				coalesce(reminder_note, '-') || ' ' || metadata || ' ' || tags || ' ' || coalesce(project_key_id, '-') FROM secrets ORDER BY id`)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"a 3 13 1 3 r3 [3] t3 k", "b 1 14 0 0 - []  -"}, got); diff != "" {
				t.Errorf("secrets, want (-), got (+):\n%s", diff)
			}
			for query, want := range map[string]string{
				`SELECT value FROM secrets ORDER BY id`:                           "a3 b1",
				`SELECT coalesce(comment, value) FROM secrets ORDER BY id`:        "c3 b1",
				`SELECT value FROM secret_versions ORDER BY secret_id, version`:   "a1 a2",
				`SELECT coalesce(comment, value) FROM secret_versions ORDER BY 1`: "a1 c2",
			} {
				var texts []string
				if err := db.Select(t.Context(), &texts, query); err != nil || strings.Join(texts, " ") != want {
					t.Errorf("%s: %q, %v; want %s", query, texts, err, want)
				}
			}
		})
	}
}

// atVersion returns the URL of a database that has the schema of an earlier version, and rows that refer to nothing.
func atVersion(t *testing.T, engine sqldb.Engine, dialect goose.Dialect, version int64, rows ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "old.db")
	url, driver, source, fresh := "sqlite:"+path, "sqlite", path, []string{fmt.Sprintf("PRAGMA application_id = %d", sqldb.ApplicationID)}
	if engine == sqldb.Postgres {
		url = sqldbtest.URL(t, engine)
		driver, source = "pgx", url
		fresh = []string{`DROP SCHEMA public CASCADE`, `CREATE SCHEMA public`, `SET session_replication_role = replica`}
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // what is set for a session holds for all statements
	steps, err := goose.NewProvider(dialect, db, os.DirFS("migrations"), goose.WithTableName("sallyport_versions"),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	do := func(statements []string) {
		for _, s := range statements {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(fresh)
	if _, err := steps.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	do(rows)
	return url
}

// TestFormerMembersKeepNothing: schema version 18 takes from former members what would come back when they join again, and
// leaves one membership of an organization to each member.
func TestFormerMembersKeepNothing(t *testing.T) {
	const memberships = `INSERT INTO memberships (id, scope, org_id, project_id, identity_id, user_id, active, created_at, updated_at) VALUES `
	for engine, dialect := range map[sqldb.Engine]goose.Dialect{sqldb.SQLite: goose.DialectSQLite3, sqldb.Postgres: goose.DialectPostgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := atVersion(t, engine, dialect, 11,
				memberships+`('1', 'organization', 'o', NULL, 'in', NULL, TRUE, 0, 0), ('2', 'project', 'o', 'p', 'in', NULL, TRUE, 0, 0)`,
				memberships+`('3', 'project', 'o', 'p', 'out', NULL, TRUE, 0, 0), ('4', 'project', 'o', 'q', 'out', NULL, TRUE, 0, 0)`,
				memberships+`('5', 'organization', 'other', NULL, 'out', NULL, TRUE, 0, 0)`, // what it is elsewhere does not count
				memberships+`('6', 'organization', 'o', NULL, NULL, 'human', TRUE, 0, 0), ('7', 'project', 'o', 'p', NULL, 'human', TRUE, 0, 0)`,
				memberships+`('8', 'project', 'o', 'p', NULL, 'left', TRUE, 0, 0)`,
				memberships+`('9a', 'organization', 'o', NULL, 'twice', NULL, TRUE, 0, 0), ('9b', 'organization', 'o', NULL, 'twice', NULL, TRUE, 0, 0)`,
				memberships+`('ia', 'organization', 'o', NULL, 'idle', NULL, FALSE, 0, 0), ('ib', 'project', 'o', 'p', 'idle', NULL, TRUE, 0, 0)`,
				`INSERT INTO membership_roles (id, membership_id, role, temporary, created_at, updated_at) VALUES ('r2', '2', 'admin', FALSE, 0, 0)`,
				`INSERT INTO instance_admins (identity_id) VALUES ('in'), ('gone')`,
				`INSERT INTO client_secrets (id, config_id, identity_id, hash, prefix, description, uses, uses_limit, ttl, revoked, created_at, updated_at)
				VALUES ('a', 'c', 'in', '1', '', '', 0, 0, 0, FALSE, 0, 0), ('b', 'c', 'gone', '2', '', '', 0, 0, 0, FALSE, 0, 0)`)
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{URL: url})
			for query, want := range map[string]string{
				`SELECT id FROM memberships ORDER BY id`:                             "1 2 5 6 7 9a ia ib",
				`SELECT id FROM membership_roles ORDER BY id`:                        "r2",
				`SELECT identity_id FROM instance_admins ORDER BY 1`:                 "in",
				`SELECT id FROM client_secrets WHERE revoked = FALSE ORDER BY id`:    "a",
				`SELECT id FROM client_secrets WHERE NOT revoked = FALSE ORDER BY 1`: "b",
			} {
				var texts []string
				if err := db.Select(t.Context(), &texts, query); err != nil || strings.Join(texts, " ") != want {
					t.Errorf("%s: %q, %v; want %s", query, texts, err, want)
				}
			}
		})
	}
}
