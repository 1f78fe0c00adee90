// Package cli owns the commands. All but serve, dev, backup, restore, doctor, recover and migrate speak HTTP to a server, as
// any other client does; it holds no rules of the features.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/sallyport/sallyport/internal/base/config"
)

// commands is the grammar of the command line.
type commands struct {
	Config    settingsFile `env:"SALLYPORT_CONFIG" placeholder:"FILE" help:"JSON file with settings, by the names of the flags. Flags and the environment override it."`
	Serve     serveCmd     `cmd:"" help:"Run the server."`
	Dev       devCmd       `cmd:"" help:"Run the server for this machine only, set up and ready to try."`
	Bootstrap bootstrapCmd `cmd:"" help:"Set up an empty server and print its first token."`
	Backup    backupCmd    `cmd:"" help:"Back up the embedded database while the server runs, or save the revocations of a database that you give up."`
	Restore   restoreCmd   `cmd:"" help:"Restore a backup so that it is safe to serve: everything that was revoked since stays revoked."`
	Doctor    doctorCmd    `cmd:"" help:"Check an installation for problems, and say how to fix them. Without --repair it changes nothing."`
	Recover   recoverCmd   `cmd:"" help:"Make a database that was restored from a backup safe to serve. Revokes every token, and prints a new one for the administrator."`
	Migrate   migrateCmd   `cmd:"" help:"Move everything from SQLite to an empty PostgreSQL database, for more than one server."`
	Import    importCmd    `cmd:"" help:"Copy the data of another server to this one."`
	Keys      keysCmd      `cmd:"" help:"Rotate the keys that everything is sealed with."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
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
	parser, err := kong.New(&commands{}, kong.Name("sallyport"), kong.Writers(out, errOut),
		kong.Description("A machine-identity server: issues access tokens, checks them, and revokes them for good."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Exit(func(code int) { exit = code }))
	if err != nil {
		return fail(errOut, err, 1)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	call, err := parser.Parse(args)
	switch {
	case exit >= 0: // --help has been printed
		return exit
	case err != nil:
		return fail(errOut, fmt.Errorf("%w; see %s --help", err, called(err)), 2)
	}
	if err := call.Run(&console{ctx, out, errOut, version}); err != nil {
		return fail(errOut, err, 1)
	}
	return 0
}

// called names the command that a wrong call was meant for, as far as it went.
func called(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) {
		if node := wrong.Context.Selected(); node != nil {
			return node.FullPath()
		}
	}
	return "sallyport"
}

// fail reports an error on one line and returns the exit status.
func fail(w io.Writer, err error, code int) int {
	_, _ = fmt.Fprintln(w, "sallyport:", strings.ReplaceAll(err.Error(), "\n", "; ")) // there is nobody else to tell
	return code
}

type serveCmd struct {
	config.Server `embed:""`
}

// Run serves until the process is told to stop. While the server is empty, its log has the code that setting it up asks for.
func (c *serveCmd) Run(con *console) error { return serve(con, c.Server, tellSetupCode) }

type versionCmd struct{}

// Run prints the version.
func (*versionCmd) Run(con *console) error {
	_, err := fmt.Fprintln(con.out, "sallyport", con.version)
	return err
}
