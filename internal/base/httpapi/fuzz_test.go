package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// zoo has every sort of field that a body may have.
type zoo struct {
	Embedded
	Any      any                       `json:"any,omitempty"`
	Raw      json.RawMessage           `json:"raw,omitempty"`
	Time     time.Time                 `json:"time,omitempty"`
	At       *time.Time                `json:"at,omitempty"`
	IP       netip.Addr                `json:"ip,omitempty"`
	Prefix   netip.Prefix              `json:"prefix,omitempty"`
	Bytes    []byte                    `json:"bytes,omitempty"`
	Small    int8                      `json:"small,omitempty"`
	Count    uint64                    `json:"count,omitempty"`
	Float    float32                   `json:"float,omitempty"`
	Objects  map[string]any            `json:"objects,omitempty"`
	Maps     map[string]map[string]int `json:"maps,omitempty"`
	Lists    [][]int                   `json:"lists,omitempty"`
	Texts    []httpapi.Text            `json:"texts,omitempty"`
	List     *[]string                 `json:"list,omitempty"`
	Pair     [2]bool                   `json:"pair,omitempty"`
	Email    string                    `json:"email,omitempty" format:"email"`
	UUID     string                    `json:"uuid,omitempty" format:"uuid"`
	Regex    string                    `json:"regex,omitempty" format:"regex"`
	Self     *zoo                      `json:"self,omitempty"`
	Children []zoo                     `json:"children,omitempty"`
}

// Embedded is embedded.
type Embedded struct {
	Inner string `json:"inner,omitempty" default:"x"`
}

type zooIn struct {
	ID   httpapi.Text `path:"id"`
	Page int          `query:"page" default:"1"`
	Body zoo
}
type zooOut struct{ Body zoo }

func zooRoutes(a *httpapi.API) {
	echo(a)
	params(a)
	routes(a)
	httpapi.HandleOpen(a, httpapi.Route{Method: "POST", Path: "/zoo/{id}", ID: "zoo", Open: true},
		func(_ context.Context, _ access.Client, in *zooIn) (*zooOut, error) { return &zooOut{in.Body}, nil })
	httpapi.HandleOpen(a, httpapi.Route{Method: "GET", Path: "/client", ID: "client", Open: true},
		func(_ context.Context, c access.Client, _ *httpapi.Empty) (*echoOut, error) {
			return &echoOut{map[string]any{"ip": c.IP, "ua": c.UserAgent}}, nil
		})
}

// FuzzHandler sends any request through the whole handler. Whatever a caller sends is the caller's fault: there is no
// 5xx, an error is an envelope, and an answer is JSON of valid UTF-8.
func FuzzHandler(f *testing.F) {
	for _, seed := range []struct{ method, target, headers, body string }{
		{"GET", "/echo", withToken, `{"name":"n","accessTokenTrustedIps":[{"ipAddress":"::1"}],"labels":{"a":"b"}}`},
		{"POST", "/zoo/1?page=2", withJSON, `{"any":[1,{"a":null}],"time":"2026-01-01T00:00:00Z","ip":"::1","prefix":"10.0.0.0/8","bytes":"AAAA","small":300}`},
		{"POST", "/zoo/%2F", withJSON, `{"maps":{"a":{"b":1}},"lists":[[1]],"texts":["\u0000"],"pair":[true,false],"self":{"children":[{}]},"list":["x"]}`},
		{"POST", "/zoo/1", withJSON, `{"email":"a@b","uuid":"x","regex":"(","float":1e39,"count":-1,"bytes":"a","time":"2026-01-01T5:00:00Z"}`},
		{"GET", "/p/a/b?limit=5&tags=a,b&since=2026-01-01T00:00:00Z&%zz", withToken + "\r\nX-Trace: t", ""},
		{"GET", "/client", "X-Forwarded-For: 1.2.3.4, [::1]:5\r\nUser-Agent: \xff", ""},
		{"PATCH", "/echo/", withToken + "\r\nContent-Encoding: gzip", "{"},
		{"GET", "/api/things", withToken + "\r\nIf-None-Match: *", ""},
		{"OPTIONS", "*", "", ""},
		{"CONNECT", "x:1", "", "null"},
		{"BREW", "//../%2e%2e", "Authorization: Basic", `"\ud800"`},
	} {
		f.Add(seed.method, seed.target, seed.headers, []byte(seed.body))
	}
	a := httpapi.New(httpapi.Options{Authenticate: authenticate, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}})
	zooRoutes(a)
	h := a.Handler()
	f.Fuzz(func(t *testing.T, method, target, headers string, body []byte) {
		r := request(method, target, headers, body)
		if r == nil {
			t.Skip("net/http would not hand this to a handler") //nolint:forbidigo // of the fuzzer's inputs, not of the test
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		checkAnswer(t, r, w)
	})
}

// request reads a request as net/http's server does; nil if it is none.
func request(method, target, headers string, body []byte) *http.Request {
	head := method + " " + target + " HTTP/1.1\r\nHost: x\r\n"
	if headers = strings.TrimSpace(headers); headers != "" {
		head += headers + "\r\n"
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\r\n")))
	if err != nil {
		return nil
	}
	r.Body, r.ContentLength, r.RemoteAddr = io.NopCloser(bytes.NewReader(body)), int64(len(body)), "127.0.0.1:5"
	return r
}

func checkAnswer(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	got := answer{w.Code, w.Header(), w.Body.String()}
	switch {
	case got.Status >= 400 && got.Status < 500:
		e := got.envelope(t)
		wantError(t, got, got.Status, e["error"].(string))
	case got.Status == 304 && got.Body == "":
	case got.Status == 200 && strings.HasPrefix(r.Pattern, "GET /plain"), strings.Contains(r.Pattern, "/ui"), strings.Contains(r.Pattern, "/form"):
	case got.Status == 200:
		if !json.Valid(w.Body.Bytes()) || !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("200 with %q and %v", got.Body, got.Header)
		}
	default:
		t.Errorf("status %d with %q", got.Status, got.Body)
	}
}

// FuzzBody sends any bytes as a body. What is accepted is what any JSON reader would read: an answer never holds a
// replacement character that the caller did not send, and unbound fields change nothing.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"any":"\ud83d\ude00"}`, `{"any":"\ud800"}`, `{"any":"\\ud800"}`, "{\"any\":\"\xff\"}", `{"any":1e400}`, `{"ANY":1}`, `null`, ``, "\ufeff{}",
		`{"inner":"","small":-0.0}`, `{"any":[[[[[]]]]],"any":2}`, `{"raw":{"b":1,"a":[1.50]}}`,
	} {
		f.Add([]byte(seed))
	}
	a := httpapi.New(httpapi.Options{Authenticate: authenticate})
	zooRoutes(a)
	h := a.Handler()
	f.Fuzz(func(t *testing.T, body []byte) {
		r := request("POST", "/zoo/1", withJSON, body)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		checkAnswer(t, r, w)
		var sent any
		if err := json.Unmarshal(body, &sent); w.Code == 200 && err != nil && len(bytes.TrimSpace(body)) > 0 {
			t.Errorf("accepted what is no JSON: %v", errors.Unwrap(err))
		}
		if sent := string(body); w.Code == 200 && strings.ContainsRune(w.Body.String(), utf8.RuneError) &&
			!strings.ContainsRune(sent, utf8.RuneError) && !strings.Contains(strings.ToLower(sent), `\ufffd`) {
			t.Errorf("%q was stored as %q", sent, w.Body)
		}
	})
}
