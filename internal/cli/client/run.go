package client

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type runCmd struct {
	Command         []string      `arg:"" passthrough:"" help:"The command and its arguments, after two dashes (--)."`
	Watch           bool          `help:"Restart the command when a secret has changed."`
	WatchEvery      time.Duration `default:"10s" help:"How often --watch looks for changes."`
	StopTimeout     time.Duration `default:"10s" help:"How long --watch waits for the command to end before it kills it."`
	KeepCredentials bool          `help:"Leave SALLYPORT_TOKEN and SALLYPORT_CLIENT_SECRET in the environment of the command. By default it does not get them."`
	place           `embed:""`
	Server          `embed:""`
}

// Help says more than the line in the list of commands.
func (runCmd) Help() string {
	return "The command gets the secrets of the folder, and of what the folder imports, as environment variables. They replace variables of the same name. " +
		"Signals reach the command, and its exit code is that of sallyport run. The exit code is 127 if the command does not exist, and 126 if it cannot be executed."
}

// The exit codes of commands that do not start, as shells have them.
const (
	cannotExecute terminal.Code = 126
	noSuchCommand terminal.Code = 127
)

// Run starts the command in place of this process where the system can do that, so that nothing stands between it and signals.
func (c *runCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Command[0] == "--" {
		c.Command = c.Command[1:]
	}
	if len(c.Command) == 0 {
		return terminal.Exit(terminal.WrongCall, errors.New("name the command to run after two dashes (--)"))
	}
	if c.WatchEvery < 100*time.Millisecond {
		return terminal.Exit(terminal.WrongCall, errors.New("--watch-every must be at least 100ms"))
	}
	program, err := exec.LookPath(c.Command[0])
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return terminal.Exit(noSuchCommand, err)
	}
	if err != nil {
		return terminal.Exit(cannotExecute, err)
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	env, err := c.environment(se)
	if err != nil {
		return err
	}
	if c.Watch {
		return c.watch(se, program, env)
	}
	return replace(con, program, c.Command, env)
}

// environment returns the variables of the command: those of this process, and the secrets.
func (c *runCmd) environment(se *session) ([]string, error) {
	all, err := se.values(c.place, true)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{"SALLYPORT_TOKEN": !c.KeepCredentials, "SALLYPORT_CLIENT_SECRET": !c.KeepCredentials}
	added := []string{}
	for _, s := range all {
		if s.Key == "" || strings.ContainsAny(s.Key, "=\x00") || strings.ContainsRune(s.Value, 0) {
			se.note("%s is left out: it cannot be an environment variable.", terminal.Printable(s.Key))
			continue
		}
		own[s.Key] = true
		added = append(added, s.Key+"="+s.Value)
	}
	kept := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return own[name]
	})
	return append(kept, added...), nil
}
