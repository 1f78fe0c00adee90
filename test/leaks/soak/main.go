// Soak keeps a server at half of the load that it can take, and ends with status 1 if its memory, its goroutines or its
// open files grow. It does not judge what the server answers, only that it does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// options are what the flags say.
type options struct {
	duration, warmup time.Duration
	engine           string
	seed             uint64
	rate             float64
}

func main() {
	var o options
	flag.DurationVar(&o.duration, "duration", time.Hour, "how long to run")
	flag.DurationVar(&o.warmup, "warmup", 0, "how much of that is not judged, since caches fill; 0 means a sixth")
	flag.StringVar(&o.engine, "engine", "sqlite", "sqlite or postgres")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "decides what callers do")
	flag.Float64Var(&o.rate, "rate", 0, "requests a second; 0 means half of what the server can take, which is measured first")
	flag.Parse()
	if o.warmup == 0 {
		o.warmup = o.duration / 6
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := soak(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func soak(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "sallyport-leaks-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	servers := cluster.Options{Replicas: 1, Lease: 2 * time.Second}
	if servers.Binary, err = cluster.Build(dir, ""); err != nil {
		return err
	}
	switch o.engine {
	case "sqlite":
	case "postgres":
		if servers.Postgres, err = pgserver.Start(pgserver.Options{}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, servers.Postgres.Close()) }()
	default:
		return fmt.Errorf("-engine %s: choose sqlite or postgres", o.engine)
	}
	c, err := cluster.Start(ctx, servers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	s, err := furnish(ctx, c)
	if err != nil {
		return err
	}
	return s.run(ctx, o)
}

// run finds out what the server can take, loads it with half of that, and judges what it used.
func (s *site) run(ctx context.Context, o options) error {
	if err := s.fill(ctx); err != nil {
		return err
	}
	if o.rate == 0 {
		most, err := s.capacity(ctx, o.seed)
		if err != nil {
			return err
		}
		fmt.Printf("it can take %.0f requests a second from %d callers\n", most, callers)
		o.rate = most / 2
	}
	fmt.Printf("engine %s, seed %d: %.0f requests a second for %s, judged after %s\n", o.engine, o.seed, o.rate, o.duration, o.warmup)
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	loaded := make(chan error, 1)
	go func() {
		defer cancel() // a load that fails ends the watch too
		loaded <- s.load(ctx, o.seed+1, o.rate)
	}()
	samples := s.watch(ctx, o.duration)
	if err := <-loaded; err != nil {
		return err
	}
	return judge(samples, o.warmup)
}

// capacity measures how many requests a second the server answers when all callers ask as fast as they can.
func (s *site) capacity(ctx context.Context, seed uint64) (perSecond float64, err error) {
	const trial = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, trial)
	defer cancel()
	before := s.answers.Load()
	err = s.load(ctx, seed, 0)
	return float64(s.answers.Load()-before) / trial.Seconds(), err
}

// newRandom returns the choices of one caller.
func newRandom(seed uint64, caller int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(caller)))
}
