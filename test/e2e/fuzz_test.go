package e2e

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// FuzzHandler throws requests at the whole handler with the token of an administrator: on any route, or on none, with
// any ids, query, header and body. Whatever comes, the answer has the form that every answer has, and is no 5xx.
func FuzzHandler(f *testing.F) {
	s := harness.StartReady(f)
	routes := s.App.API().Routes()
	a := s.NewActor(f, "no-access", nil)
	ids := strings.NewReplacer("{identityId}", a.ID, "{tokenId}", a.TokenID)
	for i, r := range routes {
		f.Add(uint8(i), "", "", "application/json", []byte(seedBodies[r.Method]))
	}
	f.Add(uint8(0), "/%00/..//x", "a=%zz&&limit=-1", "text/plain", []byte("\xff\xfe{\"a\":1e400,\"b\":\"\\ud800\"}"))

	f.Fuzz(func(t *testing.T, which uint8, tail, query, media string, body []byte) {
		route := routes[int(which)%len(routes)]
		r, ok := fuzzed(route, ids.Replace(route.Path)+tail, query, media, body)
		if !ok || endsTheRun(route) {
			return
		}
		a := answerTo(s, r)
		if a.Status == http.StatusNotModified {
			return
		}
		for _, fault := range faultsOf(a) {
			t.Errorf("%s %q: %s: %d %.500s", r.Method, r.RequestURI, fault, a.Status, a.Body)
		}
	})
}

// answerTo has the handler answer a request of the administrator, without a network.
func answerTo(s *harness.Server, r *http.Request) *harness.Answer {
	r.Header.Set("Authorization", "Bearer "+s.Admin.Token)
	w := httptest.NewRecorder()
	s.App.Handler().ServeHTTP(w, r)
	return &harness.Answer{Status: w.Code, Header: w.Result().Header, Body: w.Body.Bytes()}
}

// seedBodies are bodies to start from, by method.
var seedBodies = map[string]string{
	http.MethodPost:  `{"name":"a","organizationId":"b","role":"member","metadata":[{"key":"k","value":"v"}],"search":{"$or":[{"name":{"$in":["a"]}}]},"accessToken":"x.y.z"}`,
	http.MethodPatch: `{"name":null,"accessTokenTTL":1,"accessTokenTrustedIps":[{"ipAddress":"::/0"}],"hasDeleteProtection":false}`,
}

// endsTheRun reports whether a route would take the administrator's own token away.
func endsTheRun(r httpapi.Route) bool { return r.ID == "revoke-organization-tokens" }

// fuzzed makes a request as net/http would read it off a connection. Not ok means that net/http refuses it.
func fuzzed(route httpapi.Route, path, query, media string, body []byte) (r *http.Request, ok bool) {
	target := path
	if query != "" {
		target += "?" + query
	}
	if strings.ContainsAny(target, " \r\n") || strings.ContainsAny(media, "\r\n") {
		return nil, false
	}
	head := route.Method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + media + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		return nil, false
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Body, r.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		r.Body = readCloser{bytes.NewReader(body)}
	}
	return r, true
}

type readCloser struct{ *bytes.Reader }

// Close does nothing.
func (readCloser) Close() error { return nil }
