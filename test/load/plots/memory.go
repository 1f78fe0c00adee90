package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/load/result"
)

// revocations are how many live ones the server is to hold, one after the other.
var revocations = []int{0, 10_000, 100_000, 300_000, 1_000_000}

// memory makes the picture of memory over revocations. They are written into the database of a stopped server: by requests
// a million would take minutes.
func (p *plots) memory() error {
	c, err := p.start(site{replicas: 1})
	if err != nil {
		return err
	}
	var files []string
	for i, n := range revocations {
		file := filepath.Join(p.dir, fmt.Sprintf("memory-%d.json", n))
		files = append(files, file)
		if err = p.holding(c, revocations[max(i-1, 0)], n, file); err != nil {
			break
		}
	}
	if err := errors.Join(err, c.Close()); err != nil {
		return err
	}
	return p.draw("memory", "Memory over revocations: SQLite, 1 replica", "memory.svg", files)
}

// holding restarts the server with n revocations in place of fewer, and loads it.
func (p *plots) holding(c *cluster.Cluster, fewer, n int, file string) error {
	fmt.Fprintf(os.Stderr, "\nmemory with %d revocations\n", n)
	r := c.Replicas[0]
	r.Stop()
	if err := revoke(p.ctx, filepath.Join(r.Data, "sallyport.db"), n-fewer); err != nil {
		return err
	}
	if err := r.Start(); err != nil {
		return err
	}
	if err := p.command(c.Admin, "run", "--mix", "verify", "--rate", "1000", "--duration", "2s", "--warm-up", "500ms", "--url", "http://"+r.Addr,
		"--json", file); err != nil {
		return err
	}
	return holds(file, n)
}

// holds returns an error unless the server of a result held so many revocations.
func holds(file string, n int) error {
	r, err := result.Read(file)
	if err != nil {
		return err
	}
	if held := r.Points[0].Replicas[0].RevokedAfter; held == nil || *held != float64(n) {
		return fmt.Errorf("the server does not hold %d revocations; are they written as it writes them? See %s", n, file)
	}
	return nil
}

// revoke writes n revocations of random tokens of 5,000 identities into a database, as the log of changes has them; each matters for up
// to 90 days.
func revoke(ctx context.Context, file string, n int) error {
	if n == 0 {
		return nil
	}
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	for _, text := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1),
			token(i, a, b) AS (SELECT i, hex(randomblob(8)), hex(randomblob(8)) FROM n)
		INSERT INTO change_log (seq, kind, key, until, at)
		SELECT head.seq + i, 'token', lower(substr(a, 1, 8) || '-' || substr(a, 9, 4) || '-7' || substr(a, 13, 3) || '-8' || substr(b, 1, 3) ||
				'-' || substr(b, 4, 12) || ' ' || printf('%08x-0000-7000-8000-%012x', i % 5000, i % 5000)), $2 + 3600000 + abs(random()) % 7776000000, $2
		FROM token, feed_head AS head WHERE head.id = 'head'`,
		`UPDATE feed_head SET seq = seq + $1 WHERE id = 'head' AND $2 > 0`,
	} {
		if _, err := tx.ExecContext(ctx, text, n, time.Now().UnixMilli()); err != nil {
			return errors.Join(err, tx.Rollback(), db.Close())
		}
	}
	return errors.Join(tx.Commit(), db.Close())
}
