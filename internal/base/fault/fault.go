// Package fault owns the one error type of the project: what went wrong, in words for the caller, apart from the
// cause, which only the log sees. It does not know HTTP routes or features.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of a fault; it decides the HTTP status and the `error` name on the wire.
type Kind uint8

// The kinds, with the status each one is answered with.
const (
	Internal         Kind = iota // 500: our fault; the caller learns nothing of the cause
	BadRequest                   // 400: unreadable or contradictory request, conflicts included
	Unauthenticated              // 401: no credentials, or credentials that are not good (not a dead token)
	DeadToken                    // 401: a token that is malformed, expired, revoked or used up
	PermissionDenied             // 403: the actor's rules do not allow it
	Boundary                     // 403: the actor would hand out more than it holds
	Forbidden                    // 403: any other refusal, such as the client's address
	NotFound                     // 404: unknown, or of another organization
	MethodNotAllowed             // 405: known path, wrong method
	TooLarge                     // 413: body over the limit
	MediaType                    // 415: body of a type that we do not read
	Validation                   // 422: readable, but a field breaks a rule
	RateLimited                  // 429: too many requests
	Unavailable                  // 503: cannot decide safely now
)

// Issue is one broken rule of a validation fault, as the wire shows it.
type Issue struct {
	Code    string   `json:"code" doc:"The kind of rule that was broken"`
	Message string   `json:"message" doc:"The problem, and the values that are allowed"`
	Path    []string `json:"path" doc:"Where: the names and indexes that lead to the field"`
}

// Error is the one error type. Message is public; the cause is for the log alone.
type Error struct {
	Kind       Kind
	Name       string        // the wire's `error`; empty means the kind's own
	Message    string        // what was wrong and what to do next
	Details    any           // the wire's `details`; nil leaves it out
	Issues     []Issue       // of a Validation fault
	Reason     string        // of a DeadToken: the machine-readable reason, such as "revoked"
	Allow      string        // of MethodNotAllowed: the Allow header
	RetryAfter time.Duration // of Unavailable and RateLimited
	cause      error
}

// New makes a fault of a kind with a public message.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes a Validation fault of one issue at a path.
func Invalid(code, message string, path ...string) *Error {
	return &Error{Kind: Validation, Message: message, Issues: []Issue{{Code: code, Message: message, Path: append([]string{}, path...)}}}
}

// Dead makes a DeadToken fault; reason is one word for machines, such as "expired".
func Dead(reason, format string, args ...any) *Error {
	e := New(DeadToken, format, args...)
	e.Reason = reason
	return e
}

// Because returns a copy of e with a private cause, for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// With returns a copy of e with public details.
func (e *Error) With(details any) *Error {
	c := *e
	c.Details = details
	return &c
}

// Named returns a copy of e with another wire name.
func (e *Error) Named(name string) *Error {
	c := *e
	c.Name = name
	return &c
}

// Error returns the public message and, for the log, the private cause behind it.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.cause.Error()
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.cause }

// From returns err as a fault. An error that is none becomes Internal, its text kept as the private cause.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return New(Internal, "The server failed. Its log has the details under this reqId.").Because(err)
}

// Is reports whether err is a fault of a kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
