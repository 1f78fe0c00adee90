package httpapi_test

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// limited is a server with small limits, a clock that the test sets, and callers told apart by X-Forwarded-For.
type limited struct {
	*httptest.Server
	now    atomic.Int64 // seconds
	asked  atomic.Int64 // tokens that were looked at
	logins atomic.Int64 // logins that were looked at
}

func startLimited(t testing.TB) *limited { return startLimitedWith(t, 0) }

func startLimitedWith(t testing.TB, delay time.Duration) *limited {
	s := &limited{}
	o := httpapi.Options{
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Now:            func() time.Time { return time.Unix(1_800_000_000+s.now.Load(), 0) },
		Limits: httpapi.Limits{Failures: limit.Rule{Rate: 1, Burst: 3}, Identity: limit.Rule{Rate: 2, Burst: 8}, Delay: delay,
			Exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Always: []string{"/revoke/{id}"}},
		Authenticate: func(_ context.Context, token string, _ access.Client) (*access.Actor, error) {
			s.asked.Add(1)
			switch token {
			case "expired", "signature":
				return nil, fault.Dead(token, "It is dead.")
			}
			return &access.Actor{Type: access.ActorIdentity, ID: "holder of " + token}, nil
		},
	}
	login := func(_ context.Context, _ access.Client, in *idIn) (*echoOut, error) {
		s.logins.Add(1)
		switch in.ID {
		case "wrong":
			return nil, fault.New(fault.Unauthenticated, "The secret is wrong.")
		case "missing":
			return nil, fault.New(fault.NotFound, "There is none.")
		}
		return &echoOut{map[string]any{}}, nil
	}
	s.Server = serve(t, o, func(a *httpapi.API) {
		answering(func(context.Context) (map[string]any, error) { return map[string]any{}, nil })(a)
		httpapi.HandleOpen(a, httpapi.Route{Method: "POST", Path: "/login/{id}", ID: "login", Open: true}, login)
		httpapi.HandleOpen(a, httpapi.Route{Method: "GET", Path: "/status/{id}", ID: "status", Open: true}, login)
		httpapi.HandleOpen(a, httpapi.Route{Method: "POST", Path: "/revoke/{id}", ID: "revoke", Open: true}, login)
	})
	return s
}

// get asks for the thing with a token from an address.
func (s *limited) get(t testing.TB, token, from string) answer {
	return call(t, s.Server, "GET", "/api/thing", "", "Authorization: Bearer "+token, "X-Forwarded-For: "+from)
}

func (s *limited) post(t testing.TB, path, from string) answer {
	return call(t, s.Server, "POST", path, "", "X-Forwarded-For: "+from)
}

func times(n int, f func()) {
	for range n {
		f()
	}
}

