package main

import (
	"errors"
	"net/http"
	"time"
)

// manyRevocations is how many revocations the larger database holds.
const manyRevocations = 1_000_000

// settleFor is how long a server is left alone before its memory is read.
const settleFor = 500 * time.Millisecond

// starts measures the time from the start of the program to its first answer, and the memory that it then holds. The
// floor is a bare net/http program; with many revocations, SQLite reading them.
func starts(b *bench) ([]line, error) {
	full, err := b.folder()
	if err == nil {
		err = b.fill(full, revocationRows, manyRevocations)
	}
	if err != nil {
		return nil, err
	}
	table, err := b.emptyStarts()
	if err != nil {
		return nil, err
	}
	var memory []float64
	c, err := compare(
		func() (float64, error) { return b.readRevocations(full) },
		func() (float64, error) { return b.start(full, &memory) })
	return append(table,
		line{what: "start to first answer, 1,000,000 live revocations (floor: SQLite reading them)", unit: "ms", floor: c.floor, ours: c.ours, most: 1000},
		line{what: "- resident memory then", unit: "MB", ours: median(memory), most: 200}), err
}

// emptyStarts measures a first start, in an empty folder, and a restart.
func (b *bench) emptyStarts() ([]line, error) {
	var bare, memory, none []float64
	floor := func() (float64, error) {
		p, err := b.bareProcess()
		return started(p, err, &bare)
	}
	var dir string
	first, err := compare(floor, func() (took float64, err error) {
		if dir, err = b.folder(); err != nil {
			return 0, err
		}
		return b.start(dir, &memory)
	})
	if err != nil {
		return nil, err
	}
	again, err := compare(floor, func() (float64, error) { return b.start(dir, &none) })
	return []line{
		{what: "first start to first answer, empty folder (floor: bare net/http program)", unit: "ms", floor: first.floor, ours: first.ours, most: 150},
		{what: "restart to first answer", unit: "ms", floor: again.floor, ours: again.ours, most: 150},
		{what: "- resident memory idle", unit: "MB", floor: median(bare), ours: median(memory), most: 40},
	}, err
}

func (b *bench) bareProcess() (*process, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return b.floor(canned{Addr: addr, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}")})
}

// start starts the server on a folder, adds its memory to memory, stops it, and returns how long it took in milliseconds.
func (b *bench) start(dir string, memory *[]float64) (float64, error) {
	p, err := b.serve(dir)
	return started(p, err, memory)
}

func started(p *process, err error, memory *[]float64) (float64, error) {
	if err != nil {
		return 0, err
	}
	time.Sleep(settleFor) // so that memory is what a server at rest has
	m, err := p.memory()
	*memory = append(*memory, m)
	return float64(p.took.Microseconds()) / 1000, errors.Join(err, p.stop())
}

// readRevocations returns how long SQLite takes to hand over the revocations, in milliseconds.
func (b *bench) readRevocations(dir string) (float64, error) {
	begin := time.Now()
	e, err := openEngine(b.ctx, dir, durable)
	if err != nil {
		return 0, err
	}
	defer e.close()
	rows, err := e.conn.QueryContext(b.ctx, `SELECT seq, kind, key, until FROM change_log`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var seq, until int64
	var kind, key string
	for rows.Next() {
		if err := rows.Scan(&seq, &kind, &key, &until); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(begin).Microseconds()) / 1000, rows.Err()
}

// fill makes a database in a folder and runs SQL on it that takes the number of rows to make and the time.
func (b *bench) fill(dir string, texts []string, n int64) error {
	if err := b.schema(sqliteURL(dir)); err != nil {
		return err
	}
	e, err := openEngine(b.ctx, dir, hasty)
	if err != nil {
		return err
	}
	defer e.close()
	for _, text := range append(texts, "PRAGMA journal_mode = WAL") {
		if err := e.exec(b.ctx, text, n, time.Now().UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// revocationRows write $1 revocations at $2, in milliseconds: random tokens of a few thousand identities, each to be
// remembered for up to 90 days.
var revocationRows = []string{
	`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
	 INSERT INTO change_log (seq, kind, key, until, at)
	 SELECT i, 'token', lower(printf('%s-%s-7%s-8%s-%s %08x-0000-7000-8000-%012x', hex(randomblob(4)), hex(randomblob(2)),
	   substr(hex(randomblob(2)), 1, 3), substr(hex(randomblob(2)), 1, 3), hex(randomblob(6)), i % 5000, i % 5000)),
	   $2 + 3600000 + abs(random()) % 7776000000, $2 FROM n`,
	`UPDATE feed_head SET seq = $1`,
}
