package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

type idIn struct {
	ID string `path:"id"`
}

// routes registers a few routes that say their own name.
func routes(a *httpapi.API) {
	for _, r := range []httpapi.Route{
		{Method: "GET", Path: "/api/things", ID: "list", AnyActor: true},
		{Method: "POST", Path: "/api/things", ID: "create", AnyActor: true},
	} {
		httpapi.Handle(a, r, func(context.Context, *access.Actor, *httpapi.Empty) (*echoOut, error) {
			return &echoOut{map[string]any{"route": r.ID}}, nil
		})
	}
	for _, r := range []httpapi.Route{
		{Method: "GET", Path: "/api/things/{id}", ID: "read", AnyActor: true},
		{Method: "DELETE", Path: "/api/things/{id}", ID: "delete", AnyActor: true},
		{Method: "POST", Path: "/api/things/{id}/revoke", ID: "revoke", AnyActor: true},
		{Method: "GET", Path: "/api/things/slug/{id}", ID: "by-slug", AnyActor: true},
		{Method: "GET", Path: "/api/things/{id}/tags", ID: "tags", AnyActor: true, Yields: true},
		{Method: "POST", Path: "/api/things/{id}/tags", ID: "tag", AnyActor: true, Yields: true},
	} {
		httpapi.Handle(a, r, func(_ context.Context, _ *access.Actor, in *idIn) (*echoOut, error) {
			return &echoOut{map[string]any{"route": r.ID, "id": in.ID}}, nil
		})
	}
	a.Mount("/plain", plain("plain"))
	a.Mount("/ui/", plain("ui"))
	a.Mount("POST /form", plain("form"))
}

func plain(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", name, r.URL.Path, httpapi.RequestID(r.Context()))
	})
}

func TestRouting(t *testing.T) {
	tests := map[string]struct{ method, path, want string }{
		"found":                             {"GET", "/api/things", `{"route":"list"}`},
		"found/trailing slash":              {"GET", "/api/things/", `{"route":"list"}`},
		"found/trailing slash with a query": {"GET", "/api/things/?a=b", `{"route":"list"}`},
		"found/POST with a trailing slash":  {"POST", "/api/things/", `{"route":"create"}`},
		"found/id":                          {"GET", "/api/things/1", `{"id":"1","route":"read"}`},
		"found/id and trailing slash":       {"DELETE", "/api/things/1/", `{"id":"1","route":"delete"}`},
		"found/route that yields":           {"GET", "/api/things/1/tags", `{"id":"1","route":"tags"}`},
		"found/what the other yields to":    {"GET", "/api/things/slug/tags", `{"id":"tags","route":"by-slug"}`},
		"found/no method to yield to":       {"POST", "/api/things/slug/tags", `{"id":"slug","route":"tag"}`},
		"found/encoded slash":               {"GET", "/api/things/a%2Fb", `{"id":"a/b","route":"read"}`},
		"found/encoded slash at the end":    {"GET", "/api/things/a%2F", `{"id":"a/","route":"read"}`},
		"found/encoded and trailing slash":  {"GET", "/api/things/a%2F/", `{"id":"a/","route":"read"}`},
		"found/below an id":                 {"POST", "/api/things/1/revoke", `{"id":"1","route":"revoke"}`},
	}
	s := serve(t, httpapi.Options{}, routes)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := call(t, s, tt.method, tt.path, "", withToken); got.Status != 200 || got.Body != tt.want {
				t.Errorf("status %d, body %s, want %s", got.Status, got.Body, tt.want)
			}
		})
	}
}

