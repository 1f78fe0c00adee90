package httpapi

import (
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
	values, err := url.ParseQuery(string(form))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "The form cannot be read: percent-encoding or separators are wrong.").Because(err)
	}
	object := make(map[string]any, len(values))
	for name, all := range values {
		if !utf8.ValidString(name) || !utf8.ValidString(all[0]) {
			return nil, fault.New(fault.BadRequest, "The form is not valid UTF-8.")
		}
		if all[0] != "" {
			object[name] = all[0]
		}
	}
	return object, nil
}
