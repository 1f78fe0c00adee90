package token

import (
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// TestQuota: of many tokens that are made at once for one identity no more are stored than there may be. One of another identity
// has its own quota.
func TestQuota(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.quota = 3
		insert := func(g Grant) error {
			issued, err := f.Mint(t.Context(), g)
			if err != nil {
				return err
			}
			return f.db.Write(t.Context(), func(tx *sqldb.Tx) error { return f.Insert(t.Context(), tx, issued.Row) })
		}
		errs := make(chan error, 10)
		var wg sync.WaitGroup
		for range cap(errs) {
			wg.Go(func() { errs <- insert(f.grant()) })
		}
		wg.Wait()
		made := 0
		for range cap(errs) {
			switch err := <-errs; {
			case err == nil:
				made++
			case !fault.Is(err, fault.BadRequest) || !strings.Contains(err.Error(), "--quota-tokens"):
				t.Errorf("refused with %v", err)
			}
		}
		var stored int64
		if err := f.db.Get(t.Context(), &stored, `SELECT count(*) FROM access_tokens`); err != nil || made != 3 || stored != 3 {
			t.Errorf("%d were made and %d are stored, want 3, %v", made, stored, err)
		}
		other := f.grant()
		other.Method = "other-auth"
		if err := insert(other); err != nil {
			t.Errorf("of another method: %v", err)
		}
	})
}
