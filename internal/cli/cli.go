// Package cli owns the commands. All but serve and dev speak HTTP to a server, as any other client does; it holds no
// rules of the features.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/sallyport/sallyport/internal/config"
)

// commands is the grammar of the command line.
type commands struct {
	Config    kong.ConfigFlag `help:"JSON file with settings; flags and environment win over it." placeholder:"FILE"`
	Serve     serveCmd        `cmd:"" help:"Run the server."`
	Dev       devCmd          `cmd:"" help:"Run the server on this machine alone, set up and ready to try."`
	Bootstrap bootstrapCmd    `cmd:"" help:"Set up an empty instance and print its first token."`
	Recover   recoverCmd      `cmd:"" help:"After a restore from a backup, before serving: kill every token and print a new one for the administrator."`
	Version   versionCmd      `cmd:"" help:"Print the version."`
}

// console is where commands read the time of their life and write their output.
type console struct {
	ctx      context.Context
	out, err io.Writer
	version  string
}

// Run runs one command line and returns the exit status: 0 for success, 1 for a failure, 2 for a wrong call. It ends
// early when ctx does.
func Run(ctx context.Context, args []string, out, errOut io.Writer, version string) int {
	exit := -1
	parser, err := kong.New(&commands{}, kong.Name("sallyport"), kong.UsageOnError(), kong.Writers(out, errOut),
		kong.Description("A machine-identity server: issues access tokens, checks them, and takes them back for good."),
		kong.Configuration(kong.JSON), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		fmt.Fprintln(errOut, "sallyport:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	call, err := parser.Parse(args)
	switch {
	case exit >= 0: // --help has been printed
		return exit
	case err != nil:
		fmt.Fprintln(errOut, "sallyport:", err)
		return 2
	}
	if err := call.Run(&console{ctx, out, errOut, version}); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(errOut, "sallyport:", err)
		return 1
	}
	return 0
}

type serveCmd struct {
	config.Server `embed:""`
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(con *console) error { return serve(con, c.Server, nil) }

type versionCmd struct{}

// Run prints the version.
func (*versionCmd) Run(con *console) error {
	_, err := fmt.Fprintln(con.out, "sallyport", con.version)
	return err
}
