package httpapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const withForm = "Content-Type: application/x-www-form-urlencoded; charset=utf-8"

func TestFormAccepted(t *testing.T) {
	base := map[string]any{"name": "n", "ttl": 60.0, "max": 90.0, "on": true, "kind": "a", "nested": map[string]any{"depth": 7.0}}
	tests := map[string]struct {
		form    string
		changes map[string]any
	}{
		"one field":                       {"name=n", nil},
		"percent-encoded":                 {"name=%61+b%26", map[string]any{"name": "a b&"}},
		"each type":                       {"name=n&ttl=5&on=true&kind=b&ratio=1.5&big=-7", map[string]any{"ttl": 5.0, "kind": "b", "ratio": 1.5, "big": -7.0}},
		"a text that looks like a number": {"name=17&password=5", map[string]any{"name": "17", "password": "5"}},
		"a text of null":                  {"name=null", map[string]any{"name": "null"}},
		"empty values count as none":      {"name=n&ttl=&on=&kind=&big=", nil},
		"unknown fields":                  {"name=n&NAME=x&a[b]=c&=&d&a[b]=e", nil},
		"trimmed":                         {"name=+n%0D%0A&kind=b%0A", map[string]any{"kind": "b"}},
	}
	s := serve(t, httpapi.Options{}, echo)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := call(t, s, "POST", "/echo", tt.form, withToken, withForm)
			if got.Status != 200 {
				t.Fatalf("status %d: %s", got.Status, got.Body)
			}
			want := map[string]any{}
			for _, fields := range []map[string]any{base, tt.changes} {
				for name, value := range fields {
					want[name] = value
				}
			}
			if diff := cmp.Diff(want, got.envelope(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormRefused(t *testing.T) {
	tests := map[string]struct {
		form    string
		headers []string
		status  int
		name    string
	}{
		"a bad escape":         {"name=%ZZ", nil, 400, "BadRequest"},
		"a semicolon":          {"name=n;on=true", nil, 400, "BadRequest"},
		"invalid UTF-8":        {"name=%FF", nil, 400, "BadRequest"},
		"a field twice":        {"name=n&name=m", nil, 400, "BadRequest"},
		"too many fields":      {"name=n" + strings.Repeat("&a=b", 200), nil, 400, "BadRequest"},
		"compressed":           {"name=n", []string{"Content-Encoding: gzip"}, 415, "UnsupportedMediaType"},
		"missing":              {"on=true", nil, 422, "ValidationFailure"},
		"required, but empty":  {"name=", nil, 422, "ValidationFailure"},
		"no number":            {"name=n&ttl=x", nil, 422, "ValidationFailure"},
		"a fraction":           {"name=n&ttl=1.5", nil, 422, "ValidationFailure"},
		"not a number":         {"name=n&ratio=NaN", nil, 422, "ValidationFailure"},
		"null for a number":    {"name=n&ratio=null", nil, 422, "ValidationFailure"},
		"no boolean":           {"name=n&on=yes", nil, 422, "ValidationFailure"},
		"a number for boolean": {"name=n&on=1", nil, 422, "ValidationFailure"},
		"a list":               {"name=n&tags=a", nil, 422, "ValidationFailure"},
		"a list in JSON":       {`name=n&tags=["a"]`, nil, 422, "ValidationFailure"},
		"an object":            {"name=n&nested=%7B%7D", nil, 422, "ValidationFailure"},
		"a NUL":                {"name=%00", nil, 422, "ValidationFailure"},
	}
	s := serve(t, httpapi.Options{}, echo)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			wantError(t, call(t, s, "POST", "/echo", tt.form, append(tt.headers, withToken, withForm)...), tt.status, tt.name)
		})
	}
}

// TestRoutesWithACookieTakeNoForm: a browser sends a form, and the cookie with it, for any page that asks.
func TestRoutesWithACookieTakeNoForm(t *testing.T) {
	type in struct {
		Cookie string `cookie:"jid"`
	}
	type out struct{ Body struct{} }
	s := serve(t, httpapi.Options{}, func(a *httpapi.API) {
		httpapi.HandleOpen(a, httpapi.Route{Method: "POST", Path: "/reads", ID: "reads", Open: true},
			func(context.Context, access.Client, *in) (*out, error) { return &out{}, nil })
		httpapi.HandleOpen(a, httpapi.Route{Method: "POST", Path: "/sets", ID: "sets", Open: true, Cookie: true},
			func(context.Context, access.Client, *thingIn) (*out, error) { return &out{}, nil })
	})
	for _, path := range []string{"/reads", "/sets"} {
		for _, media := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"} {
			wantError(t, call(t, s, "POST", path, "name=n", "Content-Type: "+media), 415, "UnsupportedMediaType")
		}
		if got := call(t, s, "POST", path, `{"name":"n"}`, withJSON); got.Status != 200 {
			t.Errorf("%s answers JSON with %d: %s", path, got.Status, got.Body)
		}
	}
}
