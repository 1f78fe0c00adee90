package main

import (
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// settings returns the defaults of the command line, changed, for a short run.
func settings(t *testing.T, change func(*Settings)) Settings {
	t.Helper()
	var p program
	parser, err := kong.New(&p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	p.Span = 4 * time.Second
	if change != nil {
		change(&p.Settings)
	}
	return p.Settings
}

func TestRunsOfOneSeedAreTheSame(t *testing.T) {
	s := settings(t, func(s *Settings) { s.Replicas, s.Regions, s.Revokes, s.Dead = 10, 5, 5, 1 })
	first := simulate(s)
	if diff := cmp.Diff(first, simulate(s)); diff != "" {
		t.Error(diff)
	}
	s.Seed++
	if cmp.Equal(first.P999, simulate(s).P999) {
		t.Error("another seed makes the same run")
	}
}

// TestPromise: in no run may a replica answer from memory without knowing what was acknowledged, and a bug that is planted must
// be seen.
func TestPromise(t *testing.T) {
	relays := Protocol{Append: true, Single: true, Direct: true, Relays: true}
	for name, c := range map[string]struct {
		change func(*Settings)
		broken bool
	}{
		"kept/one region":            {func(*Settings) {}, false},
		"kept/five regions":          {func(s *Settings) { s.Replicas, s.Regions, s.Revokes = 10, 5, 5 }, false},
		"kept/a dead replica":        {func(s *Settings) { s.Dead = 1 }, false},
		"kept/a slow replica":        {func(s *Settings) { s.Slow = 1000 }, false},
		"kept/a region cut off":      {func(s *Settings) { s.Replicas, s.Regions, s.Cut, s.Span = 6, 2, true, 12*time.Second }, false},
		"kept/append once":           {func(s *Settings) { s.Protocol = Protocol{Append: true} }, false},
		"kept/relays":                {func(s *Settings) { s.Replicas, s.Regions, s.Protocol = 20, 5, relays }, false},
		"kept/relays, a member dead": {func(s *Settings) { s.Replicas, s.Regions, s.Protocol, s.Dead = 20, 5, relays, 2 }, false},
		"kept/relays, a region cut off": {func(s *Settings) {
			s.Replicas, s.Regions, s.Protocol, s.Cut, s.Span = 9, 3, relays, true, 12*time.Second
		}, false},
		"broken/ack before the wait": {func(s *Settings) { s.Bug = "ack-before-wait" }, true},
		"broken/ack before the wait, relays": {func(s *Settings) {
			s.Replicas, s.Regions, s.Protocol, s.Bug = 20, 5, relays, "ack-before-wait"
		}, true},
		"broken/serve without a lease": {func(s *Settings) {
			s.Replicas, s.Regions, s.Cut, s.Bug, s.Span = 6, 2, true, "serve-without-lease", 12*time.Second
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := simulate(settings(t, c.change))
			if got := r.broken() != nil; got != c.broken {
				t.Errorf("%v", r.broken())
			}
			if r.Revokes == 0 {
				t.Error("no revoke was acknowledged: nothing was tried")
			}
		})
	}
}

// TestOneLeaseAtMost: a dead replica costs a lease and its margin, once, and then revokes are quick again.
func TestOneLeaseAtMost(t *testing.T) {
	s := settings(t, func(s *Settings) { s.Dead, s.Span = 1, 10*time.Second })
	r := simulate(s)
	if r.P999 < s.Lease/2 || r.P999 > s.Lease*5/4 {
		t.Errorf("the slowest took %s; a lease is %s", r.P999, s.Lease)
	}
	if r.P50 > 100*time.Millisecond {
		t.Errorf("the median is %s", r.P50)
	}
}

// TestFartherIsSlower: the same run over longer ways takes longer.
func TestFartherIsSlower(t *testing.T) {
	last := time.Duration(0)
	for _, distance := range []float64{0.01, 0.1, 0.3, 1, 1.5} {
		r := simulate(settings(t, func(s *Settings) {
			s.Replicas, s.Regions, s.Revokes, s.Span, s.Distance = 5, 5, 0.5, 60*time.Second, distance
		}))
		if r.P50 <= last {
			t.Errorf("%.2f of the distance: the median is %s, and %s for less", distance, r.P50, last)
		}
		last = r.P50
	}
}

// TestCostsCount: what costs more makes a run slower, or busier.
func TestCostsCount(t *testing.T) {
	base := simulate(settings(t, nil))
	for name, change := range map[string]func(*Costs){
		"statement": func(c *Costs) { c.Statement *= 4 }, "flush": func(c *Costs) { c.Flush *= 8 }, "local": func(c *Costs) { c.Local *= 8 },
		"deliver": func(c *Costs) { c.Deliver *= 500 }, "request": func(c *Costs) { c.Request *= 8 },
	} {
		r := simulate(settings(t, func(s *Settings) { change(&s.Costs) }))
		if r.P50 <= base.P50 {
			t.Errorf("%s: the median is %s, as it was for less: %s", name, r.P50, base.P50)
		}
	}
}

// TestNearTheMeasured holds the simulation to docs/performance.md: medians within a factor of two, for all that was measured.
func TestNearTheMeasured(t *testing.T) {
	for _, m := range measured {
		r := simulate(settings(t, func(s *Settings) {
			s.Replicas, s.Callers, s.Cores, s.Shared, s.Span = m.replicas, m.callers, 2, true, 2*time.Second
		}))
		if ratio := float64(r.P50) / 1e6 / m.p50; ratio < 0.5 || ratio > 2 {
			t.Errorf("%d replicas, %d callers: %s, measured %.2f ms", m.replicas, m.callers, r.P50, m.p50)
		}
	}
}
