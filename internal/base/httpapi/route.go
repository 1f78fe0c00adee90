package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// Permission is an action on a subject, as access rules name them.
type Permission struct {
	Action  access.Action
	Subject access.Subject
}

// Route declares one operation: where it is, who may call it, and what its documentation says. Exactly one of
// Permission, AnyActor and Open is set.
type Route struct {
	Method string // an HTTP method in upper case; GET answers HEAD too
	Path   string // as in ServeMux and OpenAPI: /api/v1/identities/{identityId}

	ID          string // the operation's id in OpenAPI, such as createIdentity
	Tag         string // the group it is listed under
	Summary     string // one line
	Description string // Markdown

	Permission Permission // what the domain method checks; documented, and walked by the guard test
	AnyActor   bool       // any live token, no permission beyond it
	Open       bool       // no authentication at all: login, bootstrap, status

	UserOnly bool // beside AnyActor: only a user may call; a machine identity gets 403
	NoOrg    bool // a user may call who has not chosen an organization yet; others get 401

	Yields     bool  // where a path fits this route and one that does not yield, the other one has it: /slug/{slug} before /{id}/tags
	Form       bool  // document the body as a form too, as OAuth has it; every route without a cookie takes one
	Cookie     bool  // sets a cookie, and so takes no form: browsers let any page send one. Reading a cookie implies it
	MaxBody    int64 // largest body in bytes; default Options.MaxBody, and at most 64 KB on an open route
	Hidden     bool  // works, but is left out of the OpenAPI document
	Deprecated bool
	Errors     []int // statuses to document beside those that every such route has
}

// Empty is the input of a route without parameters. A body is ignored, whatever it is.
type Empty struct{}

// Handle registers a route that only a live token opens. The caller is known, and refused if need be, before anything
// of the body is read. I is a struct in huma's way: fields tagged `path:"..."` or `query:"..."`, and Body; a Body that
// is no pointer takes an empty body as {}, a pointer stays nil. O is struct{ Body T }, answered with status 200. An
// error that is no *fault.Error is answered as a 500 without its text. Handle panics on a declaration that contradicts
// itself or leaves open who may call.
func Handle[I, O any](a *API, r Route, h func(ctx context.Context, actor *access.Actor, in *I) (*O, error)) {
	if r.Open {
		panic(r.name() + ": an open route has no actor: use HandleOpen")
	}
	if (r.Permission == Permission{}) != r.AnyActor {
		panic(r.name() + ": declare either Permission or AnyActor")
	}
	if r.UserOnly && !r.AnyActor {
		panic(r.name() + ": UserOnly is for a route that asks for no permission")
	}
	if a.options.Authenticate == nil {
		panic(r.name() + ": Options.Authenticate is missing")
	}
	register(a, r, func(ctx context.Context, ex *exchange, in *I) (*O, error) { return h(ctx, ex.actor, in) })
}

// HandleOpen registers a route that needs no authentication; r.Open says so. An Authorization header is ignored, so
// that a stale token does not keep anybody from logging in. Input and output are as in Handle.
func HandleOpen[I, O any](a *API, r Route, h func(ctx context.Context, client access.Client, in *I) (*O, error)) {
	if !r.Open || r.AnyActor || r.UserOnly || r.NoOrg || r.Permission != (Permission{}) {
		panic(r.name() + ": HandleOpen needs Open, and nothing that says which actor may call")
	}
	register(a, r, func(ctx context.Context, ex *exchange, in *I) (*O, error) { return h(ctx, ex.client, in) })
}

// errNoAnswer is a handler's mistake: it returned neither an answer nor an error.
var errNoAnswer = errors.New("the handler returned neither an answer nor an error")

// register tells huma of the route. huma documents I and O, reads I from the request and checks it; what the handler
// returns goes into the exchange, and the exchange alone writes it.
func register[I, O any](a *API, r Route, h func(ctx context.Context, ex *exchange, in *I) (*O, error)) {
	ep := a.newEndpoint(r, reflect.TypeFor[I](), reflect.TypeFor[O]())
	handle := func(ctx context.Context, in *I) (*O, error) {
		ex := exchangeOf(ctx)
		ep.restoreZeros(ex, reflect.ValueOf(in).Elem())
		ex.body = nil // the input has it all
		out, err := h(ctx, ex, in)
		switch {
		case err != nil:
			ex.fail(ex.api.explain(err))
		case out == nil:
			ex.fail(fault.From(errNoAnswer))
		default:
			ex.answer = reflect.ValueOf(out).Elem().FieldByIndex(ep.answerField).Addr().Interface()
		}
		return nil, nil // nothing for huma to write
	}
	if reflect.TypeFor[I]().NumField() == 0 {
		ep.direct = func(ex *exchange) { _, _ = handle(&ex.ctx, new(I)) } // it fails into the exchange
	}
	ep.bind = func(b *binding) { huma.Register(wire{API: b.catalog.huma, binding: b}, b.operation(), handle) }
	a.add(ep)
}

// add puts an endpoint on the mux.
func (a *API) add(ep *endpoint) {
	ep.bound = sync.OnceValue(func() *binding {
		c := newCatalog(a.options.Version)
		c.marked = true
		return c.bind(ep).forServing()
	})
	mux := a.mux
	if ep.route.Yields {
		mux = a.yielded
	} else if ep.route.Method == http.MethodGet && !strings.Contains(ep.route.Path, "{") {
		a.exact[ep.route.Path] = ep
	}
	mux.HandleFunc(ep.route.Method+" "+ep.route.Path, ep.serve)
	a.endpoints = append(a.endpoints, ep)
}

func (r Route) name() string { return fmt.Sprintf("httpapi: %s %s", r.Method, r.Path) }
