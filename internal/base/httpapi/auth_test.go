package httpapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

type nameIn struct {
	Body struct {
		Name httpapi.Text `json:"name" minLength:"1"`
	}
}

func TestAuthentication(t *testing.T) {
	auth := func(values ...string) []string {
		for i, v := range values {
			values[i] = "Authorization: " + v
		}
		return values
	}
	tests := map[string]struct {
		headers []string
		status  int
		name    string
	}{
		"accepted":                  {auth("Bearer " + good), 200, ""},
		"accepted/lower case":       {auth("bearer " + good), 200, ""},
		"accepted/upper case":       {auth("BEARER " + good), 200, ""},
		"accepted/more spaces":      {auth("Bearer   " + good + " "), 200, ""},
		"refused/anonymous":         {nil, 401, "UnauthorizedError"},
		"refused/empty header":      {auth(""), 401, "UnauthorizedError"},
		"refused/no token":          {auth("Bearer"), 401, "UnauthorizedError"},
		"refused/only spaces":       {auth("Bearer    "), 401, "UnauthorizedError"},
		"refused/no scheme":         {auth(good), 401, "UnauthorizedError"},
		"refused/other scheme":      {auth("Basic " + good), 401, "UnauthorizedError"},
		"refused/longer scheme":     {auth("BearerX " + good), 401, "UnauthorizedError"},
		"refused/two headers":       {auth("Bearer "+good, "Bearer "+good), 401, "UnauthorizedError"},
		"refused/dead":              {auth("Bearer dead"), 401, "TokenError"},
		"refused/too long":          {auth("Bearer " + strings.Repeat("a", 20_000)), 401, "TokenError"},
		"refused/nobody":            {auth("Bearer nobody"), 401, "UnauthorizedError"},
		"refused/from this address": {auth("Bearer elsewhere"), 403, "ForbiddenError"},
	}
	s := serve(t, httpapi.Options{}, answering(func(context.Context) (map[string]any, error) { return map[string]any{}, nil }))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := call(t, s, "GET", "/api/thing", "", tt.headers...)
			if tt.status == 200 {
				if got.Status != 200 {
					t.Fatalf("status %d: %s", got.Status, got.Body)
				}
				return
			}
			wantError(t, got, tt.status, tt.name)
			if tt.status == 401 && !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("WWW-Authenticate %q", got.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

// A stranger learns nothing from a request of his, right or wrong: authentication decides before anything is read.
func TestAuthenticationComesFirst(t *testing.T) {
	s := serve(t, httpapi.Options{MaxBody: 100}, func(a *httpapi.API) {
		r := httpapi.Route{Method: "POST", Path: "/api/things/{id}", ID: "x", AnyActor: true}
		httpapi.Handle(a, r, func(context.Context, *access.Actor, *nameIn) (*echoOut, error) { return &echoOut{}, nil })
	})
	tests := map[string]struct{ path, body, contentType string }{
		"unreadable JSON": {"/api/things/1", "{", "application/json"},
		"invalid body":    {"/api/things/1", "{}", "application/json"},
		"body too large":  {"/api/things/1", strings.Repeat("a", 1000), "application/json"},
		"media type":      {"/api/things/1", "x", "text/plain"},
		"bad path":        {"/api/things/%ff", "", "application/json"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			contentType := "Content-Type: " + tt.contentType
			wantError(t, call(t, s, "POST", tt.path, tt.body, contentType), 401, "UnauthorizedError")
			wantError(t, call(t, s, "POST", tt.path, tt.body, contentType, "Authorization: Bearer elsewhere"), 403, "ForbiddenError")
			if got := call(t, s, "POST", tt.path, tt.body, contentType, withToken); got.Status/100 != 4 || got.Status < 404 && got.Status != 400 {
				t.Errorf("with a token: status %d", got.Status)
			}
		})
	}
}

func TestOpenRouteIgnoresToken(t *testing.T) {
	called := false
	o := httpapi.Options{Authenticate: func(context.Context, string, access.Client) (*access.Actor, error) {
		called = true
		return nil, nil
	}}
	s := serve(t, o, func(a *httpapi.API) {
		httpapi.HandleOpen(a, httpapi.Route{Method: "GET", Path: "/api/status", ID: "x", Open: true},
			func(_ context.Context, client access.Client, _ *httpapi.Empty) (*echoOut, error) {
				return &echoOut{map[string]any{"ip": client.IP, "id": client.RequestID}}, nil
			})
	})
	for _, header := range []string{"Authorization: Bearer stale", "Authorization: Basic x", "Authorization: ", "X: y"} {
		got := call(t, s, "GET", "/api/status", "", header)
		if got.Status != 200 || called {
			t.Errorf("%s: status %d, token looked at: %v", header, got.Status, called)
		}
		if e := got.envelope(t); e["ip"] != "127.0.0.1" || e["id"] != got.Header.Get("X-Request-Id") {
			t.Errorf("client %v", e)
		}
	}
}

func TestUntrustedRequestID(t *testing.T) {
	s := serve(t, httpapi.Options{}, answering(func(context.Context) (map[string]any, error) { return map[string]any{}, nil }))
	got := call(t, s, "GET", "/api/thing", "", withToken, "X-Request-Id: req-forged00000000")
	if id := got.Header.Get("X-Request-Id"); !strings.HasPrefix(id, "req-") || len(id) != 18 || strings.Contains(id, "forged") {
		t.Errorf("X-Request-Id %q", id)
	}
}
