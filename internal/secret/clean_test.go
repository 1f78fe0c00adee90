package secret

import (
	"fmt"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

func TestEmptyDeletesStepByStep(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.in("dev", "/")
		for i := range 3 {
			f.put(at, fmt.Sprintf("S%d", i), "x")
		}
		if _, err := f.Update(t.Context(), f.admin, at, Changes{Name: "S0"}); err != nil {
			t.Fatal(err)
		}
		f.put(f.in("prod", "/"), "KEPT", "x")
		i := f.link(at, "prod", "/")
		step := func(limit int64) (n int64, holds bool) {
			t.Helper()
			err := f.db.Write(t.Context(), func(tx *sqldb.Tx) (err error) {
				if n, err = Empty(t.Context(), tx, i.FolderID, limit); err == nil {
					holds, err = HoldsAny(t.Context(), tx, i.FolderID)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n, holds
		}
		for _, c := range []struct {
			limit, n int64
			holds    bool
		}{{2, 2, true}, {2, 2, true}, {2, 1, false}, {2, 0, false}} { // an older version, three secrets, one import
			if n, holds := step(c.limit); n != c.n || holds != c.holds {
				t.Errorf("a step deleted %d, and something is left: %v; want %d, %v", n, holds, c.n, c.holds)
			}
		}
		if s := f.get(f.in("prod", "/"), "KEPT"); s.Value != "x" {
			t.Errorf("%+v", s)
		}
	})
}

// TestPositionsCloseTheGapOfADeletedEnvironment: imports of an environment that is deleted for good go with it.
func TestPositionsCloseTheGapOfADeletedEnvironment(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.in("dev", "/")
		first := f.link(at, "prod", "/")
		f.link(at, "staging", "/")
		f.exec(`DELETE FROM secret_imports WHERE id = $1`, first.ID)
		if i := f.link(at, "prod", "/x"); i.Position != 2 {
			t.Errorf("the new import has position %d, want 2", i.Position)
		}
		if n := f.count(`SELECT count(*) FROM secret_imports WHERE position = 1`); n != 1 {
			t.Errorf("%d imports have position 1", n)
		}
	})
}
