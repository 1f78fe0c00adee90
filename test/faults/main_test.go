// Package faults tests, one failure at a time, that a failure neither brings a token back to life nor needs anybody to
// mend the servers afterwards: real server processes on a real PostgreSQL, as docs/operations.md describes them. Many
// failures at once, in random order, are for test/linearizability.
package faults

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// lease is short, so that whatever waits for its end is soon done.
const lease = 500 * time.Millisecond

// within bounds whatever has to happen by itself. It is long, since other tests may keep the machine busy.
const within = 15 * time.Second

// planted shows that these tests can fail: with any of these bugs some of them do.
var planted = flag.String("planted", "", "a bug of internal/testhook/bug to put into the servers")

// What all tests share.
var (
	folder   string           // for programs, readable by everybody
	honest   string           // the server
	settable string           // the server, with a wall clock that tests can set
	postgres *pgserver.Server // for tests that do it no harm
)

func TestMain(m *testing.M) { cluster.Main(m, setUp) }

func setUp(dir string) (tearDown func() error, err error) {
	if err = flag.Set("test.parallel", "2"); err != nil { // they mostly wait, but each has databases
		return nil, err
	}
	folder = dir
	if honest, err = cluster.Build(dir, ""); err != nil {
		return nil, err
	}
	if settable, err = cluster.Build(dir, cluster.Obedient); err != nil {
		return nil, err
	}
	if *planted != "" {
		honest = settable
	}
	if postgres, err = pgserver.Start(pgserver.Options{}); err != nil {
		return nil, err
	}
	return postgres.Close, nil
}

// newPostgres makes a server for t alone.
func newPostgres(t *testing.T, o pgserver.Options) *pgserver.Server {
	t.Helper()
	p, err := pgserver.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// start starts replicas of the honest server, unless o names another.
func start(t *testing.T, o cluster.Options) *site {
	t.Helper()
	if o.Lease = lease; o.Binary == "" {
		o.Binary = honest
	}
	if *planted != "" {
		o.Env = append(o.Env, "SALLYPORT_PLANTED_BUG="+*planted)
	}
	c, err := cluster.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, r := range c.Replicas {
			if t.Failed() {
				t.Logf("the end of the log of %s:\n%s", r.Name, r.Tail(15))
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{Cluster: c, t: t, began: time.Now()}
}

// eventually waits until a condition holds, and fails t if that takes too long.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for !holds() {
		if !pause(ctx, 5*time.Millisecond) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// pause waits, and tells whether ctx still lasts.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
