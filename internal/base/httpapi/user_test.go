package httpapi_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// TestWhichActorsARouteIsFor: who may come to a route depends on the sort of actor, and on whether it has an organization.
func TestWhichActorsARouteIsFor(t *testing.T) {
	actors := map[string]*access.Actor{
		"identity": {Type: access.ActorIdentity, ID: "i", OrgID: "o"},
		"user":     {Type: access.ActorUser, ID: "u", OrgID: "o"},
		"orgless":  {Type: access.ActorUser, ID: "u"},
	}
	refused := ""
	s := serve(t, httpapi.Options{
		Authenticate: func(_ context.Context, token string, _ access.Client) (*access.Actor, error) {
			return actors[token], nil
		},
		Refused: func(_ context.Context, actor *access.Actor, _ *fault.Error, r httpapi.Route) {
			refused = string(actor.Type) + " " + r.Path
		},
	}, func(a *httpapi.API) {
		for path, r := range map[string]httpapi.Route{
			"/any": {}, "/orgless": {NoOrg: true}, "/users": {UserOnly: true}, "/orgless-users": {UserOnly: true, NoOrg: true},
		} {
			r.Method, r.Path, r.ID, r.AnyActor = http.MethodGet, path, "get"+path[1:], true
			httpapi.Handle(a, r, func(context.Context, *access.Actor, *httpapi.Empty) (*echoOut, error) {
				return &echoOut{map[string]any{}}, nil
			})
		}
	})
	for path, want := range map[string]map[string]int{
		"/any":           {"identity": 200, "user": 200, "orgless": 401},
		"/orgless":       {"identity": 200, "user": 200, "orgless": 200},
		"/users":         {"identity": 403, "user": 200, "orgless": 401},
		"/orgless-users": {"identity": 403, "user": 200, "orgless": 200},
	} {
		for actor, status := range want {
			t.Run(path+" "+actor, func(t *testing.T) {
				refused = ""
				got := call(t, s, "GET", path, "", "Authorization: Bearer "+actor)
				switch status {
				case 200:
					if got.Status != 200 {
						t.Errorf("status %d: %s", got.Status, got.Body)
					}
				case 401:
					wantError(t, got, 401, "UnauthorizedError")
				case 403:
					wantError(t, got, 403, "ForbiddenError")
					if refused != "identity "+path {
						t.Errorf("the audit log was told of %q", refused)
					}
				}
			})
		}
	}
}

func TestCookies(t *testing.T) {
	type in struct {
		Cookie string `cookie:"jid"`
	}
	s := serve(t, httpapi.Options{}, func(a *httpapi.API) {
		httpapi.HandleOpen(a, httpapi.Route{Method: "POST", Path: "/turn", ID: "turn", Open: true},
			func(ctx context.Context, _ access.Client, in *in) (*echoOut, error) {
				if in.Cookie == "" {
					return nil, fault.New(fault.Unauthenticated, "no cookie")
				}
				httpapi.SetCookie(ctx, &http.Cookie{Name: "jid", Value: in.Cookie + "+", HttpOnly: true})
				return &echoOut{map[string]any{}}, nil
			})
	})
	got := call(t, s, "POST", "/turn", "", "Cookie: a=b; jid=one; c=d")
	if got.Status != 200 || got.Header.Get("Set-Cookie") != "jid=one+; HttpOnly" {
		t.Errorf("status %d, cookie %q", got.Status, got.Header.Get("Set-Cookie"))
	}
	for _, header := range []string{"Cookie: other=one", "Cookie: jid=", "Cookie: \xff", "jid: one"} {
		got := call(t, s, "POST", "/turn", "", header)
		if wantError(t, got, 401, "UnauthorizedError"); got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%q: the cookie %q is set", header, got.Header.Get("Set-Cookie"))
		}
	}
	httpapi.SetCookie(t.Context(), &http.Cookie{Name: "x", Value: "y"}) // outside of a request nothing happens
}