func TestRoutingRefused(t *testing.T) {
	tests := map[string]struct {
		method, path string
		status       int
		name, allow  string
	}{
		"unknown":                  {"GET", "/api/nothing", 404, "NotFound", ""},
		"unknown/root":             {"GET", "/", 404, "NotFound", ""},
		"unknown/root method":      {"DELETE", "/", 404, "NotFound", ""},
		"unknown/longer":           {"GET", "/api/things/1/2", 404, "NotFound", ""},
		"unknown/other case":       {"GET", "/api/Things", 404, "NotFound", ""},
		"no redirect/double slash": {"GET", "/api//things", 404, "NotFound", ""},
		"no redirect/leading":      {"POST", "//api/things", 404, "NotFound", ""},
		"no redirect/two trailing": {"POST", "/api/things//", 404, "NotFound", ""},
		"no redirect/dots":         {"POST", "/api/x/../things", 404, "NotFound", ""},
		"no redirect/dot":          {"POST", "/api/./things", 404, "NotFound", ""},
		"no redirect/dots at end":  {"POST", "/api/things/..", 404, "NotFound", ""},
		"no redirect/only slashes": {"GET", "///", 404, "NotFound", ""},
		"wrong method/list":        {"PATCH", "/api/things", 405, "MethodNotAllowed", "GET, HEAD, POST"},
		"wrong method/slash":       {"PATCH", "/api/things/", 405, "MethodNotAllowed", "GET, HEAD, POST"},
		"wrong method/id":          {"POST", "/api/things/1", 405, "MethodNotAllowed", "GET, HEAD, DELETE"},
		"wrong method/HEAD":        {"GET", "/api/things/1/revoke", 405, "MethodNotAllowed", "POST"},
		"wrong method/OPTIONS":     {"OPTIONS", "/api/things", 405, "MethodNotAllowed", "GET, HEAD, POST"},
		"wrong method/TRACE":       {"TRACE", "/api/things", 405, "MethodNotAllowed", "GET, HEAD, POST"},
		"wrong method/made up":     {"BREW", "/api/things", 405, "MethodNotAllowed", "GET, HEAD, POST"},
		"wrong method/yields":      {"PATCH", "/api/things/1/tags", 405, "MethodNotAllowed", "GET, HEAD, POST"},
		"wrong method/mounted":     {"POST", "/plain", 405, "MethodNotAllowed", "GET, HEAD"},
	}
	s := serve(t, httpapi.Options{}, routes)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := raw(t, s, tt.method, tt.method+" "+tt.path+" HTTP/1.1\r\nHost: x\r\n\r\n")
			wantError(t, got, tt.status, tt.name)
			if got.Header.Get("Allow") != tt.allow {
				t.Errorf("Allow %q, want %q", got.Header.Get("Allow"), tt.allow)
			}
		})
	}
}

func TestOddRequestLines(t *testing.T) {
	tests := map[string]string{
		"CONNECT":                "CONNECT example.com:443 HTTP/1.1",
		"CONNECT to a path":      "CONNECT /api/things HTTP/1.1",
		"asterisk":               "GET * HTTP/1.1",
		"absolute without path":  "GET http://x HTTP/1.1",
		"absolute unknown route": "GET http://x/none HTTP/1.1",
	}
	s := serve(t, httpapi.Options{}, routes)
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			wantError(t, raw(t, s, "GET", line+"\r\nHost: x\r\n\r\n"), 404, "NotFound")
		})
	}
	t.Run("absolute is found", func(t *testing.T) {
		if got := raw(t, s, "GET", "GET http://x/api/things HTTP/1.1\r\nHost: x\r\n"+withToken+"\r\n\r\n"); got.Status != 200 {
			t.Errorf("status %d", got.Status)
		}
	})
}

func TestHEAD(t *testing.T) {
	s := serve(t, httpapi.Options{}, routes)
	get, head := call(t, s, "GET", "/api/things", "", withToken), call(t, s, "HEAD", "/api/things", "", withToken)
	if head.Status != 200 || head.Body != "" {
		t.Errorf("status %d, body %q", head.Status, head.Body)
	}
	for _, h := range []string{"Etag", "Content-Type", "Content-Length", "Cache-Control"} {
		if head.Header.Get(h) != get.Header.Get(h) {
			t.Errorf("%s: %q, GET has %q", h, head.Header.Get(h), get.Header.Get(h))
		}
	}
	if got := call(t, s, "HEAD", "/none", ""); got.Status != 404 || got.Body != "" {
		t.Errorf("unknown: status %d, body %q", got.Status, got.Body)
	}
}

