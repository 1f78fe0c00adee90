// Package httpapi owns the conventions of every route: how a route declares who may call it, how input is read and
// checked, how answers and errors look, and the OpenAPI document of all that. It knows no feature, no SQL and no
// rule of access: it asks Options.Authenticate who calls, and the domain methods check what the caller may do.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// DefaultMaxBody is the largest request body in bytes when Options.MaxBody is zero.
const DefaultMaxBody = 8 << 20

// openMaxBody is the largest request body in bytes of a route that anybody may call, unless the route says otherwise:
// credentials are small, and strangers may not fill the memory.
const openMaxBody = 64 << 10

// Options is what an API needs from the rest of the program. The zero value of a field is its default.
type Options struct {
	// Authenticate tells who holds a bearer token, or refuses with a fault: DeadToken for a token that is no good
	// any more, Forbidden for an address that the token may not be used from. It is required as soon as one route
	// is not open.
	Authenticate func(ctx context.Context, token string, client access.Client) (*access.Actor, error)

	// Refused is told of every 403 before it is answered, for the audit log. The actor is nil when the refusal came
	// from Authenticate. The context outlives a caller that hangs up, so that nobody dodges the log. May be nil.
	Refused func(ctx context.Context, actor *access.Actor, f *fault.Error, route Route)

	// Explain turns an error that is no fault into one, where it can be told apart from a mistake of ours: a database
	// that is down. It returns nil for all others. May be nil.
	Explain func(err error) *fault.Error

	TrustedProxies []netip.Prefix       // whose X-Forwarded-For is believed; default nobody's
	Limits         Limits               // how often callers may come; default as often as they like
	MaxBody        int64                // largest request body in bytes; default DefaultMaxBody
	Memory         *limit.Budget        // what all requests share; default no bound
	RequestTimeout time.Duration        // how long the server lets a caller send a request; default for ever
	AnswerTimeout  time.Duration        // how long it lets a caller take an answer; default for ever
	Unrouted       *fault.Error         // answers what no route takes; default 404, or 405 on a path with other methods
	Logger         *slog.Logger         // default discards
	Now            func() time.Time     // default time.Now
	Version        string               // of the program, for the OpenAPI document
	Registry       *prometheus.Registry // where request counts and latencies go; may be nil
}

// API is the set of routes and the way through them. Routes are registered at start-up, before the first request.
type API struct {
	options   Options
	mux       *http.ServeMux
	yielded   *http.ServeMux       // the routes that yield
	exact     map[string]*endpoint // GET routes without parameters in the path, by it: found without the mux
	endpoints []*endpoint          // in the order of registration
	metrics   *metrics
	limiter   *limiter
	draining  atomic.Bool
	pages     sync.Pool // of *page: answers being written
}

// New makes an API without routes.
func New(o Options) *API {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &API{options: o, mux: http.NewServeMux(), yielded: http.NewServeMux(), exact: map[string]*endpoint{}, metrics: newMetrics(o.Registry),
		limiter: newLimiter(o.Limits, o.Memory, o.Registry)}
	a.pages.New = func() any { return &page{} }
	a.mux.HandleFunc("/", a.yielded.ServeHTTP)
	a.yielded.HandleFunc("/", a.unrouted)
	return a
}

// Handler returns the whole API: every route with everything that stands around it.
func (a *API) Handler() http.Handler { return http.HandlerFunc(a.serve) }

// Routes returns every route that Handle and HandleOpen registered, in the order of registration.
func (a *API) Routes() []Route {
	routes := make([]Route, len(a.endpoints))
	for i, ep := range a.endpoints {
		routes[i] = ep.route
	}
	return routes
}

// Mount adds a plain handler beside the routes, such as /metrics. The pattern is ServeMux's; without a method it
// means GET (and so HEAD). A pattern that ends in a slash takes everything below it too. The handler gets the same
// security headers, request id, panic guard, log line and metrics as a route, but no authentication: that is its own.
// The path that it sees has no trailing slash, except for "/" itself.
func (a *API) Mount(pattern string, h http.Handler) {
	if !strings.Contains(pattern, " ") {
		pattern = http.MethodGet + " " + pattern
	}
	method, path, _ := strings.Cut(pattern, " ")
	ep := &endpoint{api: a, route: Route{Method: method, Path: path, Open: true}, series: a.metrics.lazy(method, path)}
	serve := func(w http.ResponseWriter, r *http.Request) {
		ex := w.(*exchange)
		ex.endpoint = ep
		h.ServeHTTP(ex, r.WithContext(&ex.ctx))
	}
	a.mux.HandleFunc(pattern, serve)
	if base := strings.TrimSuffix(pattern, "/"); base != pattern && !strings.HasSuffix(base, " ") {
		a.mux.HandleFunc(base, serve) // the request's own trailing slash is cut off before it gets here
	}
}
