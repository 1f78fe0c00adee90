package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// said runs a command with a token in the environment.
func said(t *testing.T, token string, args ...string) (status int, out, errOut string) {
	var o, e bytes.Buffer
	status = run(t.Context(), args, console{&o, &e, func(string) string { return token }})
	return status, o.String(), e.String()
}

func TestRefused(t *testing.T) {
	two := filepath.Join(t.TempDir(), "two")
	if err := os.WriteFile(two, []byte("token\nanother\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const here = "http://127.0.0.1:1"
	for _, c := range []struct {
		name, token string
		args        []string
		status      int
		want        string
	}{
		{"another machine", "t", []string{"run", "--url", "https://example.com"}, 1, "--i-own-this-server"},
		{"a name that looks like this machine", "t", []string{"run", "--url", "http://localhost.example.com"}, 1, "--i-own-this-server"},
		{"another machine among several", "t", []string{"run", "--url", here, "--url", "http://192.0.2.1"}, 1, "--i-own-this-server"},
		{"no URL", "t", []string{"run"}, 2, "--url"},
		{"a URL with a password", "t", []string{"run", "--url", "http://a:secret@127.0.0.1"}, 1, "without user"},
		{"a URL that is none", "t", []string{"run", "--url", "127.0.0.1:8080"}, 1, "base URL"},
		{"no token", "", []string{"run", "--url", here}, 1, "--token-file"},
		{"two tokens", "", []string{"run", "--url", here, "--token-file", two}, 1, "one access token"},
		{"a token on the command line", "", []string{"run", "--url", here, "--token", "t"}, 2, "unknown flag --token"},
		{"an unknown operation", "t", []string{"run", "--url", here, "--mix", "walk"}, 1, "no operation"},
		{"too many callers", "t", []string{"run", "--url", here, "--callers", "1025"}, 1, "1024"},
		{"no callers", "t", []string{"run", "--url", here, "--callers", "0"}, 1, "callers"},
		{"too high a rate", "t", []string{"run", "--url", here, "--rate", "100001"}, 1, "100000"},
		{"a rate that is no number", "t", []string{"run", "--url", here, "--rate", "NaN"}, 1, "rate"},
		{"too long", "t", []string{"run", "--url", here, "--duration", "61m"}, 1, "--duration"},
		{"no time", "t", []string{"run", "--url", here, "--duration", "0s"}, 1, "--duration"},
		{"a share above 1", "t", []string{"run", "--url", here, "--max-errors", "1.5"}, 1, "--max-errors"},
		{"a sweep over nothing", "t", []string{"sweep", "--url", here}, 1, "--rates or --callers"},
		{"a sweep over both", "t", []string{"sweep", "--url", here, "--rates", "1,2", "--callers", "1,2"}, 1, "not over both"},
		{"a sweep with a rate of 0", "t", []string{"sweep", "--url", here, "--rates", "0,2"}, 1, "rate of 0"},
		{"no server", "t", []string{"run", "--url", here}, 1, "is the server running?"},
		{"an unknown picture", "t", []string{"plot", "--kind", "pie", "-o", "x.svg", two}, 2, "--kind"},
		{"a picture of no results", "t", []string{"plot", "--kind", "memory", "-o", "x.svg", two}, 1, "not a file of results"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errOut := said(t, c.token, c.args...)
			if status != c.status || !strings.Contains(errOut, c.want) || strings.Count(errOut, "\n") != 1 || out != "" {
				t.Errorf("status %d, %q; want %d and a line with %q", status, errOut, c.status, c.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	if status, out, _ := said(t, ""); status != 0 || !strings.Contains(out, "sweep") {
		t.Errorf("status %d: %s", status, out)
	}
}

func TestServersThatMayBeLoaded(t *testing.T) {
	for _, c := range []struct {
		url  string
		own  bool
		want string
	}{
		{"http://127.0.0.1:8080", false, "http://127.0.0.1:8080"},
		{"http://127.8.0.1:8080/api/", false, "http://127.8.0.1:8080"},
		{"http://[::1]:8080/", false, "http://[::1]:8080"},
		{"https://localhost/under", false, "https://localhost/under"},
		{"https://example.com", true, "https://example.com"},
	} {
		l := load{Own: c.own}
		if got, err := l.base(c.url); got != c.want || err != nil {
			t.Errorf("%s is loaded as %q, %v; want %q", c.url, got, err, c.want)
		}
	}
}

func TestBarLine(t *testing.T) {
	got := []string{line("verify with 4 callers", 500*time.Millisecond, 2*time.Second, 4000), line("it", 3*time.Second, 2*time.Second, 0)}
	want := []string{"[#####...............]  25%    8000 requests/s  verify with 4 callers", "[####################] 100%       0 requests/s  it"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestBarIsForTerminals(t *testing.T) {
	var out bytes.Buffer
	stop := newBar(&out).follow("it", time.Second, func() int64 { return 1 })
	stop()
	if out.Len() > 0 {
		t.Errorf("it wrote %q", out.String())
	}
}
