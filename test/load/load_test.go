package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
	"github.com/sallyport/sallyport/test/load/result"
)

// front stands before a server, counts what reaches it by method and path, and may answer in the server's place.
type front struct {
	URL     string
	instead func(w http.ResponseWriter, r *http.Request) bool // answers itself and returns true; nil for never

	mu    sync.Mutex
	count map[string]int64
}

// ids are what differs in the paths of one route.
var ids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|SECRET_\d+`)

func newFront(t *testing.T, server string) *front {
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(at)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	proxy.ErrorLog = log.New(io.Discard, "", 0) // callers that are interrupted
	f := &front{count: map[string]int64{}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.count[r.Method+" "+ids.ReplaceAllString(r.URL.Path, "*")]++
		f.mu.Unlock()
		if f.instead == nil || !f.instead(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	f.URL = s.URL
	return f
}

// outcome is what a command left behind.
type outcome struct {
	status   int
	out, err string
	text     string // of the results
	result   *result.Result
}

// typed runs a command with the administrator's token, and fails the test if that token is in anything that it writes.
func typed(t *testing.T, ctx context.Context, s *harness.Server, args ...string) outcome {
	t.Helper()
	file := filepath.Join(t.TempDir(), "results.json")
	var out, errOut bytes.Buffer
	env := func(name string) string { return map[string]string{"SALLYPORT_TOKEN": s.Admin.Token}[name] }
	o := outcome{status: run(ctx, append(args, "--json", file), console{&out, &errOut, env})}
	o.out, o.err = out.String(), errOut.String()
	if text, err := os.ReadFile(file); err == nil {
		o.text = string(text)
		if o.result, err = result.Parse(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{o.out, o.err, o.text} {
		if strings.Contains(text, s.Admin.Token) {
			t.Errorf("the token was written: %s", text)
		}
	}
	return o
}

// nothingLeft fails the test if a run left an identity or a project.
func nothingLeft(t *testing.T, s *harness.Server) {
	t.Helper()
	left := s.Admin.Call(t, "GET", "/api/v1/identities?orgId="+s.OrgID, nil).Want(200).List("identities", "identity.id")
	left = append(left, s.Admin.Call(t, "GET", "/api/v1/projects", nil).Want(200).List("projects", "id")...)
	if diff := cmp.Diff([]string{s.AdminID}, left); diff != "" {
		t.Errorf("what is there after the run (-want +got):\n%s", diff)
	}
}

const use, revocation = "GET /api/v1/identities/details", "POST /api/v1/auth/token-auth/tokens/*/revoke"

// TestFiguresAddUp loads a real server with each operation, and compares what was counted with what reached the server.
func TestFiguresAddUp(t *testing.T) {
	s := harness.StartReady(t)
	for _, c := range []struct {
		mix   string
		route map[string]string // of each kind
		extra map[string]int64  // requests of that route that set the run up
	}{
		{"verify", map[string]string{"verify": use}, map[string]int64{use: 1}},
		{"read", map[string]string{"read": "GET /api/v4/secrets/*"}, nil},
		{"list", map[string]string{"list": "GET /api/v4/secrets"}, nil},
		{"poll", map[string]string{"poll": "GET /api/v4/secrets"}, map[string]int64{"GET /api/v4/secrets": 1}},
		{"login", map[string]string{"login": "POST /api/v1/auth/universal-auth/login"}, nil},
		{"create-token", map[string]string{"create-token": "POST /api/v1/auth/token-auth/identities/*/tokens"},
			map[string]int64{"POST /api/v1/auth/token-auth/identities/*/tokens": 1}},
		{"revoke", map[string]string{"revoke": revocation}, nil},
		{"revoke-then-use", map[string]string{"use": use, "use-after-revoke": use, "revoke": revocation}, map[string]int64{use: 1}},
		{"mass-revoke", map[string]string{"use": use, "use-after-revoke": use, "mass-revoke": "DELETE /api/v1/auth/token-auth/identities/*"},
			map[string]int64{use: 1}},
		{"verify=3,read=2,revoke=1", map[string]string{"verify": use, "read": "GET /api/v4/secrets/*", "revoke": revocation}, map[string]int64{use: 1}},
	} {
		t.Run(c.mix, func(t *testing.T) {
			f := newFront(t, s.URL)
			o := typed(t, t.Context(), s, "run", "--url", f.URL, "--mix", c.mix, "--duration", "100ms", "--warm-up", "0s", "--callers", "4",
				"--stock", "40", "--secrets", "5", "--mass", "12")
			if o.status != 0 || o.result == nil {
				t.Fatalf("status %d: %s", o.status, o.err)
			}
			p := o.result.Points[0]
			sent, counted := map[string]int64{}, map[string]int64{}
			for kind, route := range c.route {
				sent[route] = f.count[route]
				if p.Kinds[kind].Count == 0 {
					t.Errorf("nothing was counted as %s", kind)
				}
			}
			for kind, k := range p.Kinds {
				counted[c.route[kind]] += k.Count
				if len(k.Errors) > 0 {
					t.Errorf("%s had errors: %v", kind, k.Errors)
				}
			}
			for route, n := range c.extra {
				counted[route] += n
			}
			if diff := cmp.Diff(sent, counted); diff != "" {
				t.Errorf("requests (-reached the server +counted):\n%s", diff)
			}
			if memory := p.Replicas[0].MemoryAfter; memory == nil || *memory < 1e6 || o.result.Server != "test" {
				t.Errorf("memory %v, version %q; want some, and test", memory, o.result.Server)
			}
			nothingLeft(t, s)
		})
	}
}

// TestStaleAccept puts a server behind a front that answers revokes and passes none on, as a server that forgets them.
func TestStaleAccept(t *testing.T) {
	s := harness.StartReady(t)
	for _, c := range []struct{ mix, method, path string }{
		{"revoke-then-use", "POST", "/revoke"},
		{"mass-revoke", "DELETE", "/token-auth/identities/"},
	} {
		t.Run(c.mix, func(t *testing.T) {
			f := newFront(t, s.URL)
			f.instead = func(w http.ResponseWriter, r *http.Request) bool {
				forgets := r.Method == c.method && strings.Contains(r.URL.Path, c.path)
				if forgets {
					_, _ = w.Write([]byte("{}"))
				}
				return forgets
			}
			o := typed(t, t.Context(), s, "run", "--url", f.URL, "--mix", c.mix, "--duration", "300ms", "--warm-up", "0s", "--callers", "1",
				"--stock", "3", "--mass", "3", "--max-errors", "1")
			p := o.result.Points[0]
			if o.status != 1 || p.StaleAccepts == 0 || p.StaleAccepts != p.Kinds["use-after-revoke"].Errors["200"] {
				t.Errorf("status %d with %d stale accepts, and %v", o.status, p.StaleAccepts, p.Kinds["use-after-revoke"].Errors)
			}
			if want := fmt.Sprintf("STALE ACCEPTS: %d", p.StaleAccepts); !strings.Contains(o.out, want) || !strings.Contains(o.err, "stale accepts") {
				t.Errorf("it does not say %q:\n%s%s", want, o.out, o.err)
			}
			nothingLeft(t, s)
		})
	}
}

func TestUseGoesToAnotherReplicaThanTheRevoke(t *testing.T) {
	s := harness.StartReady(t)
	first, second := newFront(t, s.URL), newFront(t, s.URL)
	o := typed(t, t.Context(), s, "run", "--url", first.URL, "--url", second.URL, "--mix", "revoke-then-use", "--duration", "5s", "--warm-up", "0s",
		"--callers", "1", "--stock", "5")
	got := map[string]int64{"revokes": first.count[revocation], "uses": second.count[use], "revokes elsewhere": second.count[revocation],
		"uses here": first.count[use] - 1} // one to set up
	want := map[string]int64{"revokes": 5, "uses": 10, "revokes elsewhere": 0, "uses here": 0}
	if diff := cmp.Diff(want, got); diff != "" || o.status != 0 {
		t.Errorf("status %d; requests (-want +got):\n%s", o.status, diff)
	}
}

func TestErrorsEndARun(t *testing.T) {
	s := harness.StartReady(t)
	for _, status := range []int{429, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			f := newFront(t, s.URL)
			f.instead = func(w http.ResponseWriter, r *http.Request) bool {
				reads := strings.HasPrefix(r.URL.Path, "/api/v4/secrets/SECRET")
				if reads {
					w.WriteHeader(status)
				}
				return reads
			}
			o := typed(t, t.Context(), s, "run", "--url", f.URL, "--mix", "read", "--duration", "1m", "--warm-up", "0s", "--callers", "1", "--secrets", "1")
			if want := fmt.Sprintf("10 of 10 requests failed (%d: 10)", status); o.status != 1 || !strings.Contains(o.err, want) {
				t.Errorf("status %d, and it says %q; want 1 and %q", o.status, o.err, want)
			}
			if errors := o.result.Points[0].Kinds["read"].Errors; errors[fmt.Sprint(status)] != 10 {
				t.Errorf("errors %v", errors)
			}
			nothingLeft(t, s)
		})
	}
}

func TestNothingIsLeft(t *testing.T) {
	s := harness.StartReady(t)
	for _, c := range []struct {
		name, method, path string
		at                 int // the request of that method and path that something happens at
		interrupted        bool
	}{
		{"after a set-up that failed", "POST", "/api/v2/folders", 1, false},
		{"after a stock that failed", "POST", "/tokens", 4, false},
		{"interrupted in the set-up", "POST", "/api/v1/projects", 1, true},
		{"interrupted while tokens are made", "POST", "/tokens", 4, true},
		{"interrupted in the run", "GET", "/api/v4/secrets/SECRET_0", 20, true},
		{"interrupted in a mass revoke", "DELETE", "/token-auth/identities/", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			f, n := newFront(t, s.URL), 0
			var mu sync.Mutex
			f.instead = func(w http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				defer mu.Unlock()
				if r.Method != c.method || !strings.Contains(r.URL.Path, c.path) {
					return false
				}
				if n++; n != c.at {
					return false
				}
				if c.interrupted {
					interrupt()
					return false
				}
				w.WriteHeader(500)
				return true
			}
			o := typed(t, ctx, s, "run", "--url", f.URL, "--mix", "read=30,revoke=1,mass-revoke=1", "--duration", "1m", "--warm-up", "0s", "--callers", "2",
				"--secrets", "1", "--stock", "100", "--mass", "5")
			if n < c.at || o.status != 1 || c.interrupted != strings.Contains(o.err, "interrupted") {
				t.Errorf("%d such requests, status %d, %q", n, o.status, o.err)
			}
			nothingLeft(t, s)
		})
	}
}

func TestSweepHasAPointForEachValue(t *testing.T) {
	s := harness.StartReady(t)
	for _, c := range []struct {
		name string
		args []string
		want []point
	}{
		{"rates", []string{"--rates", "100,400"}, []point{{64, 100}, {64, 400}}},
		{"rates with callers", []string{"--rates", "100", "--callers", "3"}, []point{{3, 100}}},
		{"callers", []string{"--callers", "1,3"}, []point{{1, 0}, {3, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := typed(t, t.Context(), s, append([]string{"sweep", "--url", s.URL, "--duration", "200ms", "--warm-up", "10ms"}, c.args...)...)
			var got []point
			for _, p := range o.result.Points {
				got = append(got, point{p.Callers, p.Rate})
				if p.Rate > 0 && (p.Planned < int64(0.2*p.Rate) || p.Kinds["verify"].Count+p.Unsent == 0) {
					t.Errorf("planned %d, counted %d, unsent %d", p.Planned, p.Kinds["verify"].Count, p.Unsent)
				}
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(point{})); diff != "" || o.status != 0 {
				t.Errorf("status %d; points (-want +got):\n%s", o.status, diff)
			}
			picture := filepath.Join(t.TempDir(), "picture.svg")
			kind := "latency"
			if c.want[0].rate == 0 {
				kind = "throughput"
			}
			file := filepath.Join(t.TempDir(), "again.json")
			text, _ := json.Marshal(o.result) // it was read from JSON
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if status := run(t.Context(), []string{"plot", "--kind", kind, "-o", picture, file}, console{&bytes.Buffer{}, &bytes.Buffer{}, os.Getenv}); status != 0 {
				t.Errorf("plot ended with status %d", status)
			}
			if drawn, err := os.ReadFile(picture); err != nil || !bytes.Contains(drawn, []byte("<svg")) {
				t.Errorf("no picture: %v", err)
			}
		})
	}
}
