package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// The benchmarks measure on a real PostgreSQL what docs/performance.md does not tell, for Costs: "db-us" is the processor time of
// the database for one of what the benchmark is named after, whatever else the machine does meanwhile (Linux).

func connect(b *testing.B, url string) *pgx.Conn {
	b.Helper()
	c, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func exec(b *testing.B, c *pgx.Conn, query string, args ...any) {
	b.Helper()
	if _, err := c.Exec(b.Context(), query, args...); err != nil {
		b.Fatal(err)
	}
}

// spent reports the processor time that the database's connections have used since the call, by so many an iteration.
func spent(b *testing.B, c *pgx.Conn, each int) (report func()) {
	b.Helper()
	before := spentBy(b, c)
	return func() {
		b.ReportMetric(float64(spentBy(b, c)-before)/1e3/float64(b.N)/float64(each), "db-us")
	}
}

// spentBy returns the nanoseconds that the processes of the connections to this database have run.
func spentBy(b *testing.B, c *pgx.Conn) (total int64) {
	b.Helper()
	rows, err := c.Query(b.Context(), "SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
	if err != nil {
		b.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		b.Fatal(err)
	}
	for _, pid := range pids {
		var ran int64
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err == nil {
			_, err = fmt.Sscan(string(text), &ran)
		}
		if err != nil {
			b.Fatal(err)
		}
		total += ran
	}
	return total
}

// BenchmarkStatement is Statement and Local together: one row changed and answered, within a transaction.
func BenchmarkStatement(b *testing.B) {
	c := connect(b, sqldbtest.URL(b, sqldb.Postgres))
	exec(b, c, "BEGIN")
	report := spent(b, c, 1)
	for b.Loop() {
		exec(b, c, "UPDATE feed_head SET seq = seq + $1 WHERE id = 'head'", 1)
	}
	report()
}

// BenchmarkCommit is that with a BEGIN, a COMMIT and its Flush.
func BenchmarkCommit(b *testing.B) {
	c := connect(b, sqldbtest.URL(b, sqldb.Postgres))
	for b.Loop() {
		exec(b, c, "BEGIN")
		exec(b, c, "UPDATE feed_head SET seq = seq + $1 WHERE id = 'head'", 1)
		exec(b, c, "COMMIT")
	}
}

// BenchmarkRow reads 10,000 entries of the log: Row.
func BenchmarkRow(b *testing.B) {
	c := connect(b, sqldbtest.URL(b, sqldb.Postgres))
	exec(b, c, "INSERT INTO change_log (seq, kind, key, until, at) SELECT n, 'token', gen_random_uuid() || ' ' || gen_random_uuid(), 1790000000000, 0 FROM generate_series(1, 10000) n")
	report := spent(b, c, 10000)
	for b.Loop() {
		rows, err := c.Query(b.Context(), "SELECT seq, kind, key, until FROM change_log WHERE seq > $1 ORDER BY seq", 0)
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
		}
		if rows.Err() != nil {
			b.Fatal(rows.Err())
		}
	}
	report()
}

// BenchmarkDeliver notifies 50 listeners: Deliver.
func BenchmarkDeliver(b *testing.B) {
	url := sqldbtest.URL(b, sqldb.Postgres)
	var heard sync.WaitGroup
	for range 50 {
		c := connect(b, url)
		exec(b, c, "LISTEN bench")
		go func() {
			for {
				if _, err := c.WaitForNotification(b.Context()); err != nil {
					return
				}
				heard.Done()
			}
		}()
	}
	c := connect(b, url)
	report := spent(b, c, 50)
	for b.Loop() {
		heard.Add(50)
		exec(b, c, "SELECT pg_notify('bench', '')")
		heard.Wait()
	}
	report()
}
