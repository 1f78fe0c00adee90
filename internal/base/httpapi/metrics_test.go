package httpapi_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := serve(t, httpapi.Options{Registry: registry}, routes)
	call(t, s, "GET", "/api/things/1", "", withToken)
	call(t, s, "HEAD", "/api/things/2", "", withToken)
	call(t, s, "GET", "/api/things/3", "")
	call(t, s, "GET", "/made-up", "")
	call(t, s, "BREW", "/made-up-too", "")
	call(t, s, "GET", "/plain", "")
	s.Close()
	want := map[string]float64{
		"GET /api/things/{id} 2xx": 2, "GET /api/things/{id} 4xx": 1, "other unrouted 4xx": 2, "GET /plain 2xx": 1,
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	timed := uint64(0)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			label := map[string]string{}
			for _, l := range m.GetLabel() {
				label[l.GetName()] = l.GetValue()
			}
			key := label["method"] + " " + label["route"] + " " + label["status"]
			if got := m.GetCounter().GetValue(); family.GetName() == "sallyport_http_requests_total" && got != want[key] {
				t.Errorf("%s: counted %v, want %v", key, got, want[key])
			}
			timed += m.GetHistogram().GetSampleCount()
			if strings.Contains(key, "made-up") || strings.Contains(key, "BREW") {
				t.Errorf("a caller chose the label %q", key)
			}
		}
	}
	if timed != 6 {
		t.Errorf("timed %d requests, want 6", timed)
	}
}
