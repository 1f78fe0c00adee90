package httpapi_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

type paramsIn struct {
	Name    httpapi.Text `path:"name"`
	Raw     string       `path:"raw"`
	Text    httpapi.Text `query:"text" maxLength:"5"`
	Slug    string       `query:"workspaceSlug"`
	Limit   int          `query:"limit" default:"20" minimum:"1" maximum:"100"`
	Imports bool         `query:"include_imports"`
	Tags    []string     `query:"tags"`
	Since   time.Time    `query:"since"`
	Ratio   float64      `query:"ratio"`
	Kind    string       `query:"kind" enum:"a,b"`
	Trace   string       `header:"X-Trace"`
}

type paramsOut struct {
	Body struct {
		Name    httpapi.Text `json:"name"`
		Raw     string       `json:"raw"`
		Text    httpapi.Text `json:"text"`
		Slug    string       `json:"slug"`
		Limit   int          `json:"limit"`
		Imports bool         `json:"imports"`
		Tags    []string     `json:"tags"`
		Since   *time.Time   `json:"since,omitempty"`
		Ratio   float64      `json:"ratio"`
		Kind    string       `json:"kind"`
		Trace   string       `json:"trace"`
	}
}

func params(a *httpapi.API) {
	r := httpapi.Route{Method: "GET", Path: "/p/{name}/{raw}", ID: "params", AnyActor: true}
	httpapi.Handle(a, r, func(_ context.Context, _ *access.Actor, in *paramsIn) (*paramsOut, error) {
		out := &paramsOut{}
		out.Body.Name, out.Body.Raw, out.Body.Text, out.Body.Slug, out.Body.Limit = in.Name, in.Raw, in.Text, in.Slug, in.Limit
		out.Body.Imports, out.Body.Tags, out.Body.Ratio = in.Imports, in.Tags, in.Ratio
		out.Body.Kind, out.Body.Trace = in.Kind, in.Trace
		if !in.Since.IsZero() {
			out.Body.Since = &in.Since
		}
		return out, nil
	})
}

func TestParamsAccepted(t *testing.T) {
	base := func(change map[string]any) map[string]any {
		want := map[string]any{
			"name": "n", "raw": "r", "text": "", "slug": "", "limit": 20.0, "imports": false, "tags": nil, "ratio": 0.0, "kind": "", "trace": "",
		}
		for k, v := range change {
			want[k] = v
		}
		return want
	}
	tests := map[string]struct {
		path string
		want map[string]any
	}{
		"none":                        {"/p/n/r", base(nil)},
		"all":                         {"/p/n/r?text=t&workspaceSlug=s&limit=5&include_imports=true&tags=a,b&ratio=1.5&kind=b", base(map[string]any{"text": "t", "slug": "s", "limit": 5.0, "imports": true, "tags": []any{"a", "b"}, "ratio": 1.5, "kind": "b"})},
		"empty is absent":             {"/p/n/r?workspaceSlug=&limit=&include_imports=&kind=&tags=&since=", base(nil)},
		"without a value is absent":   {"/p/n/r?limit&include_imports&kind", base(nil)},
		"valueless one before":        {"/p/n/r?flag&workspaceSlug=s", base(map[string]any{"slug": "s"})},
		"unknown ones":                {"/p/n/r?a=b&c=%00&LIMIT=7&d[e]=f", base(nil)},
		"the first of two":            {"/p/n/r?limit=5&limit=6", base(map[string]any{"limit": 5.0})},
		"plus is a space":             {"/p/n/r?text=a+b", base(map[string]any{"text": "a b"})},
		"percent-encoded":             {"/p/n/r?t%65xt=%C3%A5%26%3D", base(map[string]any{"text": "å&="})},
		"semicolon is a character":    {"/p/n/r?workspaceSlug=/a;b&limit=5", base(map[string]any{"slug": "/a;b", "limit": 5.0})},
		"equals sign in the value":    {"/p/n/r?text=a=b", base(map[string]any{"text": "a=b"})},
		"only separators":             {"/p/n/r?&&&", base(nil)},
		"time":                        {"/p/n/r?since=2026-01-02T03:04:05.678Z", base(map[string]any{"since": "2026-01-02T03:04:05.678Z"})},
		"slash inside of a segment":   {"/p/a%2Fb/%2Fc", base(map[string]any{"name": "a/b", "raw": "/c"})},
		"dots inside of a segment":    {"/p/%2e%2e/..%2f..", base(map[string]any{"name": "..", "raw": "../.."})},
		"encoded and plain alike":     {"/p/%6E/r", base(nil)},
		"percent sign in a segment":   {"/p/%2525/r", base(map[string]any{"name": "%25"})},
		"question mark in a segment":  {"/p/%3F/r", base(map[string]any{"name": "?"})},
		"plus in a path stays a plus": {"/p/a+b/r", base(map[string]any{"name": "a+b"})},
	}
	s := serve(t, httpapi.Options{}, params)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := call(t, s, "GET", tt.path, "", withToken)
			if got.Status != 200 {
				t.Fatalf("status %d: %s", got.Status, got.Body)
			}
			if diff := cmp.Diff(tt.want, got.envelope(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParamsInvalid(t *testing.T) {
	tests := map[string]struct{ path, code, field string }{
		"integer/text":            {"/p/n/r?limit=x", "invalid_type", "limit"},
		"integer/fraction":        {"/p/n/r?limit=1.5", "invalid_type", "limit"},
		"integer/beyond int64":    {"/p/n/r?limit=9223372036854775808", "invalid_type", "limit"},
		"integer/too small":       {"/p/n/r?limit=0", "too_small", "limit"},
		"integer/too big":         {"/p/n/r?limit=101", "too_big", "limit"},
		"number":                  {"/p/n/r?ratio=x", "invalid_type", "ratio"},
		"boolean":                 {"/p/n/r?include_imports=yes", "invalid_type", "include_imports"},
		"time":                    {"/p/n/r?since=yesterday", "invalid_string", "since"},
		"enum":                    {"/p/n/r?kind=c", "invalid_enum_value", "kind"},
		"text/too long":           {"/p/n/r?text=abcdef", "too_big", "text"},
		"text/line break":         {"/p/n/r?text=a%0Ab", "invalid_string", "text"},
		"text/NUL":                {"/p/n/r?text=a%00", "invalid_string", "text"},
		"text/invalid UTF-8":      {"/p/n/r?text=%ff", "invalid_string", "text"},
		"string/NUL":              {"/p/n/r?workspaceSlug=%00", "invalid_string", "workspaceSlug"},
		"string/invalid UTF-8":    {"/p/n/r?workspaceSlug=%C3", "invalid_string", "workspaceSlug"},
		"list/NUL":                {"/p/n/r?tags=a,%00", "invalid_string", "tags"},
		"path/NUL":                {"/p/n/%00", "invalid_string", "raw"},
		"path/invalid UTF-8":      {"/p/n/%ff", "invalid_string", "raw"},
		"path text/control":       {"/p/%07/r", "invalid_string", "name"},
		"path text/invalid UTF-8": {"/p/%c0%80/r", "invalid_string", "name"},
	}
	s := serve(t, httpapi.Options{}, params)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := wantError(t, call(t, s, "GET", tt.path, "", withToken), 422, "ValidationFailure")
			issue := e["message"].([]any)[0].(map[string]any)
			if diff := cmp.Diff([]any{tt.field}, issue["path"]); diff != "" || issue["code"] != tt.code {
				t.Errorf("got %v", issue)
			}
		})
	}
}

