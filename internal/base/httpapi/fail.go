package httpapi

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// failure is how a kind of fault is answered.
type failure struct {
	status int
	name   string // the wire's `error`
}

// failures is the one table from kinds to HTTP.
var failures = [...]failure{
	fault.Internal:         {http.StatusInternalServerError, "InternalServerError"},
	fault.BadRequest:       {http.StatusBadRequest, "BadRequest"},
	fault.Unauthenticated:  {http.StatusUnauthorized, "UnauthorizedError"},
	fault.DeadToken:        {http.StatusUnauthorized, "TokenError"},
	fault.PermissionDenied: {http.StatusForbidden, "PermissionDenied"},
	fault.Boundary:         {http.StatusForbidden, "PermissionBoundaryError"},
	fault.Forbidden:        {http.StatusForbidden, "ForbiddenError"},
	fault.NotFound:         {http.StatusNotFound, "NotFound"},
	fault.MethodNotAllowed: {http.StatusMethodNotAllowed, "MethodNotAllowed"},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, "PayloadTooLarge"},
	fault.MediaType:        {http.StatusUnsupportedMediaType, "UnsupportedMediaType"},
	fault.Validation:       {http.StatusUnprocessableEntity, "ValidationFailure"},
	fault.RateLimited:      {http.StatusTooManyRequests, "RateLimitExceeded"},
	fault.Unavailable:      {http.StatusServiceUnavailable, "ServiceUnavailable"},
}

// envelope is the body of every error.
type envelope struct {
	RequestID string `json:"reqId"`
	Status    int    `json:"statusCode"`
	Message   any    `json:"message"` // a string; under 422 a list of fault.Issue
	Error     string `json:"error"`
	Details   any    `json:"details,omitempty"`
}

func failureOf(f *fault.Error) failure {
	answer := failures[fault.Internal]
	if int(f.Kind) < len(failures) {
		answer = failures[f.Kind]
	}
	if f.Name != "" {
		answer.name = f.Name
	}
	return answer
}

// writeFault answers with the exchange's fault. The private cause stays in the log.
func (ex *exchange) writeFault() {
	f, answer := ex.fault, failureOf(ex.fault)
	body := envelope{ex.client.RequestID, answer.status, f.Message, answer.name, f.Details}
	if f.Kind == fault.Validation {
		body.Message = issues(f)
	}
	ex.faultHeaders(f)
	page := ex.api.takePage()
	defer ex.api.givePage(page)
	if err := page.encode(body); err != nil {
		ex.api.options.Logger.LogAttrs(&ex.ctx, slog.LevelError, "details of an error are not JSON",
			slog.String("reqId", ex.client.RequestID), slog.String("cause", err.Error()))
		body.Details = nil
		_ = page.encode(body) // strings and numbers always encode
	}
	if page.Len() > maxKept && ex.memory.Use(int64(page.Cap())) != nil {
		body.Details = nil
		_ = page.encode(body)
	}
	ex.writeJSON(answer.status, page.Bytes())
}

// issues returns the list that a 422 shows.
func issues(f *fault.Error) []fault.Issue {
	if len(f.Issues) == 0 {
		return []fault.Issue{{Code: "custom", Message: f.Message, Path: []string{}}}
	}
	return f.Issues
}

// faultHeaders sets the headers that belong to some kinds: WWW-Authenticate (RFC 6750 section 3), Retry-After, Allow.
func (ex *exchange) faultHeaders(f *fault.Error) {
	h := ex.Header()
	switch f.Kind {
	case fault.Unauthenticated:
		h.Set("WWW-Authenticate", "Bearer")
	case fault.DeadToken:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+quotable(f.Reason)+`"`)
	case fault.MethodNotAllowed:
		h.Set("Allow", f.Allow)
	case fault.RateLimited, fault.Unavailable:
		h.Set("Retry-After", strconv.FormatInt(seconds(f.RetryAfter), 10))
	}
}

// quotable drops what may not stand in error_description (RFC 6750 section 3).
func quotable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
}
