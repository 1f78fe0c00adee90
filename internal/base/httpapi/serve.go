package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// serve is the way of every request: open an exchange, find the route, close the exchange.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	ex := a.open(w, r)
	defer ex.close()
	if r, ok := canonical(r); ok {
		if ep := a.exactly(r); ep != nil {
			ep.serve(ex, r)
		} else {
			a.mux.ServeHTTP(ex, r)
		}
		return
	}
	ex.fail(noRoute())
	ex.finish(r)
}

// exactly returns the endpoint whose whole path a GET request has; nil where the mux has to look.
func (a *API) exactly(r *http.Request) *endpoint {
	if r.Method != http.MethodGet || r.URL.RawPath != "" {
		return nil
	}
	return a.exact[r.URL.Path]
}

// canonical returns the request with one trailing slash cut off its path, and whether a route may have it. ServeMux
// would answer paths such as // or /a/../b with a redirect, where clients lose the body; here they have no route.
func canonical(r *http.Request) (*http.Request, bool) {
	escaped := r.URL.Path
	if r.URL.RawPath != "" {
		escaped = r.URL.EscapedPath()
	}
	if len(escaped) > 1 && escaped[len(escaped)-1] == '/' {
		escaped = escaped[:len(escaped)-1]
		u := *r.URL
		u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
		cut := *r
		cut.URL = &u
		r = &cut
	}
	return r, r.Method != http.MethodConnect && r.RequestURI != "*" && clean(escaped)
}

// clean reports whether an escaped path begins with a slash, ends with none, and has no empty segments, "." or "..".
func clean(path string) bool {
	if path == "" || path[0] != '/' || len(path) > 1 && path[len(path)-1] == '/' {
		return false
	}
	for i := 1; i < len(path); i++ {
		if path[i-1] != '/' {
			continue
		}
		rest := path[i:]
		if rest[0] == '/' || rest[0] == '.' && (rest == "." || rest == ".." || strings.HasPrefix(rest, "./") || strings.HasPrefix(rest, "../")) {
			return false
		}
	}
	return true
}

func noRoute() *fault.Error {
	return fault.New(fault.NotFound, "No such route. Check the method and the path against the API documentation.")
}

// unrouted answers what no route took: 405 if another method would have been right, else 404.
func (a *API) unrouted(w http.ResponseWriter, r *http.Request) {
	ex := w.(*exchange)
	if f := a.options.Unrouted; f != nil {
		ex.fail(f)
	} else if allow := a.allowed(r); allow != "" {
		f := fault.New(fault.MethodNotAllowed, "This path does not support this method. It supports %s.", allow)
		f.Allow = allow
		ex.fail(f)
	} else {
		ex.fail(noRoute())
	}
	ex.finish(r)
}

// allowed returns the methods that the path of r has routes for, as the Allow header lists them.
func (a *API) allowed(r *http.Request) string {
	var methods []string
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		asked := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		_, pattern := a.mux.Handler(asked)
		if pattern == "/" {
			_, pattern = a.yielded.Handler(asked)
		}
		if pattern != "/" {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}

// close ends an exchange, also one that panicked: the caller gets a 500 if nothing has been written yet, and else a
// cut connection, which is the only honest answer left.
func (ex *exchange) close() {
	p := recover()
	defer ex.memory.Close()
	cut := p != nil && ex.status != 0 || p == http.ErrAbortHandler //nolint:errorlint // as net/http compares it
	if p != nil && p != http.ErrAbortHandler {                     //nolint:errorlint // as net/http compares it
		ex.panicked(p)
	}
	if ex.status == 0 && !cut {
		ex.status = http.StatusOK // net/http writes that for a handler that wrote nothing
	}
	ex.log()
	ex.api.metrics.count(ex, ex.api.options.Now().Sub(ex.started))
	if cut {
		panic(http.ErrAbortHandler)
	}
}

// panicked logs a panic with its stack, in which values are addresses, and answers if that is still possible.
func (ex *exchange) panicked(p any) {
	cause := fault.Panicked(p)
	ex.api.options.Logger.LogAttrs(&ex.ctx, slog.LevelError, "panic",
		slog.String("reqId", ex.client.RequestID), slog.String("route", ex.endpoint.pattern()),
		slog.String("panic", cause.Error()), slog.String("stack", string(debug.Stack())))
	if ex.status == 0 {
		ex.fault = fault.From(cause)
		ex.writeFault()
	}
}

// log writes the one line of a request: 5xx as errors, all else for debugging. It never holds the query, the body or
// the token.
func (ex *exchange) log() {
	level := slog.LevelDebug
	if ex.status >= 500 && !ex.abandoned() && !errors.Is(ex.fault, errDraining) {
		level = slog.LevelError
	}
	logger := ex.api.options.Logger
	if !logger.Enabled(&ex.ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("reqId", ex.client.RequestID),
		slog.String("method", ex.method),
		slog.String("route", ex.endpoint.pattern()),
		slog.Int("status", ex.status),
		slog.Duration("duration", ex.api.options.Now().Sub(ex.started)),
	}
	if ex.actor != nil {
		attrs = append(attrs, slog.String("actor", ex.actor.ID))
	}
	if ex.fault != nil && ex.status >= 500 {
		attrs = append(attrs, slog.String("cause", ex.fault.Error()))
	}
	logger.LogAttrs(&ex.ctx, level, "request", attrs...)
}

// abandoned reports whether the fault only says that the caller hung up: not our fault, and nobody reads the answer.
func (ex *exchange) abandoned() bool {
	return ex.fault != nil && errors.Is(ex.fault, context.Canceled) && ex.ctx.Err() != nil
}
