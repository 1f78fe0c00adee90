package httpapi

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/fault"
)

const formType = "application/x-www-form-urlencoded"

func isForm(h http.Header) bool {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), formType)
}

// formObject turns a form into the parsed JSON object that says the same: each name with its first value, a string. An
// empty value counts as none (RFC 6749 section 3.2).
func formObject(form []byte) (map[string]any, *fault.Error) {
	object := map[string]any{}
	for pair := range strings.SplitSeq(string(form), "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, badName := url.QueryUnescape(name)
		value, badValue := url.QueryUnescape(value)
		if badName != nil || badValue != nil || strings.Contains(pair, ";") {
			return nil, fault.New(fault.BadRequest, "The form cannot be read: percent-encoding or separators are wrong.")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, fault.New(fault.BadRequest, "The form is not valid UTF-8.")
		}
		if _, given := object[name]; !given {
			object[name] = value
		}
	}
	maps.DeleteFunc(object, func(_ string, value any) bool { return value == "" })
	return object, nil
}
