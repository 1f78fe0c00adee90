package sqldb_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// TestRefusalsWaitForWhatTheyRestOn: a function that refuses because of what an earlier one of its group wrote must not
// be answered as if that were so before it is. Here the transaction is lost after the refusal: nothing was ever written.
func TestRefusalsWaitForWhatTheyRestOn(t *testing.T) {
	taken := errors.New("taken")
	refuse := func(ctx context.Context, tx *sqldb.Tx) error {
		var n int
		if err := tx.Get(ctx, &n, `SELECT count(*) FROM organizations WHERE id = 'a'`); err != nil || n == 0 {
			return err
		}
		return taken
	}
	loses := map[sqldb.Engine]string{sqldb.SQLite: "ROLLBACK", sqldb.Postgres: "SELECT pg_terminate_backend(pg_backend_pid())"}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		lose := func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, loses[db.Engine()])
			return errors.Join(err, errors.New("lost"))
		}
		outcomes := together(t, db, grouped("a"), refuse, lose)
		if outcomes[0] == nil || outcomes[1] == nil || outcomes[2] == nil {
			t.Fatalf("the transaction was not lost: %v", outcomes)
		}
		if errors.Is(outcomes[1], taken) {
			t.Error("refused because of what was never written")
		}
		expect(t, db)
		outcomes = together(t, db, grouped("a"), refuse, grouped("b"))
		if outcomes[0] != nil || !errors.Is(outcomes[1], taken) || outcomes[2] != nil {
			t.Errorf("told %v; want the refusal of the second alone", outcomes)
		}
		expect(t, db, "a", "b")
	})
}
