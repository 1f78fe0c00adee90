package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// Error is an error answer of the API.
type Error struct {
	RequestID string          `json:"reqId"`
	Status    int             `json:"statusCode"`
	Name      string          `json:"error"`
	Raw       json.RawMessage `json:"message"`
	Issues    []Issue         `json:"-"`
}

// Issue is what is wrong with one field.
type Issue struct {
	Message string   `json:"message"`
	Path    []string `json:"path"`
}

func (r *recorder) refusal() error {
	e := &Error{}
	if err := json.Unmarshal(r.body.Bytes(), e); err != nil || e.Status == 0 {
		return &Error{Status: max(r.status, http.StatusInternalServerError), Name: "InternalServerError",
			Raw: json.RawMessage(`"The API did not answer as expected. The log of the server says more."`)}
	}
	_ = json.Unmarshal(e.Raw, &e.Issues) // a list under 422 alone
	return e
}

// Error returns what the API says, in one text.
func (e *Error) Error() string {
	if len(e.Issues) > 0 {
		parts := make([]string, len(e.Issues))
		for i, issue := range e.Issues {
			parts[i] = issue.String()
		}
		return strings.Join(parts, " ")
	}
	var text string
	_ = json.Unmarshal(e.Raw, &text) // a string, but for 422
	return text
}

// String names the field before the message.
func (i Issue) String() string {
	if len(i.Path) == 0 {
		return i.Message
	}
	return strings.Join(i.Path, ".") + ": " + i.Message
}

// Field returns the issue of a field; "" if there is none.
func (e *Error) Field(name string) string {
	for _, issue := range e.Issues {
		if len(issue.Path) > 0 && issue.Path[0] == name {
			return issue.Message
		}
	}
	return ""
}

// Status returns the status of an error of the API; 0 for another error, and for none.
func Status(err error) int {
	e := (*Error)(nil)
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Refused reports whether an error says that the caller may not do something.
func Refused(err error) bool { return Status(err) == http.StatusForbidden }
