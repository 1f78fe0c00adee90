package console

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/seal"
)

// with returns a console over an API of the test.
func with(t *testing.T, api http.HandlerFunc) *Console {
	t.Helper()
	root, err := seal.NewKey(bytes.Repeat([]byte{3}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Options{API: api, Root: root, Logger: slog.New(slog.DiscardHandler), Version: "test", Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, PublicURL: "https://sallyport.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnAPIThatCannotAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"unavailable": {503, `{"reqId":"req-1","statusCode":503,"message":"The database cannot be used now.","error":"ServiceUnavailable"}`, "The database cannot be used now."},
		"limited":     {429, `{"reqId":"req-1","statusCode":429,"message":"Too many requests.","error":"RateLimitExceeded"}`, "Too many requests"},
		"garbage":     {502, `<html>`, "did not answer as expected"},
	} {
		t.Run(name, func(t *testing.T) {
			c := with(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			w := httptest.NewRecorder()
			c.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/login", http.NoBody))
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("the page is %d %s", w.Code, w.Body)
			}
		})
	}
}

// TestCallsCarryTheBrowser: what the API decides by reaches it as the browser sent it, and nothing else does.
func TestCallsCarryTheBrowser(t *testing.T) {
	var got *http.Request
	c := with(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, `{"config":{"initialized":true}}`)
	})
	r := httptest.NewRequest(http.MethodGet, "/login", http.NoBody)
	r.RemoteAddr, r.Host = "192.0.2.7:4711", "sallyport.example.com"
	r.Header.Set("User-Agent", "browser/1")
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	r.Header.Set("Cookie", "other=1")
	r.Header.Set("Authorization", "Bearer of-the-browser")
	c.ServeHTTP(httptest.NewRecorder(), r)
	if got.RemoteAddr != r.RemoteAddr || got.Host != r.Host || got.UserAgent() != "browser/1" || got.Header.Get("X-Forwarded-For") != "203.0.113.9" {
		t.Errorf("the API sees %s %s %v", got.RemoteAddr, got.Host, got.Header)
	}
	if got.Header.Get("Cookie") != "" || got.Header.Get("Authorization") != "" {
		t.Errorf("the API sees the browser's own credentials: %v", got.Header)
	}
}

// TestCookiesBehindTLS have the name that ties them to the host, and go over TLS alone.
func TestCookiesBehindTLS(t *testing.T) {
	c := with(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v3/auth/login":
			_, _ = io.WriteString(w, `{"accessToken":"a"}`)
		case "/api/v1/organization":
			_, _ = io.WriteString(w, `{"organizations":[{"id":"o","name":"O","slug":"o"}]}`)
		default:
			_, _ = io.WriteString(w, `{"token":"b"}`)
		}
	})
	r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader("email=a&password=b"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://sallyport.example.com") // the proxy sends another Host
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	cookie := w.Header().Get("Set-Cookie")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(cookie, "__Host-sallyport=") || !strings.Contains(cookie, "; Secure") {
		t.Errorf("%d %s", w.Code, cookie)
	}
}

func TestOwnPage(t *testing.T) {
	for text, want := range map[string]string{
		"/o/a?b=c#d": "/o/a?b=c", "/": "/", "": "", "//evil": "", "https://evil": "", "/\\evil": "", "\\evil": "", "javascript:x": "", "/a\nb": "", "///evil": "", "/\x7f": "", "evil": "",
	} {
		if got := ownPage(text); got != want {
			t.Errorf("ownPage(%q) = %q, want %q", text, got, want)
		}
	}
}
