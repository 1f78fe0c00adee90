package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// TestDrain: requests are served as before while the API drains, but their connections are closed; and readiness checks,
// which then fail on purpose, leave no error in the log.
func TestDrain(t *testing.T) {
	var log bytes.Buffer
	api := httpapi.New(httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ask := func(path string, answer func() error) {
		httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodGet, Path: path, ID: path[1:], Tag: "Test", Summary: path[1:], Open: true},
			func(context.Context, access.Client, *httpapi.Empty) (*struct{ Body struct{} }, error) {
				return &struct{ Body struct{} }{}, answer()
			})
	}
	ask("/work", func() error { return nil })
	ask("/ready", api.Draining)
	server := httptest.NewServer(api.Handler())
	defer server.Close()
	wants := func(path string, status int, closes bool) {
		t.Helper()
		answer, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil { // so that the connection is used again
			t.Fatal(err)
		}
		if answer.StatusCode != status || answer.Close != closes {
			t.Errorf("%s: status %d, connection closes: %t; want %d, %t", path, answer.StatusCode, answer.Close, status, closes)
		}
	}
	wants("/work", 200, false)
	wants("/ready", 200, false)
	api.Drain()
	wants("/work", 200, true)
	wants("/ready", 503, true)
	wants("/nowhere", 404, true)
	if log.Len() > 0 {
		t.Errorf("an orderly stop left errors in the log:\n%s", &log)
	}
	if err := api.Draining(); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Draining returned %v; want Unavailable", err)
	}
}
