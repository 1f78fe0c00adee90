package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// exchange is one request and its answer: what is known of the caller, which route took it, and what to say. It is the
// ResponseWriter that the mux hands on, so that finding it again costs nothing.
type exchange struct {
	http.ResponseWriter
	api      *API
	ctx      requestContext
	view     humaContext // what huma sees
	started  time.Time
	method   string
	request  *http.Request // as it came
	client   access.Client
	exempt   bool // from limits
	memory   limit.Account
	endpoint *endpoint // nil until a route took the request
	actor    *access.Actor
	query    []pair // the decoded query, if the route has query parameters
	body     []byte // what huma is to read, in canonical form
	zeros    []int  // which defaults of the endpoint the caller overrode with a zero
	answer   any    // the body of a 200
	reused   reused // or that of an answer which was made before
	keep     func(tag string, body []byte)
	fault    *fault.Error
	status   int       // 0 until the header is written
	values   [3]string // of headers, to spare allocations
}

// requestContext is the context of a request: the connection's own, and the exchange.
type requestContext struct {
	context.Context
	ex *exchange
}

type exchangeKey struct{}

// Value finds the exchange or its account of memory, or what the parent knows.
func (c *requestContext) Value(key any) any {
	switch key.(type) {
	case exchangeKey:
		return c.ex
	case limit.AccountKey:
		return &c.ex.memory
	}
	return c.Context.Value(key)
}

func exchangeOf(ctx context.Context) *exchange {
	ex, _ := ctx.Value(exchangeKey{}).(*exchange)
	return ex
}

// RequestID returns the id of the request that ctx belongs to: what X-Request-Id and reqId say. It is empty outside
// of a request.
func RequestID(ctx context.Context) string { return Client(ctx).RequestID }

// Client returns where the request that ctx belongs to came from. It is empty outside of a request.
func Client(ctx context.Context) access.Client {
	if ex := exchangeOf(ctx); ex != nil {
		return ex.client
	}
	return access.Client{}
}

// SetCookie has the answer to the request that ctx belongs to set a cookie. Outside of a request it does nothing.
func SetCookie(ctx context.Context, cookie *http.Cookie) {
	if ex := exchangeOf(ctx); ex != nil {
		http.SetCookie(ex, cookie)
	}
}

// open begins an exchange. The request id is always our own: one from the caller could be forged into the log.
func (a *API) open(w http.ResponseWriter, r *http.Request) *exchange {
	ex := &exchange{ResponseWriter: w, api: a, started: a.options.Now(), method: methodLabel(r.Method), request: r}
	ex.ctx = requestContext{Context: r.Context(), ex: ex}
	ex.memory.Open(a.options.Memory)
	ex.client = access.Client{IP: a.clientIP(r), UserAgent: userAgent(r), RequestID: id.Request()}
	ex.exempt = a.limiter.exempt(ex.client.IP)
	h := w.Header()
	h["X-Request-Id"] = ex.header(0, ex.client.RequestID)
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = noSniff
	if a.draining.Load() {
		h["Connection"] = closing
	}
	if len(r.TransferEncoding) > 0 {
		// net/http does not tell whether a Content-Length stood beside it. A proxy may have gone by that, so what follows
		// on this connection may be of another caller's making (RFC 9112 section 6.1).
		h["Connection"] = closing
	}
	return ex
}

// The values of constant headers, shared by all answers. A slice of length and capacity one is copied, not changed,
// by whoever appends to it.
var (
	noStore  = []string{"no-store"}
	noSniff  = []string{"nosniff"}
	jsonType = []string{"application/json"}
	closing  = []string{"close"}
)

// header returns a header value that lives in the exchange, in place slot.
func (ex *exchange) header(slot int, value string) []string {
	ex.values[slot] = value
	return ex.values[slot : slot+1 : slot+1]
}

// fail sets the fault to answer with. The first one stands.
func (ex *exchange) fail(f *fault.Error) {
	if ex.fault == nil {
		ex.fault = f
	}
}

// WriteHeader notes the status for the log and passes it on.
func (ex *exchange) WriteHeader(status int) {
	if ex.status == 0 && status >= 200 {
		ex.status = status
	}
	ex.ResponseWriter.WriteHeader(status)
}

// Write passes the body on. Without a WriteHeader before, the status is 200.
func (ex *exchange) Write(b []byte) (int, error) {
	if ex.status == 0 {
		ex.status = http.StatusOK
	}
	return ex.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (ex *exchange) Unwrap() http.ResponseWriter { return ex.ResponseWriter }
