package hostile

import (
	"strings"
	"testing"
)

// TestHugeHeaders: they are refused before they are kept, whatever is large about them.
func TestHugeHeaders(t *testing.T) {
	for name, text := range map[string]string{
		"one of 200 KB":    request("GET", details, target.Admin, "X-Large: "+strings.Repeat("a", 200<<10)),
		"20,000 small":     request("GET", details, target.Admin, strings.Repeat("A: b\r\n", 20_000)+"Z: z"),
		"path of 200 KB":   request("GET", "/"+strings.Repeat("a", 200<<10), target.Admin),
		"query of 200 KB":  request("GET", details+"?a="+strings.Repeat("a", 200<<10), target.Admin),
		"method of 200 KB": request(strings.Repeat("A", 200<<10), details, target.Admin),
		"token of 200 KB":  request("GET", details, strings.Repeat("a", 200<<10)),
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			// A connection that is closed with bytes unread may lose its answer on the way.
			if got := status(send(t, text)); got != 431 && got != 0 {
				t.Errorf("answered %d, want 431", got)
			}
		})
	}
	servesOthers(t)
}

// TestPathTricks: no other way of writing a path reaches what stands there, with the best of tokens, and none leads
// somewhere else by a redirect.
func TestPathTricks(t *testing.T) {
	for _, path := range []string{
		"//api/v1/identities/details", "/api//v1/identities/details", "/api/v1/identities//details", "/api/v1/identities/details//",
		"/api/v1/./identities/details", "/api/v1/roles/../identities/details", "/../api/v1/identities/details",
		"/api/v1/%2e/identities/details", "/api/v1/roles/%2e%2e/identities/details", "/api/v1/roles/%2E%2E/identities/details",
		"/api/v1/roles%2f..%2fidentities/details", "/api%2fv1%2fidentities%2fdetails", "/api/v1/identities%2Fdetails",
		"/API/v1/identities/details", "/api/V1/identities/details", "/api/v1/Identities/Details", "/api/v1/identities/DETAILS",
		"/api/v1/identities/details%00", "/api/v1/identities/details%20", "/api/v1/identities/details;a=b", "/api/v1/identities\\details",
		"/api/v1/identities/%252e%252e/identities/details", "/api/v1/identities/details.", "/api/v1/identities/details%2f",
		"/api/v1/identities/details%09", "/.%2e/api/v1/identities/details", "/api/v1/identities/d%C3%A9tails",
	} {
		t.Run("refused/"+path, func(t *testing.T) {
			if got := status(send(t, request("GET", path, target.Admin))); got != 400 && got != 404 && got != 422 {
				t.Errorf("answered %d, want 400, 404 or 422", got)
			}
			if got := status(send(t, request("GET", path, ""))); got != 400 && got != 401 && got != 404 {
				t.Errorf("without a token answered %d, want 400, 401 or 404", got)
			}
		})
	}
}

// TestSmuggledRequests: what two readers of one stream could take for one request or for two is refused, or read as
// RFC 9112 has it, with nothing after it read as another request.
func TestSmuggledRequests(t *testing.T) {
	const second = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	head := func(lines ...string) string {
		return "POST /api/v1/auth/universal-auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	for name, text := range map[string]string{
		"refused/two lengths":                   head("Content-Length: 0", "Content-Length: 37") + second,
		"refused/two lengths in one":            head("Content-Length: 0, 37") + second,
		"refused/length with a plus":            head("Content-Length: +0") + second,
		"refused/negative length":               head("Content-Length: -1") + second,
		"refused/hexadecimal length":            head("Content-Length: 0x0") + second,
		"refused/length that wraps":             head("Content-Length: 18446744073709551616") + second,
		"closed/length and chunks":              head("Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n" + second,
		"closed/chunks and length":              head("Transfer-Encoding: chunked", "Content-Length: 5") + "0\r\n\r\n" + second,
		"refused/two transfer codings":          head("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + "0\r\n\r\n" + second,
		"refused/unknown transfer coding":       head("Transfer-Encoding: xchunked") + "0\r\n\r\n" + second,
		"refused/chunked is not last":           head("Transfer-Encoding: chunked, identity") + "0\r\n\r\n" + second,
		"refused/transfer coding after a tab":   head("Transfer-Encoding:\vchunked") + "0\r\n\r\n" + second,
		"refused/space before the colon":        head("Transfer-Encoding : chunked") + "0\r\n\r\n" + second,
		"refused/space before the first header": "POST / HTTP/1.1\r\n Content-Length: 5\r\nHost: x\r\n\r\n" + second,
		"refused/bare return in a header":       head("X-A: a\rContent-Length: 37") + second,
		"refused/NUL in a header":               head("X-A: a\x00") + second,
		"refused/header without a colon":        head("Content-Length 37") + second,
		"refused/header without a name":         head(": 37") + second,
		"refused/no host":                       "GET /healthz HTTP/1.1\r\n\r\n" + second,
		"refused/two hosts":                     "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + second,
		"refused/chunk of a size that wraps":    head("Transfer-Encoding: chunked") + "FFFFFFFFFFFFFFFFF\r\n" + second,
		"refused/chunk of a negative size":      head("Transfer-Encoding: chunked") + "-1\r\n" + second,
		"refused/chunk longer than it says":     head("Transfer-Encoding: chunked") + "1\r\n{}\r\n0\r\n\r\n" + second,
		"refused/version of the future":         "GET /healthz HTTP/3.7\r\nHost: x\r\n\r\n" + second,
		"refused/request line of four words":    "GET /healthz x HTTP/1.1\r\nHost: x\r\n\r\n" + second,
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, text)
			if n := strings.Count(got, "HTTP/1.1 "); n > 1 {
				t.Errorf("answered %d requests: %q", n, got)
			}
			if first := status(got); first < 400 {
				t.Errorf("answered %d, want a refusal: %q", first, got)
			}
		})
	}
	servesOthers(t)
}

// TestFoldedAndBareLines: a folded header is one value with a space in it, and a bare line feed ends a line, as RFC 9112
// (sections 5.2 and 2.2) allows: neither hides a header from the server that a proxy saw, or the other way round.
func TestFoldedAndBareLines(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want int
	}{
		"folded token is no token": {"GET " + details + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-A: b\r\n Authorization: Bearer " + target.Admin + "\r\n\r\n", 401},
		"folded length is refused": {"POST " + details + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n 2\r\n\r\n", 400},
		"bare line feeds":          {strings.ReplaceAll(request("GET", details, target.Admin), "\r\n", "\n"), 200},
	} {
		t.Run(name, func(t *testing.T) {
			if got := status(send(t, test.text)); got != test.want {
				t.Errorf("answered %d, want %d", got, test.want)
			}
		})
	}
}
