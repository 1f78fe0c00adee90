package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// TestReusedAnswers: an answer that was kept is sent again byte by byte, with its tag, and not opened for a caller who has it.
func TestReusedAnswers(t *testing.T) {
	var tag string
	var body []byte
	opened, failing := 0, error(nil)
	s := serve(t, httpapi.Options{}, func(a *httpapi.API) {
		r := httpapi.Route{Method: "GET", Path: "/x", ID: "x", Open: true}
		httpapi.HandleOpen(a, r, func(ctx context.Context, _ access.Client, _ *httpapi.Empty) (*fixedOut, error) {
			out := &fixedOut{}
			if body != nil {
				httpapi.Reuse(ctx, tag, func() ([]byte, error) { opened++; return body, failing })
				return out, nil
			}
			httpapi.Keep(ctx, func(made string, text []byte) { tag, body = made, append(body, text...) })
			out.Body.Message = "made once"
			return out, nil
		})
	})
	ask := func(header ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, s.URL+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range header {
			r.Header.Set("If-None-Match", value)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return res, readAnswer(t, res).Body
	}
	first, made := ask()
	again, same := ask()
	if made != same || made != `{"message":"made once"}` || first.Header.Get("Etag") != again.Header.Get("Etag") || tag != first.Header.Get("Etag") || opened != 1 {
		t.Errorf("%q with tag %q, then %q with tag %q; opened %d times", made, first.Header.Get("Etag"), same, again.Header.Get("Etag"), opened)
	}
	if again.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the content type is %q", again.Header.Get("Content-Type"))
	}
	if res, _ := ask(tag); res.StatusCode != http.StatusNotModified || res.Header.Get("Etag") != tag || opened != 1 {
		t.Errorf("a caller who has it is answered %d with tag %q; opened %d times", res.StatusCode, res.Header.Get("Etag"), opened)
	}
	if res, text := ask(`"another"`); res.StatusCode != http.StatusOK || text != made {
		t.Errorf("a caller who has another one is answered %d %q", res.StatusCode, text)
	}
	failing = errors.New("sealed by another key")
	if res, text := ask(); res.StatusCode != http.StatusInternalServerError || text == made {
		t.Errorf("an answer that does not open is answered %d %q", res.StatusCode, text)
	}
}
