// Soak runs the proof of revocation for as long as it is told to, and ends with status 1 at the first violation.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/linearizability"
	"github.com/sallyport/sallyport/test/pgserver"
)

func main() {
	duration := flag.Duration("duration", time.Hour, "how long to run")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "decides what clients and nemesis do")
	bug := flag.String("bug", "", "put a known bug into the server, to see it found")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := soak(ctx, *duration, *seed, *bug); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func soak(ctx context.Context, duration time.Duration, seed uint64, bug string) (err error) {
	dir, err := os.MkdirTemp("", "sallyport-soak-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tags := ""
	if bug != "" {
		tags = cluster.Obedient
	}
	program, err := cluster.Build(dir, tags)
	if err != nil {
		return err
	}
	postgres, err := pgserver.Start(pgserver.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, postgres.Close()) }()
	fmt.Println("seed", seed)
	result, err := linearizability.Run(ctx, linearizability.Config{Binary: program, Postgres: postgres, Bug: bug, Seed: seed,
		Duration: duration, Nemesis: linearizability.EveryMisfortune, Habits: linearizability.EveryHabit,
		Progress: func(r *linearizability.Result) { fmt.Println(r) }})
	if err != nil {
		return err
	}
	fmt.Println(result)
	return result.Failure(".")
}
