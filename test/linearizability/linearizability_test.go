package linearizability_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/linearizability"
	"github.com/sallyport/sallyport/test/pgserver"
)

var (
	seed     = flag.Uint64("seed", uint64(time.Now().UnixNano()), "decides what clients and nemesis do")
	duration = flag.Duration("duration", 20*time.Second, "how long the honest run takes")
)

// The parts that all tests share.
var (
	honest, bugged string // the server without and with planted bugs
	postgres       *pgserver.Server
)

func TestMain(m *testing.M) {
	cluster.Main(m, func(dir string) (tearDown func() error, err error) {
		if honest, err = cluster.Build(dir, ""); err != nil {
			return nil, err
		}
		if bugged, err = cluster.Build(dir, cluster.Obedient); err != nil {
			return nil, err
		}
		if postgres, err = pgserver.Start(pgserver.Options{}); err != nil {
			return nil, err
		}
		return postgres.Close, nil
	})
}

func run(t *testing.T, c linearizability.Config) *linearizability.Result {
	t.Helper()
	t.Logf("seed %d; run it again with -seed=%d", *seed, *seed)
	c.Postgres, c.Seed = postgres, *seed
	result, err := linearizability.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(result)
	return result
}

// The promise: after the answer to a revoke no replica accepts the token, whatever happens to whom; and no token is
// refused that nobody took back.
func TestNoStaleAccept(t *testing.T) {
	result := run(t, linearizability.Config{Binary: honest, Duration: *duration,
		Nemesis: linearizability.EveryMisfortune, Habits: linearizability.EveryHabit})
	if err := result.Failure(os.TempDir()); err != nil {
		t.Fatalf("%v\n%s", err, result.Logs)
	}
	if result.Uses[200] == 0 || result.Uses[401] == 0 || result.Uses[403] == 0 || result.Done == 0 {
		t.Errorf("the run saw too little to prove anything: %s", result)
	}
}

// The same over months: periodic tokens grow older than the max TTL of their configuration.
func TestNoStaleAcceptOverMonths(t *testing.T) {
	result := run(t, linearizability.Config{Binary: bugged, Duration: *duration, Months: true, Rest: 5 * time.Millisecond,
		Nemesis: linearizability.Nemesis{Kill: 3, Freeze: 1, Drop: 1}, Habits: linearizability.EveryHabit})
	if err := result.Failure(os.TempDir()); err != nil {
		t.Fatalf("%v\n%s", err, result.Logs)
	}
	if result.Uses[200] == 0 || result.Uses[401] == 0 || result.Done == 0 {
		t.Errorf("the run saw too little to prove anything: %s", result)
	}
}

// The checker is checked: a server with a known bug must be caught, by clients and a nemesis that bring it out.
func TestCaught(t *testing.T) {
	const within = time.Minute
	for _, test := range []struct {
		bug     string
		nemesis linearizability.Nemesis
		habits  linearizability.Habits
		months  bool
	}{
		{"ack-before-wait", linearizability.Nemesis{Drop: 1, HalfDrop: 1, Delay: 1}, linearizability.EveryHabit, false},
		{"serve-without-lease", linearizability.Nemesis{Drop: 1, HalfDrop: 1, Cut: 1}, linearizability.EveryHabit, false},
		{"apply-out-of-order", linearizability.Nemesis{Delay: 1}, linearizability.EveryHabit, false},
		{"late-fill", linearizability.Nemesis{Disorder: 1}, linearizability.Habits{Create: 1, Toggle: 10}, false},
		{"old-verdict", linearizability.Nemesis{Delay: 1}, linearizability.EveryHabit, false},
		{"renew-forgets-born", linearizability.Nemesis{Delay: 1}, linearizability.Habits{Create: 1, Detach: 2}, false},
		{"forgets-early", linearizability.Nemesis{Kill: 1}, linearizability.Habits{Create: 1, RevokeSelf: 2}, true},
	} {
		t.Run(test.bug, func(t *testing.T) {
			result := run(t, linearizability.Config{Binary: bugged, Bug: test.bug, Duration: within,
				Nemesis: test.nemesis, Habits: test.habits, Months: test.months, Rest: 5 * time.Millisecond})
			if result.Violation == nil {
				t.Fatalf("the bug was not caught within %s", within)
			}
			t.Logf("caught: %s", result.Violation)
		})
	}
}
