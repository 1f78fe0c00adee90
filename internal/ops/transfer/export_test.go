package transfer

import (
	"context"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// LeftOut is for the test that no table is forgotten.
var LeftOut = leftOut

// TableNames returns the tables that are moved, in their order.
func TableNames(ctx context.Context, db *sqldb.DB) (names []string, err error) {
	found, err := tables(ctx, db)
	for _, t := range found {
		names = append(names, t.name)
	}
	return names, err
}