// Short and long answers tell their length, so that a cut connection is noticed.
func TestContentLength(t *testing.T) {
	for _, size := range []int{0, 1, 2047 - 8, 2048 - 8, 2049 - 8, 4096, 1 << 20} {
		s := serve(t, httpapi.Options{}, answering(func(context.Context) (map[string]any, error) {
			return map[string]any{"a": strings.Repeat("a", size)}, nil
		}))
		want := fmt.Sprint(size + len(`{"a":""}`))
		for _, method := range []string{"GET", "HEAD"} {
			if got := call(t, s, method, "/api/thing", "", withToken).Header.Get("Content-Length"); got != want {
				t.Errorf("%s: Content-Length %s, want %s", method, got, want)
			}
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	s := serve(t, httpapi.Options{}, routes)
	for _, path := range []string{"/api/things", "/none", "/plain", "/ui/x"} {
		got := call(t, s, "GET", path, "", withToken)
		if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, got.Header)
		}
	}
}

func TestMount(t *testing.T) {
	tests := map[string]struct{ method, path, want string }{
		"plain":                     {"GET", "/plain", "plain /plain"},
		"plain with trailing slash": {"GET", "/plain/", "plain /plain"},
		"tree":                      {"GET", "/ui/", "ui /ui"},
		"tree without its slash":    {"GET", "/ui", "ui /ui"},
		"below the tree":            {"GET", "/ui/a/b/", "ui /ui/a/b"},
		"with a method":             {"POST", "/form", "form /form"},
	}
	s := serve(t, httpapi.Options{}, routes)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := call(t, s, tt.method, tt.path, "")
			if want := tt.want + " " + got.Header.Get("X-Request-Id"); got.Status != 200 || got.Body != want {
				t.Errorf("status %d, body %q, want %q", got.Status, got.Body, want)
			}
		})
	}
}

// What was sent cannot be taken back: a handler that panics in the middle of its answer gets its connection cut.
func TestMountPanicInTheMiddle(t *testing.T) {
	s := serve(t, httpapi.Options{}, func(a *httpapi.API) {
		a.Mount("/half", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("a", 10_000))
			panic("boom")
		}))
		a.Mount("/abort", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	})
	for _, path := range []string{"/half", "/abort"} {
		res, err := s.Client().Get(s.URL + path)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the answer looks whole", path)
		}
	}
}

func TestRoutes(t *testing.T) {
	a := httpapi.New(httpapi.Options{Authenticate: authenticate})
	routes(a)
	var ids []string
	for _, r := range a.Routes() {
		ids = append(ids, r.ID)
	}
	if diff := cmp.Diff([]string{"list", "create", "read", "delete", "revoke", "by-slug", "tags", "tag"}, ids); diff != "" {
		t.Error(diff)
	}
	a.Routes()[0].ID = "changed"
	if a.Routes()[0].ID != "list" {
		t.Error("Routes gives its own memory away")
	}
}

