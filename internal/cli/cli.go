// Package cli owns the grammar of the command line, and the commands that run a server or work on its data. Those of daily work
// are in client. It holds no rules of the features.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/sallyport/sallyport/internal/cli/client"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// commands is the grammar of the command line.
type commands struct {
	Config      settingsFile     `env:"SALLYPORT_CONFIG" placeholder:"FILE" help:"JSON file with settings, by the names of the flags. Flags and the environment override it."`
	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`

	client.Commands `embed:""`
	serverCommands  `embed:""`

	Bootstrap  bootstrapCmd  `cmd:"" group:"Running a server" help:"Set up an empty server and print its first token."`
	Keys       keysCmd       `cmd:"" group:"Running a server" help:"Rotate the keys that everything is sealed with."`
	Version    versionCmd    `cmd:"" group:"The command line" help:"Print the version."`
	Completion completionCmd `cmd:"" group:"The command line" help:"Print the completion script for a shell."`
	Man        manCmd        `cmd:"" group:"The command line" help:"Print man pages, or write them to a folder."`
	Help       helpCmd       `cmd:"" group:"The command line" help:"Explain a command, as --help does."`
}

// Run runs one command line and returns the exit status: one of terminal.Codes, or that of a command which
// run started. It ends early when ctx does.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer, version string) int {
	exit := -1
	parser, err := kong.New(&commands{}, kong.Name("sallyport"), kong.Writers(out, errOut), kong.Vars{"version": "sallyport " + version},
		kong.Description("A machine-identity server: issues access tokens, checks them, and revokes them for good."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoExpandSubcommands: true}),
		kong.Exit(func(code int) { exit = code }))
	if err != nil {
		return fail(errOut, err, 1)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	con := &terminal.Console{Ctx: ctx, In: in, Out: out, Err: errOut, Version: version}
	if args[0] == completeWord {
		return complete(con, parser.Model.Node, args[1:])
	}
	if args[0] == "help" { // help of a command is its --help
		args = append(args[1:len(args):len(args)], "--help")
	}
	call, err := parser.Parse(args)
	switch {
	case exit >= 0: // --help has been printed
		return exit
	case err != nil:
		return fail(errOut, fmt.Errorf("%w; see %s --help", err, called(err)), int(terminal.WrongCall))
	}
	if err := completeStorage(con, call); err != nil {
		return fail(errOut, err, terminal.CodeOf(err))
	}
	if err := call.Run(con, call); terminal.IsSilent(err) {
		return terminal.CodeOf(err)
	} else if err != nil {
		return fail(errOut, err, terminal.CodeOf(err))
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

type versionCmd struct{}

// Run prints the version.
func (*versionCmd) Run(con *terminal.Console) error {
	_, err := fmt.Fprintln(con.Out, "sallyport", con.Version)
	return err
}

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command to explain."`
}

// Run is not reached: Run of the package turns help into --help.
func (*helpCmd) Run() error { return nil }
