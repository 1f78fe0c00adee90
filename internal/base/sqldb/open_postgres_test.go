package sqldb_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// fakePostgres answers a start-up message as a server of some version does.
func fakePostgres(t *testing.T, version string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			server := pgproto3.NewBackend(conn, conn)
			if _, err := server.ReceiveStartupMessage(); err == nil {
				server.Send(&pgproto3.AuthenticationOk{})
				server.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: version})
				server.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
				_ = server.Flush()
			}
			_ = conn.Close()
		}
	}()
	return "postgres://user:secret@" + l.Addr().String() + "/x?sslmode=disable"
}

// closedPort returns an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestOpenPostgres(t *testing.T) {
	url := sqldbtest.URL(t, sqldb.Postgres)
	raw(t, "pgx", url, "CREATE ROLE sqldb_stranger LOGIN", "CREATE SCHEMA empty")
	t.Cleanup(func() { raw(t, "pgx", url, "DROP ROLE sqldb_stranger") })
	as := func(user string) string { return strings.Replace(url, "user=postgres", "user="+user, 1) }
	for name, c := range map[string]struct {
		url   string
		words []string
	}{
		"refused/older server":     {fakePostgres(t, "14.11 (Debian 14.11-1)"), []string{`version "14.11`, "15 or newer"}},
		"refused/unknown server":   {fakePostgres(t, "Sally"), []string{"15 or newer"}},
		"refused/unreachable":      {"postgres://user:secret@" + closedPort(t) + "/x", []string{"127.0.0.1:", "cannot be reached"}},
		"refused/unknown user":     {as("nobody_at_all"), []string{`refused user "nobody_at_all"`}},
		"refused/unknown database": {strings.Replace(url, "///test", "///no_test", 1), []string{"has no database", "CREATE DATABASE"}},
		"refused/read-only":        {url + "&default_transaction_read_only=on", []string{"only allows reading"}},
		"refused/foreign tables":   {as("sqldb_stranger"), []string{"may not read and write the table", "grant SELECT"}},
		"refused/no CREATE":        {as("sqldb_stranger") + "&search_path=empty", []string{"no schema to work in"}},
		"refused/no schema":        {url + "&search_path=nowhere", []string{"no schema to work in"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.url, c.words...)
			if _, err := sqldb.Open(t.Context(), sqldb.Options{URL: c.url}); strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
	t.Run("refused/may not create", func(t *testing.T) {
		raw(t, "pgx", url, "GRANT USAGE ON SCHEMA empty TO sqldb_stranger")
		defer raw(t, "pgx", url, "REVOKE USAGE ON SCHEMA empty FROM sqldb_stranger")
		refused(t, as("sqldb_stranger")+"&search_path=empty", "may not create tables", `GRANT CREATE ON SCHEMA "empty" TO "sqldb_stranger"`)
	})
	t.Run("refused/another application's tables", func(t *testing.T) {
		raw(t, "pgx", url, "CREATE SCHEMA theirs", "CREATE TABLE theirs.identities (id TEXT)")
		refused(t, url+"&search_path=theirs", "tables of another application")
	})
	t.Run("accepted/beside another user's tables", func(t *testing.T) {
		raw(t, "pgx", url, "CREATE SCHEMA shared AUTHORIZATION sqldb_stranger", "CREATE TABLE shared.theirs (id TEXT)")
		defer raw(t, "pgx", url, "DROP SCHEMA shared CASCADE")
		sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: as("sqldb_stranger") + "&search_path=shared"})
		sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: as("sqldb_stranger") + "&search_path=shared"})
	})
	t.Run("accepted/newer schema that states this version", func(t *testing.T) {
		raw(t, "pgx", url, "INSERT INTO sallyport_versions (version_id, is_applied) VALUES (9999, TRUE)")
		sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: url})
	})
	t.Run("refused/newer schema", func(t *testing.T) {
		raw(t, "pgx", url, "UPDATE feed_head SET oldest = 9000")
		refused(t, url, "version 9999", "version 9000 or newer", "as new as")
	})
}

func TestOpenStandby(t *testing.T) {
	s := sqldbtest.StartServer(t)
	url := s.URL(t)
	s.Standby(t)
	refused(t, url, "is a standby", "primary")
	s.Promote(t)
	sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: url})
}

// TestReplicasStartTogether has several replicas find an empty database at once: they wait for each other.
func TestReplicasStartTogether(t *testing.T) {
	const replicas = 3
	url := sqldbtest.URL(t, sqldb.Postgres)
	watch := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: url})
	raw(t, "pgx", url, "CREATE SCHEMA fresh")
	outcomes := make(chan error, replicas)
	err := watch.Write(t.Context(), func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(t.Context(), "SELECT pg_advisory_xact_lock($1)", sqldb.MigrationLock); err != nil {
			return err
		}
		for range replicas {
			go func() {
				db, err := sqldb.Open(context.Background(), sqldb.Options{URL: url + "&search_path=fresh"})
				if err == nil {
					err = db.Close()
				}
				outcomes <- err
			}()
		}
		for waiting := 0; waiting < replicas && len(outcomes) == 0; {
			if err := tx.Get(t.Context(), &waiting, "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"); err != nil {
				return err
			}
		}
		if len(outcomes) > 0 {
			return errors.New("a replica did not wait for the lock")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for range replicas {
		if err := <-outcomes; err != nil {
			t.Error(err)
		}
	}
}
