// Command drain restarts three replicas, one after the other, behind each proxy that docs/operations.md has settings for,
// under 400 requests a second, and counts the requests that are lost. It needs Caddy, nginx, HAProxy and PostgreSQL, and exits
// with 1 unless none was lost and 99 of 100 took less than 100 ms.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// slow is what one request in a hundred may take.
const slow = 100 * time.Millisecond

// rest is how long replicas run between two restarts, and for how long the load goes on before the first and after the last.
const rest = 3 * time.Second

func main() {
	program := flag.String("program", "", "the server; built if empty")
	drain := flag.Duration("drain", 5*time.Second, "the --drain of the replicas")
	only := flag.String("proxy", "", "caddy, checks, nginx or haproxy; all if empty")
	flag.Parse()
	if err := measure(*program, *drain, *only); err != nil {
		fmt.Fprintln(os.Stderr, "drain:", err)
		os.Exit(1)
	}
}

func measure(program string, drain time.Duration, only string) (err error) {
	dir, err := os.MkdirTemp("", "sallyport-drain-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if program == "" {
		if program, err = cluster.Build(dir, ""); err != nil {
			return err
		}
	}
	postgres, err := pgserver.Start(pgserver.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, postgres.Close()) }()
	c, err := cluster.Start(context.Background(), cluster.Options{Binary: program, Postgres: postgres, Replicas: 3, Lease: 2 * time.Second,
		Env: []string{"SALLYPORT_DRAIN=" + drain.String(), "SALLYPORT_TRUSTED_PROXIES=127.0.0.1"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var errs []error
	for _, p := range proxies {
		if only == "" || only == p.name {
			errs = append(errs, behind(p, dir, c))
		}
	}
	return errors.Join(errs...)
}

// behind restarts each replica once behind a proxy, and prints what came of it.
func behind(p proxy, dir string, c *cluster.Cluster) error {
	var addresses []string
	for _, r := range c.Replicas {
		addresses = append(addresses, r.Addr)
	}
	url, stop, err := p.start(dir, addresses)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	l := newLoad(url, c.Admin, c.AdminID)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx)
	}()
	err = restart(c)
	cancel()
	<-done
	return errors.Join(err, stop(), l.report(p.name))
}

func restart(c *cluster.Cluster) error {
	for _, r := range c.Replicas {
		<-time.After(rest)
		r.Stop()
		if err := r.Start(); err != nil {
			return err
		}
	}
	<-time.After(rest)
	return nil
}

// report prints the result, and returns an error if it is not good enough.
func (l *load) report(name string) error {
	fmt.Printf("%-8s %6d requests, %d lost, p99 %s\n", name, l.count, l.missed(), l.p99().Round(100*time.Microsecond))
	for wrong, times := range l.lost {
		fmt.Printf("         %6d times: %s\n", times, wrong)
	}
	if l.missed() > 0 || l.p99() > slow {
		return fmt.Errorf("behind %s requests were lost or slow", name)
	}
	return nil
}
