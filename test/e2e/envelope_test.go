package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// errorNames are the values that `error` may have, by status.
var errorNames = map[int][]string{
	400: {"BadRequest", "Instance initialization", "invalid_request"},
	401: {"UnauthorizedError", "TokenError"},
	403: {"PermissionDenied", "PermissionBoundaryError", "ForbiddenError"},
	404: {"NotFound"},
	405: {"MethodNotAllowed"},
	413: {"PayloadTooLarge"},
	415: {"UnsupportedMediaType"},
	422: {"ValidationFailure"},
}

var requestID = regexp.MustCompile(`^req-[A-Za-z0-9]{14}$`)

// wellFormed fails the test unless an answer has the form that every answer has: a 200 with JSON, or an error in its
// envelope. A 5xx is never well-formed.
func wellFormed(t testing.TB, a *harness.Answer) {
	t.Helper()
	for _, fault := range faultsOf(a) {
		t.Errorf("%s: %d %v %.500s", fault, a.Status, a.Header, a.Body)
	}
}

func faultsOf(a *harness.Answer) (faults []string) {
	want := func(ok bool, fault string) {
		if !ok {
			faults = append(faults, fault)
		}
	}
	want(a.Status == 200 || a.Status >= 400 && a.Status < 500, "the status is neither 200 nor 4xx")
	want(requestID.MatchString(a.Header.Get("X-Request-Id")), "the request id has another form")
	if a.Status == 200 {
		return faults
	}
	want(a.Header.Get("Content-Type") == "application/json", "the content type is not JSON")
	body := struct {
		ReqID      string          `json:"reqId"`
		StatusCode int             `json:"statusCode"`
		Message    json.RawMessage `json:"message"`
		Error      string          `json:"error"`
		Details    any             `json:"details"`
	}{}
	d := json.NewDecoder(strings.NewReader(string(a.Body)))
	d.DisallowUnknownFields()
	want(d.Decode(&body) == nil, "the body is not the envelope")
	want(body.ReqID == a.Header.Get("X-Request-Id"), "reqId is not X-Request-Id")
	want(body.StatusCode == a.Status, "statusCode is not the status")
	want(slices.Contains(errorNames[a.Status], body.Error), "the error does not belong to the status")
	want(messageFits(a.Status, body.Message), "the message has another form")
	want((body.Details != nil) == (body.Error == "PermissionDenied" || body.Error == "PermissionBoundaryError"), "the details do not belong to the error")
	want((a.Header.Get("WWW-Authenticate") != "") == (a.Status == 401), "WWW-Authenticate does not belong to the status")
	want((a.Header.Get("Allow") != "") == (a.Status == 405), "Allow does not belong to the status")
	return faults
}

// messageFits reports whether the message is a sentence, or under 422 a list of issues.
func messageFits(status int, message json.RawMessage) bool {
	if status != 422 {
		var sentence string
		return json.Unmarshal(message, &sentence) == nil && sentence != ""
	}
	var issues []struct {
		Code, Message string
		Path          []string
	}
	if json.Unmarshal(message, &issues) != nil || len(issues) == 0 {
		return false
	}
	for _, i := range issues {
		if i.Code == "" || i.Message == "" || i.Path == nil {
			return false
		}
	}
	return true
}
