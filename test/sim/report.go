package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// result is what a run found.
type result struct {
	Settings   Settings
	P50        time.Duration // how long a caller waited for the answer to a revoke
	P99        time.Duration
	P999       time.Duration
	Revokes    float64 // acknowledged, a second
	Unanswered int     // asked for in the measured time, but not answered when it ended

	Statements float64 // a second, at the database
	Commits    float64
	Notices    float64 // notifications brought to a listener, a second
	Bytes      float64 // of the log that was read from the database, a second
	CPU        float64 // load of the database's processors, 1 for all of them
	Disk       float64 // load of its disk
	Lock       float64 // load of the lock on the log's head
	Replica    float64 // load of the busiest replica's two processors, revokes alone

	Memory     float64 // bytes of live revocations in each replica
	Cores      float64 // of all replicas, for the checks
	Unserved   float64 // part of the time in which a living replica has no lease
	Violations int     // broken promises; always 0, unless a bug is planted
}

// simulate runs the settings and sums up.
func simulate(s Settings) *result {
	w := newWorld(s)
	w.simulate()
	seconds := s.Span.Seconds()
	whole := s.Span + w.warm
	slices.Sort(w.took)
	r := &result{Settings: s, P50: w.quantile(0.5), P99: w.quantile(0.99), P999: w.quantile(0.999), Revokes: float64(len(w.took)) / seconds,
		Unanswered: w.asked - len(w.took), Violations: w.violations,
		Statements: float64(w.db.statements) / whole.Seconds(), Commits: float64(w.db.commits) / whole.Seconds(),
		Notices: float64(w.db.notifies) / whole.Seconds(), Bytes: float64(w.db.bytes) / whole.Seconds(),
		CPU: w.db.cpu.load(whole), Disk: w.db.disk.load(whole), Lock: w.db.head.load(whole),
		Cores:    s.Checks * s.Costs.Check.Seconds(),
		Unserved: w.unserved.Seconds() / seconds / float64(s.Replicas)}
	r.Memory = r.rate() * s.Lifetime.Seconds() * float64(s.Costs.Memory)
	if !s.Shared {
		for _, one := range w.replicas {
			r.Replica = max(r.Replica, one.cpu.load(whole))
		}
	}
	return r
}

// rate is how many revokes were asked for in a second.
func (r *result) rate() float64 {
	if r.Settings.Callers > 0 {
		return r.Revokes
	}
	return r.Settings.Revokes
}

func (w *world) quantile(q float64) time.Duration {
	if len(w.took) == 0 {
		return 0
	}
	return w.took[min(int(q*float64(len(w.took))), len(w.took)-1)]
}

// saturated names what is used up, or what is used most.
func (r *result) saturated() string {
	name, most := "the lock on the log's head", r.Lock
	for other, load := range map[string]float64{"processors of the database": r.CPU, "disk of the database": r.Disk, "processors of a replica": r.Replica} {
		if load > most {
			name, most = other, load
		}
	}
	if most < 0.7 { // if it does not keep up, it is for the round trips
		return fmt.Sprintf("nothing (%s: %.0f %%)", name, 100*most)
	}
	return fmt.Sprintf("%s: %.0f %%", name, 100*min(most, 1))
}

// keepsUp reports whether the answers come as fast as the requests: no more is left over than comes in a lease.
func (r *result) keepsUp() bool {
	return float64(r.Unanswered) <= max(r.Settings.Lease.Seconds()*r.rate(), float64(r.Settings.Callers)) && r.Revokes > 0
}

// broken is an error if the promise was broken.
func (r *result) broken() error {
	if r.Violations > 0 {
		return fmt.Errorf("%d times a replica could have accepted what was acknowledged as revoked", r.Violations)
	}
	return nil
}

// String is for people.
func (r *result) String() string {
	var out strings.Builder
	row := func(name, format string, values ...any) {
		fmt.Fprintf(&out, "%-34s %s\n", name, fmt.Sprintf(format, values...))
	}
	row("revoke, median", "%s", r.P50.Round(10*time.Microsecond))
	row("revoke, 99th percentile", "%s", r.P99.Round(10*time.Microsecond))
	row("revoke, 99.9th percentile", "%s", r.P999.Round(10*time.Microsecond))
	row("revokes acknowledged", "%.0f/s (%d not answered at the end)", r.Revokes, r.Unanswered)
	row("statements at the database", "%.0f/s", r.Statements)
	row("commits", "%.0f/s", r.Commits)
	row("notifications brought", "%.0f/s", r.Notices)
	row("log read", "%.2f MB/s", r.Bytes/1e6)
	row("database: processors, disk, lock", "%.0f %%, %.0f %%, %.0f %%", 100*r.CPU, 100*r.Disk, 100*r.Lock)
	row("busiest replica, revokes alone", "%.0f %% of two processors", 100*r.Replica)
	row("used up first", "%s", r.saturated())
	row("memory of live revocations", "%.2f GB in each replica", r.Memory/1e9)
	row("cores for checks", "%.0f in all", r.Cores)
	row("replicas without a lease", "%.2f %% of their time", 100*r.Unserved)
	row("broken promises", "%d", r.Violations)
	return out.String()
}
