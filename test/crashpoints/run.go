// Package crashpoints kills servers and commands at every named point around a durable step (internal/testhook/crashpoint), starts
// them again, and compares what they then hold and do with what they had acknowledged (test/ledger). Kills at random
// moments are for test/crash, several replicas for test/linearizability.
package crashpoints

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// Config says what to run.
type Config struct {
	Program  string // see Build
	Postgres *pgserver.Server
	Bug      string // of internal/testhook/bug, "" for none
	Seed     uint64
	Points   []crashpoint.Point // nil: all
	Runs     int                // each way to die comes at least once
	Lanes    int                // hosts of each engine that work side by side
	PerHost  int                // deaths, before a host starts anew with nothing

	Progress func(*Result) // called after each run, if not nil
}

// Result is what came of the runs.
type Result struct {
	Runs     int
	Findings []string
	Table    map[Way]*Count
}

// Way is a line of the table.
type Way struct {
	Point  string
	Engine Engine
}

// Count is how often a way was gone, and how often something was wrong.
type Count struct{ Runs, Findings int }

// lane is a series of deaths, one after the other, on one engine.
type lane struct {
	program  string
	postgres *pgserver.Server
	engine   Engine
	bug      string
	random   *rand.Rand

	contradictions []string // of hosts that are gone
	files          int
}

// Run goes through the deaths that the configuration asks for. An error is one of the test itself.
func Run(ctx context.Context, c Config) (*Result, error) {
	r := &Result{Table: map[Way]*Count{}}
	var mu sync.Mutex
	note := func(d Death, found []string) {
		mu.Lock()
		defer mu.Unlock()
		r.note(d, found)
		if c.Progress != nil {
			c.Progress(r)
		}
	}
	var all sync.WaitGroup
	var errs []error
	for engine, deaths := range c.deaths() {
		queue := make(chan Death, len(deaths))
		for _, d := range deaths {
			queue <- d
		}
		close(queue)
		for n := range c.Lanes {
			all.Go(func() {
				l := &lane{program: c.Program, postgres: c.Postgres, engine: engine, bug: c.Bug, random: rand.New(rand.NewPCG(c.Seed, uint64(n)))}
				if err := l.work(ctx, queue, c.PerHost, note); err != nil {
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, err)
				}
			})
		}
	}
	all.Wait()
	return r, errors.Join(errs...)
}

// deaths returns each way to die once, and then what chance says, in random order.
func (c Config) deaths() map[Engine][]Death {
	random := rand.New(rand.NewPCG(c.Seed, 1<<32))
	var ways []Death
	for _, p := range Plans() {
		if c.Points != nil && !slices.Contains(c.Points, p.Point) {
			continue
		}
		for _, e := range p.Engines {
			ways = append(ways, Death{p, e, 1})
		}
	}
	all := slices.Clone(ways)
	for len(all) < c.Runs {
		all = append(all, ways[random.IntN(len(ways))])
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	byEngine := map[Engine][]Death{}
	for _, d := range all {
		d.N = 1 + random.IntN(d.Plan.Most)
		byEngine[d.Engine] = append(byEngine[d.Engine], d)
	}
	return byEngine
}

// work goes through deaths until none is left or ctx ends.
func (l *lane) work(ctx context.Context, queue <-chan Death, perHost int, note func(Death, []string)) error {
	for ctx.Err() == nil {
		h, err := l.newHost()
		if err != nil {
			return err
		}
		more, err := h.live(ctx, queue, perHost, note)
		if err = errors.Join(err, h.close()); err != nil || !more {
			return err
		}
	}
	return nil
}

// live goes through some deaths on one host. What is found at a start belongs to the death before it.
func (h *host) live(ctx context.Context, queue <-chan Death, most int, note func(Death, []string)) (more bool, err error) {
	var last Death
	for range most {
		d, ok := <-queue
		if !ok || ctx.Err() != nil {
			break
		}
		err := errNotReached
		for tries := 0; tries < 3 && errors.Is(err, errNotReached); tries++ {
			err = d.Plan.drive(h, d)
		}
		found := h.found()
		if err != nil {
			found = append(found, fmt.Sprintf("%s on %s: %v", d.at(), d.Engine, err))
		}
		if last.Plan != nil && len(found) > 0 {
			found = append(found, fmt.Sprintf("(that was at or before %s; the death before it was at %s)", d.at(), last.at()))
		}
		if note(d, found); len(found) > 0 {
			return true, nil // on a new host, so that one fault is not told twice
		}
		last, more = d, true
	}
	if last.Plan == nil {
		return false, nil
	}
	return more && ctx.Err() == nil, h.finish(last, note)
}

// finish compares everything once more, and has doctor look at the host.
func (h *host) finish(last Death, note func(Death, []string)) error {
	if h.ledger == nil {
		return nil
	}
	err := errors.Join(h.check(), h.doctor())
	found := h.found()
	if err != nil {
		found = append(found, err.Error())
	}
	if len(found) > 0 {
		note(last, append(found, "(after the last death of a host, at "+last.at()+")"))
	}
	return nil
}

// found returns what the ledger and the hosts that are gone have found since the last call.
func (h *host) found() (all []string) {
	all, h.contradictions = h.contradictions, nil
	if h.ledger != nil {
		all = append(all, h.ledger.Contradictions()...)
	}
	return all
}

func (r *Result) note(d Death, found []string) {
	way := Way{string(d.Plan.Point), d.Engine}
	if r.Table[way] == nil {
		r.Table[way] = &Count{}
	}
	r.Runs++
	r.Table[way].Runs++
	if len(found) > 0 {
		r.Table[way].Findings++
		r.Findings = append(r.Findings, strings.Join(found, "\n\t"))
	}
}

// String is the table, by point and engine.
func (r *Result) String() string {
	var ways []Way
	for w := range r.Table {
		ways = append(ways, w)
	}
	slices.SortFunc(ways, func(a, b Way) int {
		return strings.Compare(a.Point+string(a.Engine), b.Point+string(b.Engine))
	})
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %-9s %6s %9s\n", "point", "engine", "runs", "findings")
	for _, w := range ways {
		fmt.Fprintf(&b, "%-18s %-9s %6d %9d\n", w.Point, w.Engine, r.Table[w].Runs, r.Table[w].Findings)
	}
	fmt.Fprintf(&b, "%-18s %-9s %6d %9d\n", "all", "", r.Runs, len(r.Findings))
	return b.String()
}

// NewPostgres starts a PostgreSQL for the hosts. It never dies here, only its clients do, so it need not wait for the disk.
func NewPostgres() (*pgserver.Server, error) {
	return pgserver.Start(pgserver.Options{NoSync: true})
}

// Build builds the program into a folder, so that it can be told where to die and which bug to have.
func Build(dir string) (program string, err error) {
	return cluster.Build(dir, cluster.Obedient)
}
