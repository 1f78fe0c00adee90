package client

import (
	"os"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// Windows has no signal that asks a program to end.
var (
	askToEnd = os.Kill
	passedOn = []os.Signal{os.Interrupt}
)

// replace runs the command and waits for its end.
func replace(con *terminal.Console, program string, args, env []string) error {
	return supervise(con, program, args, env, nil, 0)
}

func exitCode(state *os.ProcessState) int { return state.ExitCode() }
