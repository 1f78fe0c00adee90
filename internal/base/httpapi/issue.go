package httpapi

import (
	"errors"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// maxIssues bounds how many broken rules one answer lists.
const maxIssues = 50

const (
	msgMisfit   = "expected values that fit their fields"
	msgMisfitAt = "expected value that fits at "
)

// rule tells what one of huma's messages means on the wire: the code, in the words of the reference
// (docs/reference/identity.md section 5.4), and our message. Both message and huma's format may hold one value, at the
// percent sign.
type rule struct {
	format, code, message string
	namesField            bool // the value is the field, below the place that huma gives
}

var rules = []rule{
	{validation.MsgExpectedBoolean, "invalid_type", "Must be true or false.", false},
	{validation.MsgExpectedInteger, "invalid_type", "Must be a whole number.", false},
	{"invalid integer", "invalid_type", "Must be a whole number.", false},
	{msgUnsafeInteger, "invalid_type", "Must be a whole number between -(2^53-1) and 2^53-1.", false},
	{msgBadKey, "invalid_string", "Names must have at most 256 bytes and no NUL.", false},
	{validation.MsgExpectedNumber, "invalid_type", "Must be a number.", false},
	{"invalid float", "invalid_type", "Must be a number.", false},
	{"invalid boolean", "invalid_type", "Must be true or false.", false},
	{validation.MsgExpectedString, "invalid_type", "Must be a string.", false},
	{validation.MsgExpectedArray, "invalid_type", "Must be a list.", false},
	{validation.MsgExpectedObject, "invalid_type", "Must be an object.", false},
	{validation.MsgExpectedRequiredProperty, "invalid_type", "Is required.", true},
	{"required path parameter is missing", "invalid_type", "Is required.", false},
	{"required query parameter is missing", "invalid_type", "Is required.", false},
	{"required header parameter is missing", "invalid_type", "Is required.", false},
	{validation.MsgExpectedMinimumNumber, "too_small", "Must be at least %.", false},
	{validation.MsgExpectedExclusiveMinimumNumber, "too_small", "Must be greater than %.", false},
	{validation.MsgExpectedMinLength, "too_small", "Must have at least % characters.", false},
	{validation.MsgExpectedMinItems, "too_small", "Must have at least % items.", false},
	{validation.MsgExpectedMinProperties, "too_small", "Must have at least % fields.", false},
	{validation.MsgExpectedMaximumNumber, "too_big", "Must be at most %.", false},
	{validation.MsgExpectedExclusiveMaximumNumber, "too_big", "Must be less than %.", false},
	{validation.MsgExpectedMaxLength, "too_big", "Must have at most % characters.", false},
	{validation.MsgExpectedMaxItems, "too_big", "Must have at most % items.", false},
	{validation.MsgExpectedMaxProperties, "too_big", "Must have at most % fields.", false},
	{validation.MsgExpectedNumberBeMultipleOf, "custom", "Must be a multiple of %.", false},
	{validation.MsgExpectedOneOf, "invalid_enum_value", "Must be one of: %.", false},
	{validation.MsgExpectedMatchPattern, "invalid_string", "Must match the pattern %.", false},
	{validation.MsgExpectedBePattern, "invalid_string", "Must be %.", false},
	{validation.MsgExpectedDuration, "invalid_string", "Must be a duration: %.", false},
	{"invalid date/time for format %s", "invalid_string", "Must be a time of the form %.", false},
	{msgControlCharacter, "invalid_string", "Must be valid UTF-8 without control characters.", false},
	{msgUnprintable, "invalid_string", "Must be valid UTF-8 without control characters other than tab and line breaks.", false},
	{msgMisfit, "invalid_type", "A value is out of range or of the wrong form.", false},
	{msgMisfitAt + "%s", "invalid_type", "Is out of range or of the wrong form.", true},
	{validation.MsgUnexpectedProperty, "unrecognized", "Is not known here.", false},
}

// match compares a message of huma with the rule's format, and returns the value in it.
func (r rule) match(message string) (value string, ok bool) {
	before, after, _ := strings.Cut(r.format, "%")
	if before == r.format {
		return "", message == r.format
	}
	after = after[1:] // the verb
	if !strings.HasPrefix(message, before) || !strings.HasSuffix(message, after) || len(message) < len(before)+len(after) {
		return "", false
	}
	return message[len(before) : len(message)-len(after)], true
}

// invalid turns what huma's validation and resolvers found into a fault. The offending values stay out of it: they may
// be secrets.
func invalid(found []error) *fault.Error {
	f := fault.New(fault.Validation, "The request breaks %d rules.", len(found))
	for _, err := range found[:min(len(found), maxIssues)] {
		detail := &huma.ErrorDetail{Message: err.Error()}
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail = d.ErrorDetail()
		}
		f.Issues = append(f.Issues, issueOf(detail))
	}
	return f
}

// issueOf returns one finding in the form of the wire. What no rule knows is a resolver's own message.
func issueOf(d *huma.ErrorDetail) fault.Issue {
	path := segments(d.Location)
	for _, r := range rules {
		value, ok := r.match(d.Message)
		if !ok {
			continue
		}
		if r.namesField {
			path = append(path, strings.Split(value, ".")...)
		}
		return fault.Issue{Code: r.code, Message: strings.Replace(r.message, "%", value, 1), Path: path}
	}
	return fault.Issue{Code: "custom", Message: d.Message, Path: path}
}

// segments splits a place as huma writes it, such as body.ips[0].ipAddress, into names and indexes, without the part
// of the request that it lies in.
func segments(location string) []string {
	path := []string{}
	for _, name := range strings.Split(location, ".") {
		name, indexes, _ := strings.Cut(name, "[")
		if name != "" {
			path = append(path, unmasking.Replace(name))
		}
		for indexes != "" {
			var index string
			index, indexes, _ = strings.Cut(indexes, "]")
			path = append(path, index)
			indexes = strings.TrimPrefix(indexes, "[")
		}
	}
	if len(path) > 0 && slices.Contains([]string{"body", "path", "query", "header"}, path[0]) {
		path = path[1:]
	}
	return path
}

// faultOf returns an error that huma wanted to write as a fault.
func faultOf(v any) *fault.Error {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return fault.From(errors.New("huma wrote an unknown error"))
	}
	if model.Status != 422 {
		return fault.From(model)
	}
	found := make([]error, len(model.Errors))
	for i, d := range model.Errors {
		found[i] = d
	}
	return invalid(found)
}