func TestLimits(t *testing.T) {
	const here, neighbour, network = "203.0.113.1", "203.0.113.2", "2001:db8:0:1::"
	guess := func(t *testing.T, s *limited) { times(5, func() { s.get(t, "signature", here) }) }
	stuff := func(t *testing.T, s *limited) { times(5, func() { s.post(t, "/login/wrong", here) }) }
	tests := map[string]struct {
		before func(t *testing.T, s *limited)
		then   func(t *testing.T, s *limited) answer
		want   int
	}{
		"refused/guesses of tokens": {guess, func(t *testing.T, s *limited) answer { return s.get(t, "signature", here) }, 429},
		"refused/new token after guesses from the same address": {guess,
			func(t *testing.T, s *limited) answer { return s.get(t, "new", here) }, 429},
		"accepted/token that was good before the guesses": {func(t *testing.T, s *limited) {
			s.get(t, "old", here)
			guess(t, s)
		}, func(t *testing.T, s *limited) answer { return s.get(t, "old", here) }, 200},
		"accepted/a login after guesses of tokens": {guess, func(t *testing.T, s *limited) answer { return s.post(t, "/login/right", here) }, 200},
		"accepted/another address":                 {guess, func(t *testing.T, s *limited) answer { return s.get(t, "new", neighbour) }, 200},
		"accepted/after a second": {func(t *testing.T, s *limited) {
			guess(t, s)
			s.now.Add(1)
		}, func(t *testing.T, s *limited) answer { return s.get(t, "new", here) }, 200},
		"dead/expired tokens do not count": {func(t *testing.T, s *limited) { times(9, func() { s.get(t, "expired", here) }) },
			func(t *testing.T, s *limited) answer { return s.get(t, "expired", here) }, 401},
		"dead/none at all does not count": {func(t *testing.T, s *limited) {
			times(9, func() { call(t, s.Server, "GET", "/api/thing", "", "X-Forwarded-For: "+here) })
		},
			func(t *testing.T, s *limited) answer { return s.get(t, "signature", here) }, 401},
		"dead/exempt network": {func(t *testing.T, s *limited) { times(9, func() { s.get(t, "signature", "10.1.2.3") }) },
			func(t *testing.T, s *limited) answer { return s.get(t, "signature", "10.1.2.3") }, 401},
		"refused/same network of 64 bits": {func(t *testing.T, s *limited) {
			for _, host := range []string{"1", "2", "3", "4"} {
				s.get(t, "signature", network+host)
			}
		}, func(t *testing.T, s *limited) answer { return s.get(t, "new", network+"5") }, 429},
		"accepted/next network of 64 bits": {func(t *testing.T, s *limited) { times(4, func() { s.get(t, "signature", network+"1") }) },
			func(t *testing.T, s *limited) answer { return s.get(t, "new", "2001:db8:0:2::1") }, 200},
		"refused/failed logins":                    {stuff, func(t *testing.T, s *limited) answer { return s.post(t, "/login/right", here) }, 429},
		"accepted/a new token after failed logins": {stuff, func(t *testing.T, s *limited) answer { return s.get(t, "new", here) }, 200},
		"accepted/revoking after failed logins":    {stuff, func(t *testing.T, s *limited) answer { return s.post(t, "/revoke/x", here) }, 200},
		"accepted/reading status after failed logins": {stuff, func(t *testing.T, s *limited) answer {
			return call(t, s.Server, "GET", "/status/x", "", "X-Forwarded-For: "+here)
		}, 200},
		"accepted/logins that succeed": {func(t *testing.T, s *limited) { times(9, func() { s.post(t, "/login/right", here) }) },
			func(t *testing.T, s *limited) answer { return s.post(t, "/login/right", here) }, 200},
		"accepted/logins that find nothing": {func(t *testing.T, s *limited) { times(9, func() { s.post(t, "/login/missing", here) }) },
			func(t *testing.T, s *limited) answer { return s.post(t, "/login/right", here) }, 200},
		"refused/identity over its rate": {func(t *testing.T, s *limited) { times(8, func() { s.get(t, "busy", here) }) },
			func(t *testing.T, s *limited) answer { return s.get(t, "busy", neighbour) }, 429},
		"accepted/another identity": {func(t *testing.T, s *limited) { times(9, func() { s.get(t, "busy", here) }) },
			func(t *testing.T, s *limited) answer { return s.get(t, "calm", here) }, 200},
		"accepted/identity in an exempt network": {func(t *testing.T, s *limited) { times(9, func() { s.get(t, "busy", "10.0.0.9") }) },
			func(t *testing.T, s *limited) answer { return s.get(t, "busy", "10.0.0.9") }, 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := startLimited(t)
			test.before(t, s)
			got := test.then(t, s)
			if got.Status != test.want {
				t.Errorf("%d %s; want %d", got.Status, got.Body, test.want)
			}
			if got.Status == 429 {
				wantError(t, got, 429, "RateLimitExceeded")
				if got.Header.Get("Retry-After") != "1" {
					t.Errorf("Retry-After is %q, want 1", got.Header.Get("Retry-After"))
				}
			}
		})
	}
}

