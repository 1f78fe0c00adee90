package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// clientOf returns what a route learns of the caller of r, with proxies trusted.
func clientOf(t testing.TB, r *http.Request, proxies ...string) access.Client {
	t.Helper()
	var o httpapi.Options
	for _, p := range proxies {
		o.TrustedProxies = append(o.TrustedProxies, netip.MustParsePrefix(p))
	}
	a := httpapi.New(o)
	var client access.Client
	a.Mount("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { client = httpapi.Client(r.Context()) }))
	a.Handler().ServeHTTP(httptest.NewRecorder(), r)
	return client
}

func TestClientIP(t *testing.T) {
	many := strings.Repeat("10.0.0.9,", 40)
	tests := map[string]struct {
		socket    string
		forwarded []string
		proxies   []string
		want      string
	}{
		"socket":                           {"192.0.2.1:5", nil, nil, "192.0.2.1"},
		"socket/IPv6":                      {"[2001:db8::1]:5", nil, nil, "2001:db8::1"},
		"socket/mapped IPv4":               {"[::ffff:192.0.2.1]:5", nil, nil, "192.0.2.1"},
		"socket/with a zone":               {"[fe80::1%eth0]:5", nil, nil, "fe80::1"},
		"socket/none":                      {"@", nil, nil, "invalid IP"},
		"header ignored/no proxies":        {"10.0.0.1:5", []string{"203.0.113.9"}, nil, "10.0.0.1"},
		"header ignored/not a proxy":       {"192.0.2.1:5", []string{"203.0.113.9"}, []string{"10.0.0.0/8"}, "192.0.2.1"},
		"header ignored/no socket address": {"@", []string{"203.0.113.9"}, []string{"0.0.0.0/0"}, "invalid IP"},
		"forwarded":                        {"10.0.0.1:5", []string{"203.0.113.9"}, []string{"10.0.0.0/8"}, "203.0.113.9"},
		"forwarded/mapped socket":          {"[::ffff:10.0.0.1]:5", []string{"203.0.113.9"}, []string{"10.0.0.0/8"}, "203.0.113.9"},
		"forwarded/forged to the left":     {"10.0.0.1:5", []string{"127.0.0.1, 203.0.113.9"}, []string{"10.0.0.0/8"}, "203.0.113.9"},
		"forwarded/through two proxies":    {"10.0.0.1:5", []string{"127.0.0.1, 203.0.113.9, 10.0.0.2"}, []string{"10.0.0.0/8"}, "203.0.113.9"},
		"forwarded/over two headers":       {"10.0.0.1:5", []string{"203.0.113.9", "10.0.0.3,10.0.0.2"}, []string{"10.0.0.0/8"}, "203.0.113.9"},
		"forwarded/with a port":            {"10.0.0.1:5", []string{"203.0.113.9:4711"}, []string{"10.0.0.0/8"}, "203.0.113.9"},
		"forwarded/IPv6":                   {"10.0.0.1:5", []string{"2001:db8::9"}, []string{"10.0.0.0/8"}, "2001:db8::9"},
		"forwarded/IPv6 in brackets":       {"10.0.0.1:5", []string{"[2001:db8::9]"}, []string{"10.0.0.0/8"}, "2001:db8::9"},
		"forwarded/IPv6 with a port":       {"10.0.0.1:5", []string{"[2001:db8::9]:4711"}, []string{"10.0.0.0/8"}, "2001:db8::9"},
		"forwarded/only proxies":           {"10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, []string{"10.0.0.0/8"}, "10.0.0.3"},
		"last good/garbage":                {"10.0.0.1:5", []string{"203.0.113.9, unknown, 10.0.0.2"}, []string{"10.0.0.0/8"}, "10.0.0.2"},
		"last good/garbage at once":        {"10.0.0.1:5", []string{"203.0.113.9, unknown"}, []string{"10.0.0.0/8"}, "10.0.0.1"},
		"last good/empty entry":            {"10.0.0.1:5", []string{"203.0.113.9, ,10.0.0.2"}, []string{"10.0.0.0/8"}, "10.0.0.2"},
		"last good/empty first entry":      {"10.0.0.1:5", []string{",10.0.0.2"}, []string{"10.0.0.0/8"}, "10.0.0.2"},
		"last good/empty, a line above":    {"10.0.0.1:5", []string{"203.0.113.9", ",10.0.0.2"}, []string{"10.0.0.0/8"}, "10.0.0.2"},
		"last good/empty last entry":       {"10.0.0.1:5", []string{"203.0.113.9,"}, []string{"10.0.0.0/8"}, "10.0.0.1"},
		"last good/empty line":             {"10.0.0.1:5", []string{"203.0.113.9", ""}, []string{"10.0.0.0/8"}, "10.0.0.1"},
		"last good/too many entries":       {"10.0.0.1:5", []string{"203.0.113.9," + many + "10.0.0.2"}, []string{"10.0.0.0/8"}, "10.0.0.9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.socket
			r.Header["X-Forwarded-For"] = tt.forwarded
			if got := clientOf(t, r, tt.proxies...).IP.String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Nothing that an untrusted address writes moves the answer: whatever stands to its left is its own invention.
func TestClientIPCannotBeForged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		forged := rapid.SliceOfN(rapid.SampledFrom([]string{"10.0.0.5", "203.0.113.7", "x", "", "::1", "10.0.0.1:80"}), 0, 5).Draw(t, "forged")
		hops := rapid.SliceOfN(rapid.SampledFrom([]string{"10.0.0.2", "10.1.2.3"}), 0, 4).Draw(t, "hops")
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:5"
		r.Header.Set("X-Forwarded-For", strings.Join(append(append(forged, "198.51.100.1"), hops...), ", "))
		a := httpapi.New(httpapi.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		var got netip.Addr
		httpapi.HandleOpen(a, httpapi.Route{Method: "GET", Path: "/", ID: "x", Open: true},
			func(_ context.Context, c access.Client, _ *httpapi.Empty) (*echoOut, error) {
				got = c.IP
				return &echoOut{}, nil
			})
		a.Handler().ServeHTTP(httptest.NewRecorder(), r)
		if got.String() != "198.51.100.1" {
			t.Fatalf("got %s", got)
		}
	})
}

func TestUserAgent(t *testing.T) {
	tests := map[string]struct{ sent, want string }{
		"as it is":      {"cli", "cli"},
		"none":          {"", ""},
		"cut":           {strings.Repeat("a", 600), strings.Repeat("a", 512)},
		"cut in a rune": {strings.Repeat("a", 511) + "å", strings.Repeat("a", 511)},
		"invalid UTF-8": {"a\xffb", "ab"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("User-Agent", tt.sent)
			if got := clientOf(t, r).UserAgent; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOutsideOfARequest(t *testing.T) {
	if id, client := httpapi.RequestID(t.Context()), httpapi.Client(t.Context()); id != "" || client != (access.Client{}) {
		t.Errorf("request id %q, client %v", id, client)
	}
}
