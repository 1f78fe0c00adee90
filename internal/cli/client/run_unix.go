//go:build unix

package client

import (
	"errors"
	"os"
	"syscall"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// askToEnd is the signal by which a command is asked to end; passedOn are those that it gets from us.
var (
	askToEnd os.Signal = syscall.SIGTERM
	passedOn           = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH}
)

// replace runs the command in this process: signals and the exit code are its own, and nothing of ours stays in memory.
func replace(_ *terminal.Console, program string, args, env []string) error {
	err := syscall.Exec(program, args, env) //nolint:gosec // the user names the command
	if errors.Is(err, os.ErrNotExist) {
		return terminal.Exit(noSuchCommand, err)
	}
	return terminal.Exit(cannotExecute, err)
}

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