func TestDeclarationRefused(t *testing.T) {
	type extra struct {
		Body  struct{}
		Extra string `header:"X"`
	}
	type raw struct{ RawBody []byte }
	type unique struct {
		Body struct {
			Tags []string `json:"tags" uniqueItems:"true"`
		}
	}
	type inList struct {
		Body struct {
			Items []nested `json:"items"`
		}
	}
	type textInMap struct {
		Body struct {
			Labels map[string][]httpapi.Text `json:"labels"`
		}
	}
	type hiddenEmbedding struct {
		nested
		Other int `query:"other"`
	}
	type omitZero struct {
		Body struct {
			At nested `json:"at,omitzero"`
		}
	}
	type hiddenEmbeddingOut struct {
		Body struct{ List []hiddenEmbedding }
	}
	permission := httpapi.Permission{Action: "read", Subject: "identity"}
	actor := func(r httpapi.Route) func(a *httpapi.API) {
		return func(a *httpapi.API) { handle[httpapi.Empty, echoOut](a, r) }
	}
	stranger := func(r httpapi.Route) func(a *httpapi.API) { return func(a *httpapi.API) { open(a, r) } }
	any := httpapi.Route{Method: "GET", Path: "/x", ID: "x", AnyActor: true}
	tests := map[string]func(a *httpapi.API){
		"neither permission nor any actor": actor(httpapi.Route{Method: "GET", Path: "/x", ID: "x"}),
		"permission and any actor":         actor(httpapi.Route{Method: "GET", Path: "/x", ID: "x", Permission: permission, AnyActor: true}),
		"open with an actor":               actor(httpapi.Route{Method: "GET", Path: "/x", ID: "x", Open: true}),
		"open not declared":                stranger(httpapi.Route{Method: "GET", Path: "/x", ID: "x"}),
		"open with a permission":           stranger(httpapi.Route{Method: "GET", Path: "/x", ID: "x", Open: true, Permission: permission}),
		"users only, with a permission":    actor(httpapi.Route{Method: "GET", Path: "/x", ID: "x", Permission: permission, UserOnly: true}),
		"open for users only":              stranger(httpapi.Route{Method: "GET", Path: "/x", ID: "x", Open: true, UserOnly: true}),
		"open without an organization":     stranger(httpapi.Route{Method: "GET", Path: "/x", ID: "x", Open: true, NoOrg: true}),
		"open with any actor":              stranger(httpapi.Route{Method: "GET", Path: "/x", ID: "x", Open: true, AnyActor: true}),
		"undocumented status":              actor(httpapi.Route{Method: "GET", Path: "/x", ID: "x", AnyActor: true, Errors: []int{418}}),
		"output with more than a body":     func(a *httpapi.API) { handle[httpapi.Empty, extra](a, any) },
		"output without a body":            func(a *httpapi.API) { handle[httpapi.Empty, httpapi.Empty](a, any) },
		"raw body":                         func(a *httpapi.API) { handle[raw, echoOut](a, any) },
		"unique items":                     func(a *httpapi.API) { handle[unique, echoOut](a, any) },
		"default inside of a list":         func(a *httpapi.API) { handle[inList, echoOut](a, any) },
		"text inside of a map":             func(a *httpapi.API) { handle[textInMap, echoOut](a, any) },
		"hidden embedding in the input":    func(a *httpapi.API) { handle[hiddenEmbedding, echoOut](a, any) },
		"hidden embedding in the output":   func(a *httpapi.API) { handle[httpapi.Empty, hiddenEmbeddingOut](a, any) },
		"a zero left out":                  func(a *httpapi.API) { handle[httpapi.Empty, omitZero](a, any) },
		"the same route twice":             func(a *httpapi.API) { actor(any)(a); actor(any)(a) },
	}
	for name, declare := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p == nil {
					t.Error("accepted")
				}
			}()
			a := httpapi.New(httpapi.Options{Authenticate: authenticate})
			declare(a)
			_, _ = a.OpenAPI() // goes through all types
		})
	}
	t.Run("no way to authenticate", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("accepted")
			}
		}()
		handle[httpapi.Empty, echoOut](httpapi.New(httpapi.Options{}), any)
	})
}

// handle registers a route that is never called.
func handle[I, O any](a *httpapi.API, r httpapi.Route) {
	httpapi.Handle(a, r, func(context.Context, *access.Actor, *I) (*O, error) { return nil, nil })
}

// open registers an open route that is never called.
func open(a *httpapi.API, r httpapi.Route) {
	httpapi.HandleOpen(a, r, func(context.Context, access.Client, *httpapi.Empty) (*echoOut, error) { return nil, nil })
}
