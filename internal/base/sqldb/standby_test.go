package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// TestCommitThatNoStandbyHas is not called committed: a fail-over would lose it.
func TestCommitThatNoStandbyHas(t *testing.T) {
	for name, end := range map[string]string{
		"the wait is cancelled":     "pg_cancel_backend",
		"the connection is dropped": "pg_terminate_backend",
	} {
		t.Run(name, func(t *testing.T) {
			server := sqldbtest.StartServer(t)
			url := server.URL(t)
			db := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: url})
			db.SetLookup(time.Second)
			admin, err := sql.Open("pgx", url)
			if err != nil {
				t.Fatal(err)
			}
			defer admin.Close()
			exec := func(text string) {
				t.Helper()
				if _, err := admin.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			exec(`SET synchronous_commit = local`)
			exec(`ALTER SYSTEM SET synchronous_standby_names = 'gone'`)
			exec(`SELECT pg_reload_conf()`)
			defer exec(`SELECT pg_reload_conf()`)
			defer exec(`ALTER SYSTEM RESET synchronous_standby_names`)

			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				stopWaiting(ctx, admin, end)
			}()
			for err == nil && ctx.Err() == nil { // commits wait once the server has taken its new settings, in its own time
				err = db.Write(t.Context(), func(tx *sqldb.Tx) error {
					_, err := tx.Exec(t.Context(), `UPDATE instance SET id = id`)
					return err
				})
			}
			<-stopped
			if !errors.Is(err, sqldb.ErrOutcomeUnknown) {
				t.Errorf("got %v; want ErrOutcomeUnknown", err)
			}
		})
	}
}

// stopWaiting ends the first wait for a standby, by a function of PostgreSQL that takes a process id.
func stopWaiting(ctx context.Context, admin *sql.DB, end string) {
	for n := int64(0); n == 0 && ctx.Err() == nil; {
		_ = admin.QueryRow(`SELECT count(` + end + `(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`).Scan(&n)
	}
}
