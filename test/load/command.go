package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// commands is the grammar of the command line.
type commands struct {
	Run   runCmd   `cmd:"" help:"Load a server once, and print what was measured. Status 1 if a revoked token was accepted, or the run ended early."`
	Sweep sweepCmd `cmd:"" help:"The same with several rates or numbers of callers, one after the other."`
	Plot  plotCmd  `cmd:"" help:"Draw results as an SVG picture."`
}

// console is where the commands read their environment and write their output.
type console struct {
	out, err io.Writer
	env      func(name string) string
}

// run runs one command line and returns the exit status: 0 for success, 1 for a failure, 2 for a wrong call.
func run(ctx context.Context, args []string, con console) int {
	exit := -1
	parser, err := kong.New(&commands{}, kong.Name("sallyport-load"), kong.Writers(con.out, con.err),
		kong.Description("Loads a server of the Sallyport API. It makes identities, tokens and a project there, and deletes them at the end."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(con),
		kong.Exit(func(code int) { exit = code }))
	if err != nil {
		return con.fail(err, 1)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	call, err := parser.Parse(args)
	switch {
	case exit >= 0: // --help has been printed
		return exit
	case err != nil:
		return con.fail(fmt.Errorf("%w; see sallyport-load --help", err), 2)
	}
	if err := call.Run(); err != nil {
		return con.fail(err, 1)
	}
	return 0
}

// fail reports an error on one line and returns the exit status.
func (c console) fail(err error, code int) int {
	_, _ = fmt.Fprintln(c.err, "sallyport-load:", strings.ReplaceAll(err.Error(), "\n", "; ")) // there is nobody else to tell
	return code
}
