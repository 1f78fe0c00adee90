package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sallyport/sallyport/internal/base/fault"
)

const formType = "application/x-www-form-urlencoded"

func isForm(h http.Header) bool {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), formType)
}

// formObject turns a form into the parsed JSON object that says the same. Lists and objects cannot be said in a form: they
// stay strings, and are refused as such.
func (b *binding) formObject(form []byte) (map[string]any, *fault.Error) {
	if strings.Count(string(form), "&") >= maxPairs {
		return nil, fault.New(fault.BadRequest, "The form has more than %d fields.", maxPairs)
	}
	fields, object := b.catalog.resolve(b.schema).Properties, map[string]any{}
	for pair := range strings.SplitSeq(string(form), "&") {
		name, value, f := formPair(pair)
		if f != nil {
			return nil, f
		}
		if _, twice := object[name]; twice {
			return nil, fault.New(fault.BadRequest, "The form has a field more than once. Send each field once.")
		}
		if field := fields[name]; field != nil {
			object[name] = formValue(b.catalog.resolve(field), value)
		}
	}
	return withoutNulls(object), nil
}

func formPair(pair string) (name, value string, f *fault.Error) {
	name, value, _ = strings.Cut(pair, "=")
	name, badName := url.QueryUnescape(name)
	value, badValue := url.QueryUnescape(value)
	switch {
	case badName != nil || badValue != nil || strings.Contains(pair, ";"):
		f = fault.New(fault.BadRequest, "The form cannot be read: percent-encoding or separators are wrong.")
	case !utf8.ValidString(name) || !utf8.ValidString(value):
		f = fault.New(fault.BadRequest, "The form is not valid UTF-8.")
	}
	return name, value, f
}

// formValue reads a text as its field's type. What does not fit stays a string, and is refused where the body is checked.
// An empty text that the field does not allow counts as none, as in queries: nil.
func formValue(s *huma.Schema, text string) any {
	var value any
	switch empty := s.Type == huma.TypeString && len(s.Enum) == 0 && (s.MinLength == nil || *s.MinLength == 0); {
	case text == "" && !empty:
		return nil
	case s.Type != huma.TypeString && json.Unmarshal([]byte(text), &value) == nil:
		switch value.(type) {
		case bool, float64:
			return value
		}
	}
	return text
}

func withoutNulls(object map[string]any) map[string]any {
	for name, value := range object {
		if value == nil {
			delete(object, name)
		}
	}
	return object
}
