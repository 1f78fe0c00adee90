package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// lease is that of the replicas, the default of the server.
const lease = 2 * time.Second

// replicas measures revoking on a PostgreSQL of its own, with one replica and with three, all revokes at one of them.
// The floor is PostgreSQL alone writing the same rows over one connection, a commit for each revoke.
func replicas(b *bench) ([]line, error) {
	pg, err := pgserver.Start(pgserver.Options{})
	if err != nil {
		return nil, err
	}
	var table []line
	for _, n := range []int{1, 3} {
		lines, err := b.onReplicas(pg, n)
		if err != nil {
			return nil, errors.Join(err, pg.Close())
		}
		table = append(table, lines...)
	}
	return table, pg.Close()
}

// database makes an empty database and returns its URL, past the links that tests put between.
func (b *bench) database(pg *pgserver.Server) (string, error) {
	name, err := pg.NewDatabase(b.ctx)
	return "postgres:///" + name + "?" + url.Values{"host": {pg.Dir}, "user": {"postgres"}}.Encode(), err
}

func (b *bench) onReplicas(pg *pgserver.Server, n int) ([]line, error) {
	at, err := b.database(pg)
	if err != nil {
		return nil, err
	}
	c, err := cluster.Start(b.ctx, cluster.Options{Binary: b.program, Postgres: pg, Replicas: n, Lease: lease,
		Env: []string{"SALLYPORT_DATABASE_URL=" + at, "SALLYPORT_LOG_LEVEL=warn"}})
	if err != nil {
		return nil, err
	}
	table, err := b.revokeOn(pg, at, c)
	return table, errors.Join(err, c.Close())
}

// revokeOn measures on a running cluster whose database is at a URL.
func (b *bench) revokeOn(pg *pgserver.Server, at string, c *cluster.Cluster) ([]line, error) {
	s := &instance{process: &process{addr: c.Replicas[0].Addr}, token: c.Admin, identity: c.AdminID}
	floor, err := b.bareCommits(pg, at, s)
	if err != nil {
		return nil, err
	}
	name := map[int]string{1: "revoke on PostgreSQL, 1 replica", 3: "revoke on PostgreSQL, 3 replicas"}[len(c.Replicas)]
	one, err := s.revokes(1)
	if err != nil {
		return nil, err
	}
	table := []line{
		{what: name + ", 1 caller: median (floor: PostgreSQL alone, a commit each)", unit: "ms", floor: floor.median, ours: one.median},
		{what: "- 99th percentile", unit: "ms", floor: floor.high, ours: one.high},
	}
	for _, callers := range []int{callers, 4 * callers} {
		many, err := s.revokes(callers)
		if err != nil {
			return nil, err
		}
		worst := line{what: "- 99th percentile", unit: "ms", ours: many.high}
		if callers == 16 && len(c.Replicas) == 3 {
			worst.most = 25
		}
		table = append(table,
			line{what: fmt.Sprintf("%s, %d callers: median", name, callers), unit: "ms", ours: many.median}, worst,
			line{what: "- rate (floor: PostgreSQL alone, a commit each)", unit: "revokes/s", floor: floor.rate, ours: many.rate})
	}
	return table, nil
}

// bareCommits has the server create and revoke tokens, and PostgreSQL alone write the same rows of the revokes.
func (b *bench) bareCommits(pg *pgserver.Server, at string, s *instance) (spread, error) {
	ids, _, err := s.create(changesPerRound)
	if err == nil {
		_, err = s.revoke(ids)
	}
	if err != nil {
		return spread{}, err
	}
	e, err := connect(b.ctx, "pgx", at, "BEGIN")
	if err != nil {
		return spread{}, err
	}
	rows, err := e.sample(b.ctx, changesPerRound)
	if err := errors.Join(err, e.close()); err != nil {
		return spread{}, err
	}
	found := make([]spread, rounds)
	for i := range found {
		if found[i], err = b.commitRound(pg, rows); err != nil {
			return spread{}, err
		}
	}
	return middle(found), nil
}

// commitRound writes the rows of revokes into a new database, a commit each.
func (b *bench) commitRound(pg *pgserver.Server, rows sampled) (spread, error) {
	at, err := b.database(pg)
	if err == nil {
		err = b.schema(at)
	}
	if err != nil {
		return spread{}, err
	}
	e, err := connect(b.ctx, "pgx", at, "BEGIN")
	if err != nil {
		return spread{}, err
	}
	defer e.close()
	if _, err := e.commits(b.ctx, rows.created, len(rows.created)); err != nil {
		return spread{}, err
	}
	took, begin := make([]time.Duration, len(rows.revoked)), time.Now()
	for i := range rows.revoked {
		start := time.Now()
		if _, err := e.commits(b.ctx, rows.revoked[i:i+1], 1); err != nil {
			return spread{}, err
		}
		took[i] = time.Since(start)
	}
	return spreadOf(took, time.Since(begin)), nil
}

// revokes makes tokens and has so many callers revoke them, in rounds.
func (s *instance) revokes(callers int) (spread, error) {
	found := make([]spread, rounds)
	for i := range found {
		ids, _, err := s.create(changesPerRound)
		if err != nil {
			return spread{}, err
		}
		if found[i], err = s.revokeRound(callers, ids); err != nil {
			return spread{}, err
		}
	}
	return middle(found), nil
}

func (s *instance) revokeRound(callers int, ids []string) (spread, error) {
	took := make([]time.Duration, len(ids))
	all, err := share(s.addr, callers, len(ids), func(c *caller, i int) error {
		start := time.Now()
		_, err := c.do(request("POST", "/api/v1/auth/token-auth/tokens/"+ids[i]+"/revoke", s.token, ""))
		took[i] = time.Since(start)
		return err
	})
	return spreadOf(took, all), err
}
