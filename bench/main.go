// Command bench measures what Sallyport is slow or fast at, each figure beside its floor in the same run: the least that
// the work could cost with the same parts. It prints one table, and ends with status 1 when a budget is missed by more
// than a tenth. docs/performance.md tells what the lines mean. It changes nothing outside a temporary folder.
//
// Usage: go run ./bench [-row TEXT] [-profile FILE] [part ...], where the parts are verify, ability, reads, logins, changes, secret-reads, secrets, replicas, start and lists; none means all.
// With -row, of the parts that have requests and changes only the lines whose name holds TEXT are measured; with -profile, the
// last server of the run leaves a profile of its processor time.
// Apart from these, go run ./bench scale [-most N] [-engine both] shows how costs grow; it takes minutes and gigabytes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// parts are the groups of lines, in the order of the table.
var parts = []struct {
	name string
	run  func(*bench) ([]line, error)
}{
	{"verify", verify}, {"ability", ability}, {"reads", reads}, {"logins", logins}, {"changes", changes}, {"secret-reads", secretReads}, {"secrets", secrets}, {"replicas", replicas}, {"start", starts}, {"lists", lists},
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == floorCommand {
		exit(serveFloor(os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	measure := run
	if len(os.Args) > 1 && os.Args[1] == scaleCommand {
		measure = func(ctx context.Context, args []string) (bool, error) { return scale(ctx, args[1:]) }
	}
	missed, err := measure(ctx, os.Args[1:])
	if err != nil || missed {
		stop()
		exit(err)
	}
}

// exit ends the program with status 1, after saying why if there is something to say.
func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	os.Exit(1)
}

// run measures the parts that are named, or all, and reports whether a budget is missed by more than a tenth.
func run(ctx context.Context, args []string) (missed bool, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	row, profile := flags.String("row", "", "measure only lines whose name holds this text"), flags.String("profile", "", "file for a processor profile of the server")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	names := flags.Args()
	for _, name := range names {
		if !slices.Contains(partNames(), name) {
			return false, fmt.Errorf("there is no part %q; the parts are %s", name, strings.Join(partNames(), ", "))
		}
	}
	b, err := newBench(ctx, *row, *profile)
	if err != nil {
		return false, err
	}
	defer b.close()
	var table []line
	for _, p := range parts {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s ...\n", p.name)
		found, err := p.run(b)
		if err != nil {
			return false, fmt.Errorf("%s: %w", p.name, err)
		}
		table = append(table, found...)
	}
	return slices.ContainsFunc(table, line.failed), show(os.Stdout, table)
}

func partNames() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

// bench is one run: a temporary folder with the server's program and its databases in it.
type bench struct {
	ctx     context.Context
	dir     string
	program string // the server, built as it is released
	running []*process
	row     string // what the name of a line must hold
	profile string // the file for a profile of the server, or ""
}

// wants reports whether a line is to be measured.
func (b *bench) wants(what string) bool { return strings.Contains(what, b.row) }

// close ends what still runs, and removes the folder.
func (b *bench) close() {
	for _, p := range b.running {
		p.kill()
	}
	if err := os.RemoveAll(b.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

func newBench(ctx context.Context, row, profile string) (*bench, error) {
	dir, err := os.MkdirTemp("", "sallyport-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{ctx: ctx, dir: dir, program: filepath.Join(dir, "sallyport"), row: row, profile: profile}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.program)
	if profile != "" {
		build.Args = append(build.Args, "-tags", "profiled")
	}
	build.Args = append(build.Args, "github.com/sallyport/sallyport/cmd/sallyport")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot build the server: %w\n%s%w", err, out, os.RemoveAll(dir))
	}
	return b, nil
}

// folder makes a new folder for one database.
func (b *bench) folder() (string, error) { return os.MkdirTemp(b.dir, "data-") }
