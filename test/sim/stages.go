package main

import (
	"fmt"
	"io"
	"time"
)

// measured are the medians, 99th percentiles in milliseconds and rates of docs/performance.md, "Several replicas".
var measured = []struct {
	replicas, callers int
	p50, p99, rate    float64
}{
	{1, 1, 2.24, 3.88, 0}, {1, 16, 8.57, 15.5, 1766}, {1, 64, 28.4, 57.9, 2137},
	{3, 1, 3.59, 6.35, 0}, {3, 16, 11.9, 22.2, 1318}, {3, 64, 34.1, 68.0, 1701},
}

// validate simulates what was measured: all on one machine of two processors.
func validate(to io.Writer, s Settings) error {
	fmt.Fprintln(to, "| replicas | callers | median, simulated | measured | ratio | p99, simulated | measured | rate, simulated | measured |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, m := range measured {
		s.Replicas, s.Callers, s.Cores, s.Shared, s.Regions = m.replicas, m.callers, 2, true, 1
		r := simulate(s)
		if err := r.broken(); err != nil {
			return err
		}
		p50 := float64(r.P50) / 1e6
		fmt.Fprintf(to, "| %d | %d | %.2f ms | %.2f ms | %.2f | %.1f ms | %.1f ms | %.0f/s | %.0f/s |\n",
			m.replicas, m.callers, p50, m.p50, p50/m.p50, float64(r.P99)/1e6, m.p99, r.Revokes, m.rate)
	}
	return nil
}

// steps are the changes to the protocol, each on top of those before.
var steps = []struct {
	name     string
	protocol Protocol
}{
	{"as it is", Protocol{}},
	{"+ append once", Protocol{Append: true}},
	{"+ single statements", Protocol{Append: true, Single: true}},
	{"+ direct reports", Protocol{Append: true, Single: true, Direct: true}},
	{"+ relays", Protocol{Append: true, Single: true, Direct: true, Relays: true}},
}

// stages prints, for each change to the protocol, size and number of regions, the highest of rates that it bears: it keeps up,
// and 99 of 100 callers wait for less than two leases.
func (p *program) stages(to io.Writer) error {
	s := p.Settings
	s.Revokes = rates[0]
	fmt.Fprintln(to, "| protocol | regions | replicas | revokes/s in time | median | p99 | statements/s | log read | database processors | without a lease | used up first beyond that |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|")
	for _, step := range steps[min(max(p.From, 0), len(steps)):] {
		for _, s.Regions = range []int{1, 5} {
			for _, s.Replicas = range p.Sizes {
				if s.Replicas < s.Regions {
					continue
				}
				s.Protocol = step.protocol
				if err := stage(to, step.name, s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// rates are what a stage is tried with, the highest first.
var rates = []float64{10000, 1000, 100, 10, 1}

// fewest is how many revokes a run must have, to say something of how long they take.
const fewest = 30

func stage(to io.Writer, name string, s Settings) error {
	beyond, span := "", s.Span
	for _, rate := range rates {
		s.Revokes = rate
		s.Span = max(span, time.Duration(fewest/rate*float64(time.Second)))
		r := simulate(s)
		if err := r.broken(); err != nil {
			return err
		}
		if !r.keepsUp() || r.P99 > 2*s.Lease {
			beyond = r.saturated()
			continue
		}
		if beyond == "" {
			beyond = "not reached; most used: " + r.saturated()
		}
		_, err := fmt.Fprintf(to, "| %s | %d | %d | %.0f | %s | %s | %.0f | %.1f MB/s | %.0f %% | %.1f %% | %s |\n", name, s.Regions, s.Replicas, rate,
			r.P50.Round(100*time.Microsecond), r.P99.Round(100*time.Microsecond), r.Statements, r.Bytes/1e6, 100*r.CPU, 100*r.Unserved, beyond)
		return err
	}
	_, err := fmt.Fprintf(to, "| %s | %d | %d | none of 1/s in time | | | | | | | %s |\n", name, s.Regions, s.Replicas, beyond)
	return err
}
