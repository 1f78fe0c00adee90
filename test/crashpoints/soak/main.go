// Soak kills servers at every crash point, as often as it is told to, and ends with status 1 if anything was wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
	"github.com/sallyport/sallyport/test/crashpoints"
)

func main() {
	c := crashpoints.Config{}
	flag.IntVar(&c.Runs, "runs", 10_000, "how many deaths")
	flag.Uint64Var(&c.Seed, "seed", uint64(time.Now().UnixNano()), "decides where and when servers die")
	flag.IntVar(&c.Lanes, "lanes", 2, "hosts of each engine side by side")
	flag.IntVar(&c.PerHost, "per-host", 40, "deaths of one host, before the next one starts with nothing")
	flag.StringVar(&c.Program, "program", "", "the server, built with the tags crashpoints and plantedbugs; it is built if none is named")
	flag.StringVar(&c.Bug, "bug", "", "put a known bug into the server, to see it found")
	points := flag.String("points", "", "only these points, with commas between; all if none is named")
	flag.Parse()
	for name := range strings.SplitSeq(*points, ",") {
		if name != "" {
			c.Points = append(c.Points, crashpoint.Point(name))
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := soak(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func soak(ctx context.Context, c crashpoints.Config) (err error) {
	dir, err := os.MkdirTemp("", "sallyport-soak-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if c.Program == "" {
		if c.Program, err = crashpoints.Build(dir); err != nil {
			return err
		}
	}
	if c.Postgres, err = crashpoints.NewPostgres(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Postgres.Close()) }()
	began, told := time.Now(), 0
	c.Progress = func(r *crashpoints.Result) {
		for ; told < len(r.Findings); told++ {
			fmt.Println("FOUND", r.Findings[told])
		}
		if r.Runs%100 == 0 {
			fmt.Printf("%s: %d of %d runs, %d findings\n", time.Since(began).Round(time.Second), r.Runs, c.Runs, len(r.Findings))
		}
	}
	fmt.Println("seed", c.Seed)
	r, err := crashpoints.Run(ctx, c)
	fmt.Print(r)
	if err == nil && len(r.Findings) > 0 {
		err = fmt.Errorf("%d of %d runs found something", len(r.Findings), r.Runs)
	}
	return err
}
