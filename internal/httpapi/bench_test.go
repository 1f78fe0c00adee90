package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/httpapi"
)

const callers = 16 // at once, each with its own connection that it keeps

type fixedOut struct {
	Body struct {
		Message string `json:"message"`
	}
}

// fixed is the answer of both sides: 120 bytes of JSON.
var fixed = fixedOut{struct {
	Message string `json:"message"`
}{strings.Repeat("m", 120-len(`{"message":""}`))}}

// sides are a route of ours, and a bare handler of net/http that sends the same bytes.
func sides(b *testing.B) map[string]*httptest.Server {
	actor := &access.Actor{ID: "actor-1"}
	o := httpapi.Options{Registry: prometheus.NewRegistry()}
	o.Authenticate = func(context.Context, string, access.Client) (*access.Actor, error) { return actor, nil }
	body := `{"message":"` + fixed.Body.Message + `"}`
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/things/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	})
	floor := httptest.NewServer(mux)
	b.Cleanup(floor.Close)
	return map[string]*httptest.Server{"floor": floor, "route": serve(b, o, func(a *httpapi.API) {
		r := httpapi.Route{Method: "GET", Path: "/api/v1/things/{id}", ID: "x", AnyActor: true}
		httpapi.Handle(a, r, func(context.Context, *access.Actor, *idIn) (*fixedOut, error) { return &fixed, nil })
	})}
}

// BenchmarkRoute compares a trivial route with the floor in turns inside of one run, so that both have the same
// machine. "ratio" is what part of the floor's requests a second the route reaches (design section 10).
func BenchmarkRoute(b *testing.B) {
	servers := sides(b)
	const rounds = 10
	took := map[string]time.Duration{}
	b.ResetTimer()
	for range rounds {
		for _, side := range []string{"floor", "route"} {
			took[side] += drive(b, servers[side], b.N/rounds+1)
		}
	}
	requests := float64(rounds * (b.N/rounds + 1))
	b.ReportMetric(requests/took["route"].Seconds(), "route/s")
	b.ReportMetric(requests/took["floor"].Seconds(), "floor/s")
	b.ReportMetric(took["floor"].Seconds()/took["route"].Seconds(), "ratio")
}

// BenchmarkSide drives one side alone, for profiles.
func BenchmarkSide(b *testing.B) {
	for _, side := range []string{"floor", "route"} {
		b.Run(side, func(b *testing.B) {
			s := sides(b)[side]
			b.ReportAllocs()
			b.ResetTimer()
			drive(b, s, b.N)
		})
	}
}

// BenchmarkHandler measures our part alone, without sockets.
func BenchmarkHandler(b *testing.B) {
	h := sides(b)["route"].Config.Handler
	r := httptest.NewRequest("GET", "/api/v1/things/1", nil)
	r.Header.Set("Authorization", "Bearer "+good)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
}

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// drive sends n requests from all callers and returns how long that took.
func drive(b *testing.B, s *httptest.Server, n int) time.Duration {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers, MaxConnsPerHost: callers}}
	defer client.CloseIdleConnections()
	var done sync.WaitGroup
	jobs := make(chan int, callers)
	errs := make(chan error, callers)
	start := time.Now()
	for range callers {
		done.Go(func() {
			for range jobs {
				if err := get(client, s.URL+"/api/v1/things/1"); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	for i := range n {
		select {
		case jobs <- i:
		case err := <-errs:
			b.Fatal(err)
		}
	}
	close(jobs)
	done.Wait()
	return time.Since(start)
}

func get(client *http.Client, url string) error {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+good)
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || len(text) != 120 || res.StatusCode != 200 {
		return fmt.Errorf("status %d with %d bytes: %w", res.StatusCode, len(text), err)
	}
	return nil
}
