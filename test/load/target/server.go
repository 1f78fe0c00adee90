package target

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
)

// Version returns what the server says that it is: the version in GET /api/status, or otherwise in its OpenAPI document; "" if
// neither tells.
func (s *Site) Version(ctx context.Context) string {
	var status struct{ Version string }
	var document struct{ Info struct{ Version string } }
	if s.ask(ctx, call{method: http.MethodGet, url: s.URLs[0] + "/api/status"}, &status) == nil && status.Version != "" {
		return status.Version
	}
	_ = s.ask(ctx, call{method: http.MethodGet, url: s.URLs[0] + "/api/docs/json"}, &document) // other servers need not have one
	return document.Info.Version
}

// Gauges are figures of one replica that its GET /metrics told. What it does not tell is missing.
type Gauges map[string]float64

// The gauges that are asked for.
const (
	ResidentMemory = "process_resident_memory_bytes"
	RevokedTokens  = "sallyport_revoked_tokens"
)

// Gauges asks a replica for its figures. They are empty if it tells none.
func (s *Site) Gauges(ctx context.Context, replica int) Gauges {
	a := s.send(ctx, call{method: http.MethodGet, url: s.URLs[replica] + "/metrics", keep: true})
	found := Gauges{}
	if a.status != http.StatusOK {
		return found
	}
	for line := range bytes.Lines(a.body) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if number, err := strconv.ParseFloat(value, 64); err == nil && (name == ResidentMemory || name == RevokedTokens) {
			found[name] = number
		}
	}
	return found
}
