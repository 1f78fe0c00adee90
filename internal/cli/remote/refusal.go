package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// Refusal is an error answer of the server.
type Refusal struct {
	RequestID string          `json:"reqId"`
	Status    int             `json:"statusCode"`
	Name      string          `json:"error"`
	Message   json.RawMessage `json:"message"` // a string; under 422 a list of issues
}

// Error says what the server said.
func (r *Refusal) Error() string {
	return fmt.Sprintf("the server refused (%d, %s): %s", r.Status, r.RequestID, r.Words())
}

// ExitCode returns the exit status that a command ends with.
func (r *Refusal) ExitCode() int {
	switch r.Status {
	case http.StatusUnauthorized:
		return int(terminal.NotLoggedIn)
	case http.StatusForbidden:
		return int(terminal.NotAllowed)
	case http.StatusNotFound:
		return int(terminal.NotFound)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return int(terminal.Unavailable)
	}
	if r.Status < 500 {
		return int(terminal.Refused)
	}
	return int(terminal.Failed)
}

// IsStatus reports whether an error is an answer of the server with this status.
func IsStatus(err error, status int) bool {
	var refused *Refusal
	return errors.As(err, &refused) && refused.Status == status
}

// Words returns only what the server said.
func (r *Refusal) Words() string {
	var issues []struct {
		Message string   `json:"message"`
		Path    []string `json:"path"`
	}
	if json.Unmarshal(r.Message, &issues) == nil {
		words := make([]string, len(issues))
		for i, issue := range issues {
			words[i] = strings.Join(issue.Path, ".") + ": " + issue.Message
		}
		return strings.Join(words, " ")
	}
	var message string
	_ = json.Unmarshal(r.Message, &message) // neither form: the status and the request id have to do
	return message
}