func TestParamsUnreadable(t *testing.T) {
	tests := map[string]string{
		"bad escape in a value": "/p/n/r?text=%zz",
		"bad escape in a name":  "/p/n/r?%z=1",
		"cut off escape":        "/p/n/r?text=%4",
		"too many parameters":   "/p/n/r?" + strings.Repeat("a=1&", 200),
	}
	s := serve(t, httpapi.Options{}, params)
	for name, path := range tests {
		t.Run(name, func(t *testing.T) {
			wantError(t, raw(t, s, "GET", "GET "+path+" HTTP/1.1\r\nHost: x\r\n"+withToken+"\r\n\r\n"), 400, "BadRequest")
		})
	}
}

// PageIn is exported: huma does not look into an embedded struct that is not.
type PageIn struct {
	Page int `query:"page" default:"1" hidden:"true"`
}
type hiddenIn struct {
	PageIn
	Offset int `query:"offset"`
}

func TestHiddenAndEmbeddedParams(t *testing.T) {
	s := serve(t, httpapi.Options{}, func(a *httpapi.API) {
		httpapi.Handle(a, httpapi.Route{Method: "GET", Path: "/hidden", ID: "hidden", AnyActor: true},
			func(_ context.Context, _ *access.Actor, in *PageIn) (*echoOut, error) {
				return &echoOut{map[string]any{"page": in.Page}}, nil
			})
		httpapi.Handle(a, httpapi.Route{Method: "GET", Path: "/embedded", ID: "embedded", AnyActor: true},
			func(_ context.Context, _ *access.Actor, in *hiddenIn) (*echoOut, error) {
				return &echoOut{map[string]any{"page": in.Page}}, nil
			})
	})
	for _, path := range []string{"/hidden", "/embedded"} {
		if got := call(t, s, "GET", path+"?page=7", "", withToken); got.Body != `{"page":7}` {
			t.Errorf("%s: %s", path, got.Body)
		}
		if got := call(t, s, "GET", path, "", withToken); got.Body != `{"page":1}` {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
}

func TestHeaderParams(t *testing.T) {
	s := serve(t, httpapi.Options{}, params)
	if got := call(t, s, "GET", "/p/n/r", "", withToken, "X-Trace: t"); got.envelope(t)["trace"] != "t" {
		t.Errorf("body %s", got.Body)
	}
	wantError(t, call(t, s, "GET", "/p/n/r", "", withToken, "X-Trace: \xff"), 422, "ValidationFailure")
}
