package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const callers = 16 // at once, each with its own connection that it keeps

type fixedOut struct {
	Body struct {
		Message string `json:"message"`
	}
}

// fixedAnswer returns what all sides answer: 120 bytes of JSON.
func fixedAnswer() (*fixedOut, string) {
	out := &fixedOut{}
	out.Body.Message = strings.Repeat("m", 120-len(`{"message":""}`))
	return out, `{"message":"` + out.Body.Message + `"}`
}

// sides are a route of ours, and two handlers of plain net/http that send the same body: "floor" with nothing else, and
// "dressed" with the same header lines.
func sides(b *testing.B) map[string]*httptest.Server {
	actor := &access.Actor{ID: "actor-1"}
	out, body := fixedAnswer()
	o := httpapi.Options{Registry: prometheus.NewRegistry()}
	o.Authenticate = func(context.Context, string, access.Client) (*access.Actor, error) { return actor, nil }
	plain := func(headers ...string) *httptest.Server {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /api/v1/things/{id}", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			_, _ = io.WriteString(w, body)
		})
		s := httptest.NewServer(mux)
		b.Cleanup(s.Close)
		return s
	}
	return map[string]*httptest.Server{
		"floor": plain(),
		"dressed": plain("X-Request-Id", "req-abcdefghijklmn", "Cache-Control", "no-store",
			"X-Content-Type-Options", "nosniff", "Etag", `"abcdefghijklmnopqrstuvwx"`),
		"route": serve(b, o, func(a *httpapi.API) {
			r := httpapi.Route{Method: "GET", Path: "/api/v1/things/{id}", ID: "x", AnyActor: true}
			httpapi.Handle(a, r, func(context.Context, *access.Actor, *idIn) (*fixedOut, error) { return out, nil })
		}),
	}
}

// BenchmarkRoute compares a trivial route with plain net/http in turns inside of one run, so that all have the same
// machine. The ratios are what part of the others' requests a second the route reaches.
func BenchmarkRoute(b *testing.B) {
	servers := sides(b)
	const rounds = 20
	took := map[string]time.Duration{}
	n := b.N/rounds/callers + 1
	b.ResetTimer()
	for range rounds {
		for _, side := range []string{"floor", "dressed", "route"} {
			took[side] += drive(b, servers[side], n)
		}
	}
	for side := range took {
		b.ReportMetric(float64(rounds*callers*n)/took[side].Seconds(), side+"/s")
	}
	b.ReportMetric(took["floor"].Seconds()/took["route"].Seconds(), "of-floor")
	b.ReportMetric(took["dressed"].Seconds()/took["route"].Seconds(), "of-dressed")
}

// BenchmarkSide drives one side alone, for profiles.
func BenchmarkSide(b *testing.B) {
	for _, side := range []string{"floor", "dressed", "route"} {
		b.Run(side, func(b *testing.B) {
			s := sides(b)[side]
			b.ReportAllocs()
			b.ResetTimer()
			drive(b, s, b.N/callers+1)
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

// drive sends n requests from each caller and returns how long that took.
func drive(b *testing.B, s *httptest.Server, n int) time.Duration {
	var done sync.WaitGroup
	start := time.Now()
	for range callers {
		done.Go(func() {
			if err := keepCalling(s.Listener.Addr().String(), n); err != nil {
				b.Error(err)
			}
		})
	}
	done.Wait()
	return time.Since(start)
}

// keepCalling sends n requests over one connection. It is as lean as it can be, since it runs on the same machine as
// the server and must not take most of it.
func keepCalling(addr string, n int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	request := []byte("GET /api/v1/things/1 HTTP/1.1\r\nHost: x\r\nUser-Agent: bench\r\n" + withToken + "\r\n\r\n")
	answers := bufio.NewReader(conn)
	for range n {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := skipAnswer(answers); err != nil {
			return err
		}
	}
	return nil
}

// skipAnswer reads one answer of 200 with 120 bytes.
func skipAnswer(answers *bufio.Reader) error {
	sized := false
	for first := true; ; first = false {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && string(line) != "HTTP/1.1 200 OK\r\n" {
			return fmt.Errorf("the answer is %q", line)
		}
		sized = sized || string(line) == "Content-Length: 120\r\n"
		if len(line) == 2 {
			break
		}
	}
	if !sized {
		return fmt.Errorf("the answer has not 120 bytes")
	}
	_, err := answers.Discard(120)
	return err
}
