package token

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// FlushEvery is how often counted uses are to be written: what other replicas tell of them is then at most so far behind.
const FlushEvery = 5 * time.Second

// Flush writes the uses that were counted since the last time. What cannot be written is counted again.
func (s *Service) Flush(ctx context.Context) error {
	return s.uses.Flush(func(part []tally.Count) error {
		crashpoint.Reach(crashpoint.UsesFlush)
		err := s.db.Write(ctx, func(tx *sqldb.Tx) error { return addUses(ctx, tx, part) })
		crashpoint.Reach(crashpoint.UsesFlushed)
		return err
	})
}

// Counted reads rows with read, and adds the uses of them that this replica has counted and not yet written: so what is read is
// true, as far as this replica was asked. read must not wait for Flush.
func (s *Service) Counted(read func() ([]Row, error)) (rows []Row, err error) {
	return rows, s.uses.Read(func(unwritten func(uuid.UUID) tally.Count) error {
		if rows, err = read(); err != nil {
			return err
		}
		for i := range rows {
			rows[i].add(unwritten(uuid.MustParse(rows[i].ID)))
		}
		return nil
	})
}

// add takes uses into account that are not written yet.
func (r *Row) add(c tally.Count) {
	r.Uses += c.N
	if c.N > 0 && (r.LastUsedAt == nil || *r.LastUsedAt < c.Last) {
		r.LastUsedAt = &c.Last
	}
}

// spend takes one use of a limited token durably, before the request goes on: N means N, on any number of replicas.
func (s *Service) spend(ctx context.Context, c *Claims) error {
	crashpoint.Reach(crashpoint.Spend)
	err := s.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		n, err := spendUse(ctx, tx, c.ID, tx.Now().UnixMilli())
		if err == nil && n == 0 {
			err = whyNot(ctx, tx, c.ID)
		}
		return err
	})
	crashpoint.Reach(crashpoint.Spent)
	return err
}
