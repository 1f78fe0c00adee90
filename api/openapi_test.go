// Package api holds openapi.json, the OpenAPI document of the server.
package api

import (
	"flag"
	"log/slog"
	"testing"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
)

var update = flag.Bool("update", false, "write the generated files again")

// TestOpenAPI fails when openapi.json is not what the server of this source serves at /api/docs/json, the version apart.
func TestOpenAPI(t *testing.T) {
	document, err := server(t).API().OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "openapi.json", string(document))
}

// server returns a server of this source. It does not listen.
func server(t *testing.T) *app.App {
	settings := config.Defaults()
	settings.DataDir = t.TempDir()
	s, err := app.New(t.Context(), app.Options{Config: settings, Version: "dev", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
