// Package quota owns how many things there may be, and the words in which one too many is refused. It does not know the things:
// who adds one counts them in the same transaction, behind a lock that lines up all who add.
package quota

import (
	"context"
	"strconv"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Quota is how many things there may be.
type Quota struct {
	Setting string // the flag that sets it, such as "--quota-projects"
	Owner   string // who has the things, such as "Your organization has"
	Things  string // such as "projects"
	Most    int64
}

// Check refuses one more thing, with a BadRequest fault, where a table has as many as there may be. from is the table and the
// condition on its rows, such as "projects WHERE org_id = $1". No more rows are counted than there may be.
func (q Quota) Check(ctx context.Context, tx *sqldb.Tx, from string, args ...any) error {
	var n int64
	query := `SELECT count(*) FROM (SELECT 1 FROM ` + from + ` LIMIT $` + strconv.Itoa(len(args)+1) + `) AS counted`
	if err := tx.Get(ctx, &n, query, append(args, q.Most)...); err != nil {
		return err
	}
	return q.Room(n)
}

// Room refuses one more thing where there are n already.
func (q Quota) Room(n int64) error {
	if n < q.Most {
		return nil
	}
	return fault.New(fault.BadRequest, "%s %d %s, which is the maximum (%s). Delete some that are not needed, or ask the operator of the server for a higher maximum.",
		q.Owner, q.Most, q.Things, q.Setting)
}
