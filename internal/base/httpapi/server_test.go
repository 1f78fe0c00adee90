package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// good is the one token that the test servers know.
const good = "good-token"

func authenticate(_ context.Context, token string, client access.Client) (*access.Actor, error) {
	switch token {
	case good:
		return &access.Actor{Type: access.ActorIdentity, ID: "actor-1", Client: client}, nil
	case "elsewhere":
		return nil, fault.New(fault.Forbidden, "not from there")
	case "nobody":
		return nil, nil
	}
	return nil, fault.Dead("revoked", "The token was revoked.")
}

// serve starts an API on a loopback port.
func serve(t testing.TB, o httpapi.Options, register func(a *httpapi.API)) *httptest.Server {
	t.Helper()
	if o.Authenticate == nil {
		o.Authenticate = authenticate
	}
	a := httpapi.New(o)
	register(a)
	s := httptest.NewServer(a.Handler())
	t.Cleanup(s.Close)
	return s
}

// answer is what came back, read to its end.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// envelope is the answer's body as an error.
func (a answer) envelope(t testing.TB) map[string]any {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal([]byte(a.Body), &e); err != nil {
		t.Fatalf("the body is no JSON object: %q: %v", a.Body, err)
	}
	return e
}

// call sends one request. Headers are "Name: value" lines; redirects are not followed.
func call(t testing.TB, s *httptest.Server, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "" {
		r.Body = http.NoBody
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	res, err := s.Client().Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, res)
}

const (
	withToken = "Authorization: Bearer " + good
	withJSON  = "Content-Type: application/json"
)

// wantError checks the status and the envelope that every error has, and returns the envelope.
func wantError(t testing.TB, a answer, status int, name string) map[string]any {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d; body %s", a.Status, status, a.Body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	e := a.envelope(t)
	if e["statusCode"] != float64(status) || e["error"] != name {
		t.Errorf("statusCode %v and error %v, want %d and %s", e["statusCode"], e["error"], status, name)
	}
	if id := a.Header.Get("X-Request-Id"); id == "" || e["reqId"] != id {
		t.Errorf("reqId %v, X-Request-Id %q: want the same", e["reqId"], id)
	}
	if _, isText := e["message"].(string); isText == (status == 422) {
		t.Errorf("message is %T: want a list under 422 and a string else", e["message"])
	}
	return e
}

type echoOut struct{ Body map[string]any }

// answering registers GET /api/thing, open to the good token, that returns what f does.
func answering(f func(ctx context.Context) (map[string]any, error)) func(a *httpapi.API) {
	return func(a *httpapi.API) {
		r := httpapi.Route{Method: "GET", Path: "/api/thing", ID: "getThing", Tag: "Things", Summary: "Get", AnyActor: true}
		httpapi.Handle(a, r, func(ctx context.Context, _ *access.Actor, _ *httpapi.Empty) (*echoOut, error) {
			body, err := f(ctx)
			if err != nil {
				return nil, err
			}
			return &echoOut{body}, nil
		})
	}
}

// hangUpDuring sends a request whose context ends before the answer.
func hangUpDuring(ctx context.Context, t *testing.T, s *httptest.Server) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/thing", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+good)
	if res, err := s.Client().Do(r); err == nil {
		res.Body.Close()
		t.Fatal("the request was answered")
	}
}

// callChunked posts a JSON body without telling its length beforehand.
func callChunked(t *testing.T, s *httptest.Server, path, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, io.MultiReader(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+good)
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, res)
}

// raw sends bytes as they are, for requests that Go's client would not send, and reads one answer.
func raw(t testing.TB, s *httptest.Server, method, request string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return readResponse(t, conn, method)
}

func readResponse(t testing.TB, conn net.Conn, method string) answer {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, res)
}

func readAnswer(t testing.TB, res *http.Response) answer {
	t.Helper()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}
