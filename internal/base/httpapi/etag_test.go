package httpapi_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

func TestETag(t *testing.T) {
	text := "one"
	s := serve(t, httpapi.Options{}, answering(func(context.Context) (map[string]any, error) { return map[string]any{"a": text}, nil }))
	get := func(headers ...string) answer {
		return call(t, s, "GET", "/api/thing", "", append(headers, withToken)...)
	}
	first := get()
	tag := first.Header.Get("Etag")
	if !regexp.MustCompile(`^"[A-Za-z0-9_-]{24}"$`).MatchString(tag) {
		t.Fatalf("ETag %q", tag)
	}
	if again := get(); again.Header.Get("Etag") != tag {
		t.Errorf("the same body has ETag %q and then %q", tag, again.Header.Get("Etag"))
	}
	tests := map[string]struct {
		headers []string
		status  int
	}{
		"304/equal":         {[]string{"If-None-Match: " + tag}, 304},
		"304/weak":          {[]string{"If-None-Match: W/" + tag}, 304},
		"304/in a list":     {[]string{`If-None-Match: "x", W/"y" ,` + tag}, 304},
		"304/second header": {[]string{`If-None-Match: "x"`, "If-None-Match: " + tag}, 304},
		"304/any":           {[]string{"If-None-Match: *"}, 304},
		"200/other":         {[]string{`If-None-Match: "x"`}, 200},
		"200/unquoted":      {[]string{"If-None-Match: " + tag[1:25]}, 200},
		"200/empty":         {[]string{"If-None-Match: "}, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := get(tt.headers...)
			if got.Status != tt.status || got.Header.Get("Etag") != tag {
				t.Errorf("status %d, ETag %q", got.Status, got.Header.Get("Etag"))
			}
			if (got.Body == "") != (tt.status == 304) {
				t.Errorf("body %q", got.Body)
			}
		})
	}
	text = "two"
	if got := get("If-None-Match: " + tag); got.Status != 200 || got.Header.Get("Etag") == tag {
		t.Errorf("after a change: status %d, ETag %q", got.Status, got.Header.Get("Etag"))
	}
}

func TestETagOnlyOfSuccessfulGET(t *testing.T) {
	s := serve(t, httpapi.Options{}, routes)
	if got := call(t, s, "POST", "/api/things", "", withToken, "If-None-Match: *"); got.Status != 200 || got.Header.Get("Etag") != "" {
		t.Errorf("POST: status %d, ETag %q", got.Status, got.Header.Get("Etag"))
	}
	failing := serve(t, httpapi.Options{}, answering(func(context.Context) (map[string]any, error) {
		return nil, fault.New(fault.NotFound, "no")
	}))
	got := call(t, failing, "GET", "/api/thing", "", withToken, "If-None-Match: *")
	if wantError(t, got, 404, "NotFound"); got.Header.Get("Etag") != "" {
		t.Errorf("error: ETag %q", got.Header.Get("Etag"))
	}
}
