package terminal

import (
	"errors"
	"strconv"
)

// Code is an exit status. Scripts depend on these numbers: they never change their meaning.
type Code int

// The exit codes.
const (
	OK           Code = 0
	Failed       Code = 1
	WrongCall    Code = 2
	NotLoggedIn  Code = 3
	NotAllowed   Code = 4
	NotFound     Code = 5
	Refused      Code = 6
	Unavailable  Code = 7
	NotConfirmed Code = 8
)

// Codes explains the exit codes, in their order.
var Codes = []struct {
	Code    Code
	Meaning string
}{
	{OK, "The command did what you asked for."},
	{Failed, "The command failed for another reason than those below."},
	{WrongCall, "The command line is wrong: an unknown flag, a missing argument, a value that is not allowed."},
	{NotLoggedIn, "There is no access token, or the server refuses it. Log in again."},
	{NotAllowed, "The permissions of your identity do not allow this."},
	{NotFound, "What you named does not exist, or you may not know that it does."},
	{Refused, "The server refuses the values that you sent, for example because a name is taken."},
	{Unavailable, "The server cannot be reached, or asks you to try again later."},
	{NotConfirmed, "The command destroys something, and you did not confirm it. Use `--yes` in scripts."},
}

// exit is an error with its exit status.
type exit struct {
	error
	code Code
}

// Exit gives an error its exit status.
func Exit(code Code, err error) error { return exit{err, code} }

// ExitCode returns the exit status.
func (e exit) ExitCode() int { return int(e.code) }

// Unwrap returns the error itself.
func (e exit) Unwrap() error { return e.error }

// CodeOf returns the exit status of an error: its own, or that of a failure.
func CodeOf(err error) int {
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return int(Failed)
}

// silent is an exit status that needs no words: those of a command that ran in our place.
type silent Code

// Error implements error.
func (s silent) Error() string { return "the command ended with exit code " + strconv.Itoa(int(s)) }

// ExitCode returns the exit status.
func (s silent) ExitCode() int { return int(s) }

// Silent is an error with an exit status that is not told to the user. 0 is no error.
func Silent(code Code) error {
	if code == 0 {
		return nil
	}
	return silent(code)
}

// IsSilent reports whether an error is not to be told.
func IsSilent(err error) bool {
	var s silent
	return errors.As(err, &s)
}
