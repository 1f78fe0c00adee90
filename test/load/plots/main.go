// Command plots makes the pictures of docs/performance.md again: it starts servers on this machine, has sallyport-load load
// them, and draws the results. It decides what is measured and on what; measuring and drawing are those of sallyport-load.
//
// Usage: go run ./test/load/plots [--out docs/plots] [--keep FOLDER] [--only PART,...]
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

type flags struct {
	Out  string   `default:"docs/plots" type:"path" help:"Folder for the pictures."`
	Keep string   `type:"path" help:"Folder for the results as JSON; they are thrown away without it."`
	Only []string `enum:"sqlite,postgres-1,postgres-3,memory" default:"sqlite,postgres-1,postgres-3,memory" help:"Parts to make."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Description("Makes the plots of docs/performance.md again."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "plots:", err)
		stop()
		os.Exit(1)
	}
}

// plots is one making of all pictures.
type plots struct {
	ctx          context.Context
	out, dir     string // of the pictures, and of the results
	only         []string
	server, load string // programs
}

func run(ctx context.Context, f flags) (err error) {
	dir, err := os.MkdirTemp("", "sallyport-plots-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p := &plots{ctx: ctx, out: f.Out, dir: f.Keep, only: f.Only, load: filepath.Join(dir, "sallyport-load")}
	if p.dir == "" {
		p.dir = filepath.Join(dir, "results")
	}
	if err := errors.Join(os.MkdirAll(p.out, 0o755), os.MkdirAll(p.dir, 0o755), p.build(dir)); err != nil {
		return err
	}
	return p.all()
}

func (p *plots) build(dir string) (err error) {
	if p.server, err = cluster.Build(dir, ""); err != nil {
		return err
	}
	out, err := exec.CommandContext(p.ctx, "go", "build", "-o", p.load, "github.com/sallyport/sallyport/test/load").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building sallyport-load: %w\n%s", err, out)
	}
	return nil
}

// all makes every picture that is asked for.
func (p *plots) all() error {
	pg, err := pgserver.Start(pgserver.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = pg.Close() }() // its files are temporary
	for _, s := range []site{
		{"sqlite", "SQLite, 1 replica", nil, 1},
		{"postgres-1", "PostgreSQL, 1 replica", pg, 1},
		{"postgres-3", "PostgreSQL, 3 replicas", pg, 3},
	} {
		if !slices.Contains(p.only, s.name) {
			continue
		}
		if err := p.underLoad(s); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	if !slices.Contains(p.only, "memory") {
		return nil
	}
	return p.memory()
}

// site is an installation to measure.
type site struct {
	name, title string
	postgres    *pgserver.Server // nil for SQLite
	replicas    int
}

// lease is that of the replicas, the default of the server.
const lease = 2 * time.Second

func (p *plots) start(s site) (*cluster.Cluster, error) {
	env := []string{"SALLYPORT_LOG_LEVEL=warn"}
	if s.postgres != nil {
		name, err := s.postgres.NewDatabase(p.ctx)
		if err != nil {
			return nil, err
		}
		at := url.Values{"host": {s.postgres.Dir}, "user": {"postgres"}} // past the links that tests put between
		env = append(env, "SALLYPORT_DATABASE_URL=postgres:///"+name+"?"+at.Encode())
	}
	return cluster.Start(p.ctx, cluster.Options{Binary: p.server, Postgres: s.postgres, Replicas: s.replicas, Lease: lease, Env: env})
}

// command runs sallyport-load with a token, and shows what it says.
func (p *plots) command(token string, args ...string) error {
	cmd := exec.CommandContext(p.ctx, p.load, args...)
	cmd.Env = append(os.Environ(), "SALLYPORT_TOKEN="+token)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it can take away what it made
	return cmd.Run()
}
