package sqldb

import (
	"context"
	"database/sql"

	"github.com/georgysavva/scany/v2/dbscan"
	"github.com/georgysavva/scany/v2/sqlscan"

	"github.com/sallyport/sallyport/internal/base/limit"
)

// RowCost is how many bytes of memory a byte takes that a request reads from the database: as it is in the database's own
// memory, as it was read, opened or parsed, in the answer, and as garbage of each. It was measured.
const RowCost = 6

// rowItself is about how many bytes a row has next to its texts.
const rowItself = 100

var scanner = func() *dbscan.API {
	api, err := sqlscan.NewDBScanAPI()
	if err != nil {
		panic(err) // the options are constant
	}
	return api
}()

func scanOne(ctx context.Context, dst any, rows *sql.Rows, query string) error {
	err := scanner.ScanOne(dst, counted(ctx, rows))
	if dbscan.NotFound(err) {
		return ErrNoRows
	}
	return explain(err, query)
}

func scanAll(ctx context.Context, dst any, rows *sql.Rows, query string) error {
	return explain(scanner.ScanAll(dst, counted(ctx, rows)), query)
}

// counting are rows whose bytes the account of a request uses as they are read, so that reading ends before the memory does.
type counting struct {
	*sql.Rows
	account *limit.Account
}

// counted returns rows that count what the request of ctx reads; outside of a request they are as they were.
func counted(ctx context.Context, rows *sql.Rows) dbscan.Rows {
	if a := limit.AccountOf(ctx); a != nil {
		return &counting{rows, a}
	}
	return rows
}

// Scan reads one row. Errors: also those of Account.Use.
func (c *counting) Scan(dst ...any) error {
	if err := c.Rows.Scan(dst...); err != nil {
		return err
	}
	sum := rowItself
	for _, d := range dst {
		sum += length(d)
	}
	return c.account.Use(int64(sum) * RowCost)
}

// length is how many bytes a column has that can have many.
func length(dst any) int {
	switch d := dst.(type) {
	case *string:
		return len(*d)
	case *[]byte:
		return len(*d)
	case **string:
		if *d != nil {
			return len(**d)
		}
	}
	return 0
}
