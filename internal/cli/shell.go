package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"github.com/sallyport/sallyport/internal/cli/client"
	"github.com/sallyport/sallyport/internal/cli/reference"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// completeWord is the command that the scripts of shells call.
const completeWord = "__complete"

// complete prints what the last word may become, a candidate a line with its help after a tab. It fails in silence: nobody
// wants errors in the middle of a command line.
func complete(con *terminal.Console, root *kong.Node, words []string) int {
	for _, c := range reference.Complete(root, words, func(kind string, words []string) []string { return client.Names(con, kind, words) }) {
		con.Print("%s\t%s\n", c.Word, c.Help)
	}
	return 0
}

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Help says more than the line in the list of commands.
func (completionCmd) Help() string {
	return "Names of identities, projects and secrets come from the server that you are logged in to. Add the line to the start file of your shell: " +
		"`source <(sallyport completion bash)`, the same with zsh, or `sallyport completion fish | source`."
}

// Run prints the script for a shell.
func (c *completionCmd) Run(con *terminal.Console) error {
	con.Print("%s", reference.Shells[c.Shell])
	return nil
}

type manCmd struct {
	Command []string `arg:"" optional:"" help:"The command whose page to print. Default: that of sallyport itself."`
	Dir     string   `type:"path" placeholder:"FOLDER" help:"Write the pages of all commands into this folder instead."`
}

// Run prints a page, or writes all of them.
func (c *manCmd) Run(con *terminal.Console, call *kong.Context) error {
	root := call.Model.Node
	if c.Dir == "" {
		node := reference.Find(root, c.Command)
		if node == nil {
			return terminal.Exit(terminal.WrongCall, errors.New("there is no such command; see sallyport --help"))
		}
		con.Print("%s", reference.Man(node))
		return nil
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil { //nolint:gosec // man pages are for everyone
		return err
	}
	return reference.Pages(root, func(node *kong.Node) error {
		file := filepath.Join(c.Dir, reference.PageName(node)+".1")
		if err := os.WriteFile(file, []byte(reference.Man(node)), 0o644); err != nil { //nolint:gosec // as above
			return fmt.Errorf("cannot write a man page: %w", err)
		}
		return nil
	})
}
