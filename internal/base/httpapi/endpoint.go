package httpapi

import (
	"net/http"
	"reflect"
	"regexp"
	"strconv"

	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/testhook/bug"
)

// endpoint is a route with all that is worked out about it once, at start-up.
type endpoint struct {
	api         *API
	route       Route
	series      func() *series
	params      paramNames
	maxBody     int64 // in bytes
	cookie      bool  // the route reads or sets a cookie, so that no form of a foreign page may call it
	login       bool  // strangers send credentials here, so failures are counted
	bodyField   []int // where Body stands in the input; nil if the route has none
	bodyPointer bool  // Body is a pointer: an empty body leaves it nil
	defaults    []bodyDefault
	answerField []int // where Body stands in the output

	bind  func(*binding)  // has huma fill a new binding in
	bound func() *binding // what the requests go through; made when the first one comes

	direct func(*exchange) // of a route without input: calls its handler, since there is nothing to read
}

// newEndpoint works out what the route's types mean, and panics on what this package does not do.
func (a *API) newEndpoint(r Route, in, out reflect.Type) *endpoint {
	ep := &endpoint{api: a, route: r, series: a.metrics.lazy(r.Method, r.Path), params: namesOf(in), maxBody: r.MaxBody, login: a.limiter.isLogin(&r)}
	ep.cookie = r.Cookie || ep.params.cookie
	if ep.maxBody == 0 {
		ep.maxBody = a.options.MaxBody
		if r.Open {
			ep.maxBody = min(ep.maxBody, openMaxBody)
		}
	}
	for _, status := range r.Errors {
		if _, ok := errorDocs[status]; !ok {
			panic(r.name() + ": no error is answered with status " + strconv.Itoa(status))
		}
	}
	answer, ok := out.FieldByName("Body")
	if !ok || out.NumField() != 1 {
		panic(r.name() + ": the output must be struct{ Body T }: every answer is a 200 with JSON")
	}
	ep.answerField = answer.Index
	for _, t := range []reflect.Type{in, out} {
		if found := misread(t, map[reflect.Type]bool{}); found != "" {
			panic(r.name() + ": " + found)
		}
	}
	if _, raw := in.FieldByName("RawBody"); raw {
		panic(r.name() + ": RawBody would get round the checks of the body: use Body")
	}
	if body, ok := in.FieldByName("Body"); ok {
		ep.bodyField, ep.bodyPointer = body.Index, body.Type.Kind() == reflect.Pointer
		ep.defaults = findDefaults(r, body)
	}
	return ep
}

// admit does what comes before huma: authentication first, so that nothing of a stranger's request is looked at, then
// path, query and body.
func (ep *endpoint) admit(ex *exchange, r *http.Request) bool {
	if f := ep.welcome(ex, r); f != nil {
		ex.fail(f)
		return false
	}
	if f := ep.readParams(ex, r); f != nil {
		ex.fail(f)
		return false
	}
	if ep.cookie && ep.bodyField == nil && !isJSON(r.Header.Get("Content-Type")) {
		ex.fail(errNotJSON)
		return false
	}
	if ep.bodyField != nil {
		if f := ep.readBody(ex, r); f != nil {
			ex.fail(f)
			return false
		}
	}
	return true
}

// welcome decides whether a caller may go on: by its token, or on a login by what its address got wrong before.
func (ep *endpoint) welcome(ex *exchange, r *http.Request) *fault.Error {
	switch {
	case !ep.route.Open:
		return ex.authenticate(r)
	case ep.login && !ex.exempt:
		return ex.heldBack(limitLogins, ep.api.limiter.logins)
	}
	return nil
}

// serve answers a request that the mux found this endpoint for.
func (ep *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	ex := w.(*exchange)
	ex.endpoint = ep
	if ep.admit(ex, r) {
		if bug.PanicWithSecret && ex.client.UserAgent == bug.Panicker {
			regexp.MustCompile("(" + r.Header.Get("Authorization") + string(ex.body))
		}
		ep.run(ex, r)
	}
	if ep.login && failedLogin(ex.fault) {
		ex.countFailure(ep.api.limiter.logins)
	}
	ex.finish(r)
}

// run has the route's handler answer.
func (ep *endpoint) run(ex *exchange, r *http.Request) {
	if ep.direct != nil {
		ep.direct(ex)
		return
	}
	b := ep.bound()
	ex.view = humaContext{adapterContext: humago.NewContext(b.op, r, ex), ex: ex}
	b.run(&ex.view)
}

// pattern names the route in logs and metrics, without anything that the caller chose.
func (ep *endpoint) pattern() string {
	if ep == nil {
		return "unrouted"
	}
	return ep.route.Path
}

// methodLabel returns a method for logs and messages: one of the known, or a word for what a caller made up.
func methodLabel(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return method
	}
	return "other"
}