// TestHeldBackCallersCostNothing: beyond the limit nothing that a caller sends is looked at.
func TestHeldBackCallersCostNothing(t *testing.T) {
	s := startLimited(t)
	times(20, func() { s.get(t, "signature", "203.0.113.1") })
	times(20, func() { s.post(t, "/login/wrong", "203.0.113.1") })
	if asked, logins := s.asked.Load(), s.logins.Load(); asked != 3 || logins != 3 {
		t.Errorf("%d tokens and %d logins were looked at, want 3 of each", asked, logins)
	}
}

// TestStalledCallers: who is held back waits for the answer, and as many as there are places for; the others are told to
// connect anew. Nobody else waits.
func TestStalledCallers(t *testing.T) {
	const places = 1024
	s := startLimitedWith(t, time.Minute)
	times(3, func() { s.get(t, "signature", "203.0.113.1") })
	ctx, stop := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range places {
		waiting.Go(func() {
			for ctx.Err() == nil { // again, where the caller below had the last place
				s.stallIn(ctx)
			}
		})
	}
	for { // until all places are taken
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		h := s.stallIn(ctx)
		cancel()
		if h != nil {
			if h.Code != 429 || h.Header().Get("Connection") != "close" {
				t.Errorf("answered %d with %v", h.Code, h.Header())
			}
			break
		}
	}
	if got := s.get(t, "new", "203.0.113.2"); got.Status != 200 {
		t.Errorf("another caller was answered %d", got.Status)
	}
	stop()
	waiting.Wait()
}

// stallIn sends a guess from an address that is held back, without a socket. It returns nil if ctx ended before the answer.
func (s *limited) stallIn(ctx context.Context) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/api/thing", nil)
	r.RemoteAddr = "203.0.113.1:5"
	r.Header.Set("Authorization", "Bearer signature")
	s.Config.Handler.ServeHTTP(w, r)
	if ctx.Err() != nil {
		return nil
	}
	return w
}

// TestLimitHeaders: they come with a 429, and before it as soon as less than half is left.
func TestLimitHeaders(t *testing.T) {
	s := startLimited(t)
	var got [][]string
	for range 9 {
		h := s.get(t, "a", "203.0.113.1").Header
		got = append(got, []string{h.Get("RateLimit-Limit"), h.Get("RateLimit-Remaining"), h.Get("RateLimit-Reset"), h.Get("Retry-After")})
	}
	want := [][]string{{"", "", "", ""}, {"", "", "", ""}, {"", "", "", ""}, {"", "", "", ""},
		{"8", "3", "3", ""}, {"8", "2", "3", ""}, {"8", "1", "4", ""}, {"8", "0", "4", ""}, {"8", "0", "4", "1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(- want, + got)\n%s", diff)
	}
}

// BenchmarkLimits shows what the limits add to a request that is let through, beside BenchmarkHandler.
func BenchmarkLimits(b *testing.B) {
	for name, l := range map[string]httpapi.Limits{"off": {}, "on": {
		Failures: limit.Rule{Rate: 5, Burst: 100}, Identity: limit.Rule{Rate: 1_000_000_000, Burst: 1_000_000_000},
		Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}} {
		b.Run(name, func(b *testing.B) {
			out, _ := fixedAnswer()
			a := httpapi.New(httpapi.Options{Authenticate: authenticate, Limits: l})
			httpapi.Handle(a, httpapi.Route{Method: "GET", Path: "/api/v1/things/{id}", ID: "x", AnyActor: true},
				func(context.Context, *access.Actor, *idIn) (*fixedOut, error) { return out, nil })
			h := a.Handler()
			r := httptest.NewRequest("GET", "/api/v1/things/1", nil)
			r.Header.Set("Authorization", "Bearer "+good)
			w := &discard{header: map[string][]string{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}
