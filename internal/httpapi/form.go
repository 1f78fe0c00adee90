package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/internal/fault"
)

const formType = "application/x-www-form-urlencoded"

func isForm(h http.Header) bool {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), formType)
}

// formObject turns a form into the JSON object that says the same: each name with its first value, a string. An empty
// value counts as none (RFC 6749 section 3.2).
func formObject(form []byte) ([]byte, *fault.Error) {
	values, err := url.ParseQuery(string(form))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "The form cannot be read: percent-encoding or separators are wrong.").Because(err)
	}
	object := make(map[string]string, len(values))
	for name, all := range values {
		if all[0] != "" {
			object[name] = all[0]
		}
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fault.From(err)
	}
	return body, nil
}
