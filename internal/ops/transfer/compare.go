package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Sum is what a table holds, in short.
type Sum struct {
	Table  string
	Rows   int64
	SHA256 string // over all columns of all rows in the order of the key, in hex; the same on every engine
}

// compare reads every table on both sides and returns what both hold, or an error that names each table that differs.
func (m *move) compare(ctx context.Context) ([]Sum, error) {
	if err := m.expect(ctx); err != nil {
		return nil, err
	}
	var sums []Sum
	var different error
	for _, t := range m.tables {
		here, there, err := m.both(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("comparing the table %s: %w", t.name, err)
		}
		if here != there {
			different = errors.Join(different, fmt.Errorf("the table %s differs: %d rows with the checksum %s in the source, %d rows with %s in the target",
				t.name, here.Rows, here.SHA256, there.Rows, there.SHA256))
		}
		sums = append(sums, here)
	}
	if different != nil {
		different = fmt.Errorf("the target differs from the source, so it is not served; empty the target database and move again: %w", different)
	}
	return sums, different
}

// both sums up a table on both sides at the same time.
func (m *move) both(ctx context.Context, t table) (here, there Sum, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var failed error
	var other sync.WaitGroup
	other.Go(func() {
		if there, failed = t.sum(ctx, m.Target, func(int64) {}); failed != nil {
			stop()
		}
	})
	last := int64(0)
	here, err = t.sum(ctx, m.Source, func(rows int64) {
		m.tick(Progress{Step: Comparing, Table: t.name, Rows: rows}, rows-last)
		last = rows
	})
	if err != nil {
		stop()
	}
	other.Wait()
	if err = errors.Join(err, failed); err == nil {
		m.tick(Progress{Step: Comparing, Table: t.name, Rows: here.Rows, Done: true}, here.Rows-last)
	}
	return here, there, err
}

// sum reads a table. Text is put in the order of its bytes: SQLite does so anyway, PostgreSQL where it is told.
func (t table) sum(ctx context.Context, db *sqldb.DB, tick func(rows int64)) (Sum, error) {
	byBytes := ""
	if db.Engine() == sqldb.Postgres {
		byBytes = ` COLLATE "C"`
	}
	rows, err := db.Query(ctx, "SELECT "+t.list()+" FROM "+quote(t.name)+" ORDER BY "+t.keyList(byBytes))
	if err != nil {
		return Sum{}, err
	}
	defer rows.Close()
	h, n, buffer := sha256.New(), int64(0), []byte(nil)
	for rows.Next() {
		r, err := t.scan(rows)
		if err != nil {
			return Sum{}, err
		}
		buffer = r.encode(buffer[:0])
		_, _ = h.Write(buffer) // a hash takes everything
		if n++; n%batchRows == 0 {
			tick(n)
		}
	}
	return Sum{t.name, n, hex.EncodeToString(h.Sum(nil))}, rows.Err()
}
