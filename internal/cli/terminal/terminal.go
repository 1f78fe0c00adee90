// Package terminal owns how commands read and write: questions, secrets that are typed, the forms of output, and exit codes.
// It does not know what the commands do.
package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Console is where a command reads the time of its life and its input, and writes its output.
type Console struct {
	Ctx      context.Context
	In       io.Reader
	Out, Err io.Writer
	Version  string
}

// Print writes to standard output.
func (c *Console) Print(format string, args ...any) {
	_, _ = fmt.Fprintf(c.Out, format, args...) // there is nobody else to tell
}

// Tell writes a note to standard error, so that output that is piped holds only what was asked for.
func (c *Console) Tell(format string, args ...any) {
	_, _ = fmt.Fprintf(c.Err, format, args...) // there is nobody else to tell
}

// Interactive reports whether a person can be asked: input and notes are both a terminal.
func (c *Console) Interactive() bool { return IsTerminal(c.In) && IsTerminal(c.Err) }

// IsTerminal reports whether a reader or writer is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Ask reads one line that the user types.
func (c *Console) Ask(question string) (string, error) {
	c.Tell("%s ", question)
	line, err := bufio.NewReader(c.In).ReadString('\n')
	if err != nil && line == "" {
		return "", errors.New("nothing was typed")
	}
	return strings.TrimSpace(line), nil
}

// Confirm asks before something is destroyed. yes is the answer of the flag --yes. Without a terminal nobody can answer, so
// the command is refused.
func (c *Console) Confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !c.Interactive() {
		return Exit(NotConfirmed, fmt.Errorf("%s Confirm it with --yes", question))
	}
	answer, err := c.Ask(question + " [y/N]")
	if answer = strings.ToLower(answer); err == nil && answer != "y" && answer != "yes" {
		err = errors.New("nothing was changed")
	}
	if err != nil {
		return Exit(NotConfirmed, err)
	}
	return nil
}

// maxSecret is the most bytes that are read of a secret.
const maxSecret = 8 << 20

// Secret reads a secret without showing it: what is typed on a terminal, and otherwise all of standard input. One line
// feed at its end is dropped, since editors and echo add it.
func (c *Console) Secret(question string) (string, error) {
	if c.Interactive() {
		c.Tell("%s ", question)
		typed, err := term.ReadPassword(int(c.In.(*os.File).Fd()))
		c.Tell("\n")
		return string(typed), err
	}
	text, err := io.ReadAll(io.LimitReader(c.In, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("cannot read standard input: %w", err)
	}
	if len(text) > maxSecret {
		return "", fmt.Errorf("standard input is larger than %d bytes", maxSecret)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}

// ReadFile reads a file, or standard input for "-".
func (c *Console) ReadFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(c.In)
	}
	return os.ReadFile(path)
}
