// Package api holds openapi.json, the OpenAPI document of the server.
package api

import (
	"flag"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/config"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// TestOpenAPI fails when openapi.json is not what the server of this source serves at /api/docs/json, the version apart.
func TestOpenAPI(t *testing.T) {
	settings := config.Server{Storage: config.Storage{DataDir: t.TempDir()}, Listen: "127.0.0.1:8080", Lease: 2 * time.Second}
	server, err := app.New(t.Context(), app.Options{Config: settings, Version: "dev", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	document, err := server.API().OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", document, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), string(document)); diff != "" {
		t.Errorf("openapi.json is stale; run make generate and commit it (- committed, + served):\n%s", diff)
	}
}
