// Sallyport-sim simulates revoking on many replicas in several regions: the protocol of docs/revocation.md as internal/feed
// runs it, event by event, with what its steps cost on a real machine. It knows nothing of tokens, and touches no database.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

// program is the command line: one run with the settings given, or the stages of docs/scaling.md.
type program struct {
	Settings
	Stages   bool  `help:"Print the table of stages instead: the protocol as it is, then each change to it."`
	Sizes    []int `help:"Numbers of replicas of the stages." default:"1,3,10,30,100,300,1000"`
	From     int   `help:"The first step of the stages: 0 is the protocol as it is, 4 the one with all changes." default:"0"`
	Validate bool  `help:"Print the runs of docs/performance.md, next to the measured figures."`
}

func main() {
	var p program
	kong.Parse(&p, kong.Name("sallyport-sim"), kong.Description("Simulates revoking on many replicas in several regions."))
	if err := p.run(); err != nil {
		fmt.Fprintln(os.Stderr, "sallyport-sim:", err)
		os.Exit(1)
	}
}

func (p *program) run() error {
	if err := p.Settings.check(); err != nil {
		return err
	}
	switch {
	case p.Stages:
		return p.stages(os.Stdout)
	case p.Validate:
		return validate(os.Stdout, p.Settings)
	}
	r := simulate(p.Settings)
	if _, err := fmt.Fprint(os.Stdout, r); err != nil {
		return err
	}
	return r.broken()
}
