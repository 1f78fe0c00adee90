// Package linearizability proves the promise of revocation on the real thing: clients use, renew and take back tokens at
// three server processes on one PostgreSQL, while a nemesis kills, freezes and cuts off whatever it can reach. Every
// request is recorded, and Porcupine judges the history of every token against a model of one. It does not start the
// parts; package cluster does.
package linearizability

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// Config says what a run does.
type Config struct {
	Binary   string // the server; see cluster.Build
	Postgres *pgserver.Server
	Bug      string // the bug to put in, for a binary built with cluster.Obedient; "" for none
	Seed     uint64 // decides what the clients and the nemesis do, though not how the machine schedules it
	Duration time.Duration
	Nemesis  Nemesis
	Habits   Habits
	Months   bool          // let months pass, with periodic tokens of Universal Auth; for a binary built with cluster.Obedient
	Rest     time.Duration // of a user between two uses; 0 for as many uses as the machine can do
	Progress func(*Result) // called about every ten seconds, if set
}

// How big a run is: the replicas, the families that live at the same time, and the lease.
const (
	replicas = 3
	families = 4
	lease    = 500 * time.Millisecond
)

// run is a run under way.
type run struct {
	Config
	cluster   *cluster.Cluster
	lease     time.Duration
	began     time.Time
	incidents incidents
	calendar  calendar
	database  sync.Mutex // held while PostgreSQL is down
	result    tally
	calls     context.Context // ends with the first violation
	stop      context.CancelFunc
}

// Run does what the configuration says and returns what it saw. It ends at the first violation. An error says that the
// run itself could not be done; a violation is no error.
func Run(ctx context.Context, c Config) (*Result, error) {
	r := &run{Config: c, lease: lease}
	options := cluster.Options{Binary: c.Binary, Postgres: c.Postgres, Replicas: replicas, Lease: lease}
	if c.Bug != "" {
		options.Env = append(options.Env, "SALLYPORT_PLANTED_BUG="+c.Bug)
	}
	if c.Months {
		options.Env = append(options.Env, "SALLYPORT_CRASHPOINT_PACE="+tick.String()) // of flushing and cleaning up
	}
	var err error
	if r.cluster, err = cluster.Start(ctx, options); err != nil {
		return nil, err
	}
	r.calls, r.stop = context.WithCancel(ctx)
	defer r.stop()
	r.began = time.Now()
	err = r.working(r.calls)
	result := r.result.snapshot(r.now())
	if err != nil || result.Violation != nil {
		result.Logs = r.logs()
	}
	return result, errors.Join(err, r.cluster.Close())
}

// working is work, in a run of months with a calendar.
func (r *run) working(ctx context.Context) error {
	if !r.Months {
		return r.work(ctx)
	}
	dir, err := os.MkdirTemp("", "sallyport-calendar-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := r.calendar.begin(r.cluster, dir); err != nil {
		return err
	}
	return r.work(ctx)
}

// now is the time since the run began. It only grows.
func (r *run) now() time.Duration { return time.Since(r.began) }

// work lets families live one after the other in several lanes, and the nemesis beside them.
func (r *run) work(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.Duration)
	defer cancel()
	var nemesis, lanes sync.WaitGroup
	failed := make(chan error, families+hands+2)
	for hand := range hands {
		nemesis.Go(func() { failed <- r.haunt(ctx, r.random(hand)) })
	}
	nemesis.Go(func() { r.report(ctx) })
	if r.Months {
		nemesis.Go(func() { failed <- r.age(ctx, r.random(hands+families)) })
	}
	for lane := range families {
		lanes.Go(func() { r.lane(ctx, r.random(hands+lane)) })
	}
	nemesis.Wait() // it leaves everything whole, so that families under way can end
	lanes.Wait()
	close(failed)
	var errs []error
	for err := range failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// random returns a source of its own for each part of a run.
func (r *run) random(part int) *rand.Rand { return rand.New(rand.NewPCG(r.Seed, uint64(part))) }

// lane lets one family live after the other, and judges each at its end.
func (r *run) lane(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		f := &family{run: r, random: rand.New(rand.NewPCG(random.Uint64(), 0))}
		f.live(ctx)
		if r.calls.Err() != nil {
			return // a violation was found meanwhile, and nobody waited for the end of this family
		}
		v := f.check()
		r.result.family(f, v)
		if v != nil {
			r.stop()
		}
	}
}

func (r *run) report(ctx context.Context) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if r.Progress != nil {
				r.Progress(r.result.snapshot(r.now()))
			}
		}
	}
}

func (r *run) logs() (files []string) {
	for _, replica := range r.cluster.Replicas {
		files = append(files, fmt.Sprintf("--- %s\n%s", replica.Name, replica.Tail(40)))
	}
	return files
}
