package httpapi

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// maxPairs bounds how many query parameters a request may have.
const maxPairs = 200

// pair is one decoded query parameter.
type pair struct{ name, value string }

// paramNames are the names of an input's parameters, by where they are.
type paramNames struct {
	path, query, header []string
	texts               []string // those in the query that are strings
	cookie              bool     // there is one
}

// namesOf reads the tags of an input as huma does, hidden parameters included.
func namesOf(in reflect.Type) paramNames {
	var names paramNames
	for _, f := range reflect.VisibleFields(in) {
		names.cookie = names.cookie || f.Tag.Get("cookie") != ""
		if name, _, _ := strings.Cut(f.Tag.Get("query"), ","); name != "" && f.Type.Kind() == reflect.String {
			names.texts = append(names.texts, name)
		}
		for tag, list := range map[string]*[]string{"path": &names.path, "query": &names.query, "header": &names.header} {
			if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" {
				*list = append(*list, name)
			}
		}
	}
	return names
}

// readParams checks the parameters in path and header, and decodes the query if the route has query parameters. No store takes NUL
// or invalid UTF-8, so parameters with either are refused here, whatever their type.
func (ep *endpoint) readParams(ex *exchange, r *http.Request) *fault.Error {
	for _, name := range ep.params.path {
		if !storable(r.PathValue(name)) {
			return unstorable(name)
		}
	}
	for _, name := range ep.params.header {
		if !storable(r.Header.Get(name)) {
			return unstorable(name)
		}
	}
	if len(ep.params.query) == 0 || r.URL.RawQuery == "" {
		return nil
	}
	pairs, f := parseQuery(r.URL.RawQuery)
	if f != nil {
		return f
	}
	for i, p := range pairs {
		if !storable(p.value) && slices.Contains(ep.params.query, p.name) {
			return unstorable(p.name)
		}
		if slices.Contains(ep.params.texts, p.name) {
			pairs[i].value = trim(p.name, p.value)
		}
	}
	ex.query = pairs
	return nil
}

// parseQuery decodes a query. A semicolon is a character like any other, as in the WHATWG URL standard.
func parseQuery(raw string) ([]pair, *fault.Error) {
	if strings.Count(raw, "&") >= maxPairs {
		return nil, fault.New(fault.BadRequest, "The query has more than %d parameters.", maxPairs)
	}
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return nil, fault.New(fault.BadRequest, "The query is badly percent-encoded at parameter %d.", len(pairs)+1)
		}
		pairs = append(pairs, pair{name, value})
	}
	return pairs, nil
}

func (ex *exchange) queryValue(name string) string {
	for _, p := range ex.query {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func unstorable(name string) *fault.Error {
	return fault.Invalid("invalid_string", "Must be valid UTF-8 without NUL.", name)
}
