package sqldb_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// beforeGuard is the last schema version whose programs do not know the version guard.
const beforeGuard = 18

// replica is a row of the register with a lease of 50 ms.
const replica = `INSERT INTO replicas (id, name, lease, beat, applied, started_at, seen_at) VALUES ('r', 'old.example :8080', 50, 7, 0, 0, 0)`

// beats gives signs of life of every replica until the function that it returns is called.
func beats(t *testing.T, url string) (end func()) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = db.Exec(`UPDATE replicas SET beat = beat + 1`) // when the schema is changed it may fail
			case <-stop:
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		_ = db.Close()
	}
}

func number(t *testing.T, url, query string) (n int64) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

const version = `SELECT max(version_id) FROM sallyport_versions`

// TestMigrationIsRefusedWhileAnOlderReplicaLives, changes nothing then, and strikes off one that is silent.
func TestMigrationIsRefusedWhileAnOlderReplicaLives(t *testing.T) {
	url := atVersion(t, sqldb.Postgres, goose.DialectPostgres, beforeGuard, replica)
	end := beats(t, url)
	refused(t, url, "too old to run next to this version", "old.example :8080", "before the version guard", "id r", "Stop them")
	end()
	if n := number(t, url, version); n != beforeGuard {
		t.Fatalf("the schema is at version %d after the refusal; want %d", n, beforeGuard)
	}
	sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: url})
	if n := number(t, url, `SELECT count(*) FROM replicas`); n != 0 {
		t.Errorf("%d replicas are left in the register; want none", n)
	}
	if n := number(t, url, `SELECT count(*) FROM pg_class WHERE relname = 'changes'`); n != 0 {
		t.Error("programs without the guard still find the log of changes")
	}
	if n := number(t, url, `SELECT oldest FROM feed_head`); n < 19 {
		t.Errorf("the floor is %d; want the guard's version or a later one", n)
	}
}

// TestGuardIsNotBuiltNextToAReplica: one that registers between the look at the register and the step undoes the step.
func TestGuardIsNotBuiltNextToAReplica(t *testing.T) {
	url := atVersion(t, sqldb.Postgres, goose.DialectPostgres, beforeGuard, replica)
	err := sqldb.Climb(t.Context(), url, beforeGuard+1)
	if !sqldb.RegisteredMeanwhile(err) {
		t.Errorf("the step ended with %v; want a refusal", err)
	}
	if n := number(t, url, version); n != beforeGuard {
		t.Errorf("the schema is at version %d; want %d", n, beforeGuard)
	}
}

// TestReplicasThatMayStayAreLetBe: a program that a step states is not in its way.
func TestReplicasThatMayStayAreLetBe(t *testing.T) {
	url := sqldbtest.URL(t, sqldb.Postgres)
	newest, err := sqldb.SchemaVersion()
	if err != nil {
		t.Fatal(err)
	}
	raw(t, "pgx", url, replica, fmt.Sprintf(`UPDATE replicas SET version = 'v1.2', schema = %d`, newest))
	for oldest, want := range map[int64]int{newest: 0, newest + 1: 1} {
		found, err := sqldb.TooOld(t.Context(), url, newest, oldest)
		if err != nil || found != want {
			t.Errorf("%d replicas are too old for a step that states %d, %v; want %d", found, oldest, err, want)
		}
	}
}

// TestLeftoversOfOlderProgramsAreRepaired: what a program from before schema version 11 wrote next to a newer one can be read again,
// and client secrets end when they should.
func TestLeftoversOfOlderProgramsAreRepaired(t *testing.T) {
	for engine, dialect := range map[sqldb.Engine]goose.Dialect{sqldb.SQLite: goose.DialectSQLite3, sqldb.Postgres: goose.DialectPostgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := atVersion(t, engine, dialect, beforeGuard,
				`INSERT INTO environments (id, project_id, name, slug, position, created_at, updated_at) VALUES ('e', 'p', 'E', 'e', 1, 0, 0)`,
				`INSERT INTO folders (id, environment_id, name, path, version, created_at, updated_at) VALUES ('f', 'e', 'root', '/', 1, 0, 0)`,
				`INSERT INTO project_keys (id, project_id, organization_key_id, sealed, active, created_at) VALUES ('p', 'p', 'o', 'x', FALSE, 0)`,
				`INSERT INTO secrets (id, folder_id, key, version, created_at) VALUES ('old', 'f', 'A', 2, 1)`,
				`INSERT INTO secrets (id, folder_id, key, version, created_at, value, project_key_id) VALUES ('new', 'f', 'B', 2, 1, 'b2', 'p')`,
				`INSERT INTO secret_versions (secret_id, version, value, metadata, tags, skip_multiline, created_at, project_key_id)
				VALUES ('old', 1, 'a1', '[]', '', FALSE, 11, 'p'), ('old', 2, 'a2', '[2]', 't', TRUE, 12, NULL), ('new', 1, 'b1', '[]', '', FALSE, 11, 'p')`,
				`INSERT INTO memberships (id, scope, org_id, identity_id, active, created_at, updated_at) VALUES ('m', 'organization', 'o', 'i', TRUE, 0, 0)`,
				`INSERT INTO client_secrets (id, config_id, identity_id, hash, prefix, description, uses, uses_limit, ttl, revoked, created_at, updated_at)
				VALUES ('c', 'c', 'i', '1', '', '', 0, 0, 60, FALSE, 1000, 1000), ('d', 'c', 'i', '2', '', '', 0, 0, 0, FALSE, 1000, 1000)`)
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{URL: url})
			for query, want := range map[string]string{
				`SELECT value FROM secrets WHERE id = 'old'`:                                                    "a2",
				`SELECT project_key_id || metadata || tags || updated_at FROM secrets WHERE id = 'old'`:         "p[2]t12",
				`SELECT value FROM secrets WHERE id = 'new'`:                                                    "b2",
				`SELECT CAST(count(*) AS TEXT) FROM secret_versions`:                                            "2",
				`SELECT said_environment || said_path || said_key FROM secret_versions WHERE secret_id = 'old'`: "e/A",
				`SELECT CAST(ended_at AS TEXT) FROM client_secrets WHERE id = 'c'`:                              "61000",
				`SELECT coalesce(CAST(ended_at AS TEXT), '-') FROM client_secrets WHERE id = 'd'`:               "-",
			} {
				var got string
				if err := db.Get(t.Context(), &got, query); err != nil || got != want {
					t.Errorf("%s: %q, %v; want %q", query, got, err, want)
				}
			}
		})
	}
}
