package client

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"time"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// child is a running command.
type child struct {
	*exec.Cmd
	ended chan error
}

func start(con *terminal.Console, program string, args, env []string) (*child, error) {
	cmd := exec.Command(program, args[1:]...) //nolint:gosec // the user names the command
	cmd.Args[0], cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = args[0], env, con.In, con.Out, con.Err
	if err := cmd.Start(); err != nil {
		return nil, terminal.Exit(cannotExecute, err)
	}
	c := &child{cmd, make(chan error, 1)}
	go func() { c.ended <- cmd.Wait() }()
	return c, nil
}

// pass gives a signal to the command. On a terminal, Ctrl-C has reached it already.
func (c *child) pass(s os.Signal, onTerminal bool) {
	if s != os.Interrupt || !onTerminal {
		_ = c.Process.Signal(s) // it may just have ended
	}
}

// stop asks the command to end, and kills it when it does not.
func (c *child) stop(within time.Duration) {
	_ = c.Process.Signal(askToEnd)
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-c.ended: //nolint:errcheck // how a command ends that was told to end is not reported
	case <-late.C:
		_ = c.Process.Kill()
		<-c.ended //nolint:errcheck // as above
	}
}

// supervise runs the command until it ends by itself. changed, if not nil, tells the environment of a restart.
func supervise(con *terminal.Console, program string, args, env []string, changed <-chan []string, stopWithin time.Duration) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, passedOn...)
	defer signal.Stop(signals)
	running, err := start(con, program, args, env)
	if err != nil {
		return err
	}
	onTerminal := terminal.IsTerminal(con.In)
	for {
		select {
		case s := <-signals:
			running.pass(s, onTerminal)
		case env := <-changed:
			running.stop(stopWithin)
			if running, err = start(con, program, args, env); err != nil {
				return err
			}
		case err := <-running.ended:
			return status(err)
		}
	}
}

// status turns the end of a command into ours: its exit code, or 128 and the number of the signal that ended it.
func status(err error) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	return terminal.Silent(terminal.Code(exitCode(ended.ProcessState)))
}

// watch runs the command, and again whenever a secret has changed. While the server cannot be reached, the command goes on with
// what it has.
func (c *runCmd) watch(se *session, program string, env []string) error {
	changed, done := make(chan []string), make(chan struct{})
	defer close(done)
	go c.follow(se, env, changed, done)
	return supervise(se.con, program, c.Command, env, changed, c.StopTimeout)
}

// follow reads the secrets again and again until done is closed, and sends each environment that differs from the one before.
func (c *runCmd) follow(se *session, env []string, changed chan<- []string, done <-chan struct{}) {
	every := time.NewTicker(c.WatchEvery)
	defer every.Stop()
	said := ""
	for {
		select {
		case <-done:
			return
		case <-every.C:
		}
		now, err := c.environment(se)
		if err != nil {
			if said != err.Error() {
				said = err.Error()
				se.note("cannot look for changed secrets; the command goes on with those that it has: %s", err)
			}
			continue
		}
		said = ""
		if slices.Equal(now, env) {
			continue
		}
		env = now
		se.note("A secret has changed: restarting the command.")
		select {
		case changed <- now:
		case <-done:
			return
		}
	}
}
