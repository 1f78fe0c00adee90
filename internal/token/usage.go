package token

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/crashpoint"
	"github.com/sallyport/sallyport/internal/sqldb"
	"github.com/sallyport/sallyport/internal/tally"
)

// FlushEvery is how often counted uses are to be written: last use is then at most so far behind.
const FlushEvery = 5 * time.Second

// Flush writes the uses that were counted since the last time. What cannot be written is counted again.
func (s *Service) Flush(ctx context.Context) error {
	return s.uses.Flush(func(part []tally.Count) error {
		crashpoint.Reach(crashpoint.UsesFlush)
		err := s.DB.Write(ctx, func(tx *sqldb.Tx) error { return addUses(ctx, tx, part) })
		crashpoint.Reach(crashpoint.UsesFlushed)
		return err
	})
}

// spend takes one use of a limited token durably, before the request goes on: N means N, on any number of replicas.
func (s *Service) spend(ctx context.Context, c *Claims) error {
	crashpoint.Reach(crashpoint.Spend)
	err := s.DB.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		n, err := spendUse(ctx, tx, c.ID, tx.Now().UnixMilli())
		if err == nil && n == 0 {
			err = whyNot(ctx, tx, c.ID)
		}
		return err
	})
	crashpoint.Reach(crashpoint.Spent)
	return err
}
