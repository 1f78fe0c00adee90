package crashpoints

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// What all tests share.
var (
	program  string
	postgres *pgserver.Server
)

func TestMain(m *testing.M) {
	cluster.Main(m, func(dir string) (tearDown func() error, err error) {
		if program, err = Build(dir); err != nil {
			return nil, err
		}
		if postgres, err = NewPostgres(); err != nil {
			return nil, err
		}
		return postgres.Close, nil
	})
}

// TestEveryCrashPoint kills a server, or a command, at every point on every engine at least once. SALLYPORT_CRASHPOINT_SEED
// repeats the choices of an earlier run.
func TestEveryCrashPoint(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SALLYPORT_CRASHPOINT_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SALLYPORT_CRASHPOINT_SEED=%d", seed)
	r, err := Run(t.Context(), Config{Program: program, Postgres: postgres, Seed: seed, Runs: 200, Lanes: 3, PerHost: 25})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Error(f)
	}
	t.Logf("\n%s", r)
}

// TestPlantedBugIsFound shows that the runs would notice a server that acknowledges what it has not committed.
func TestPlantedBugIsFound(t *testing.T) {
	ctx, found := context.WithCancel(t.Context())
	defer found()
	r, err := Run(ctx, Config{Program: program, Postgres: postgres, Bug: "ack-before-commit", Seed: uint64(time.Now().UnixNano()),
		Points: []crashpoint.Point{crashpoint.GroupCommit, crashpoint.GroupBetween}, Runs: 80, Lanes: 2, PerHost: 25,
		Progress: func(r *Result) {
			if len(r.Findings) > 0 {
				found()
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) == 0 {
		t.Errorf("nothing was found in %d runs", r.Runs)
	} else {
		t.Logf("after %d runs: %s", r.Runs, r.Findings[0])
	}
}

// TestPlansTakeEveryPoint fails where a point was added to the program and nobody dies there.
func TestPlansTakeEveryPoint(t *testing.T) {
	taken := map[crashpoint.Point]bool{}
	for _, p := range Plans() {
		taken[p.Point] = true
	}
	for _, p := range crashpoint.All() {
		if !taken[p] {
			t.Errorf("nothing dies at %s", p)
		}
	}
}
