package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	fastjson "github.com/segmentio/encoding/json"
)

// wire is the huma.API that one endpoint is bound with. huma reads, checks and documents input through it; the
// parts of huma that write are cut off: its errors are turned into faults here, for this API alone and without touching
// the package variable huma.NewError, and the exchange writes.
type wire struct {
	huma.API
	binding *binding
}

// Adapter makes the wire its own router.
func (w wire) Adapter() huma.Adapter { return w }

// Handle takes what huma made of an operation. The endpoint is on the mux already.
func (w wire) Handle(op *huma.Operation, run func(huma.Context)) {
	w.binding.op, w.binding.run = op, run
}

// ServeHTTP completes huma.Adapter.
func (w wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.binding.endpoint.serve(rw, r) }

// Negotiate always chooses JSON: clients that ask for something else still read it.
func (w wire) Negotiate(string) (string, error) { return "application/json", nil }

// Unmarshal reads a body in the canonical form that readBody made; its content type was checked there. What the schema
// allows and the Go type does not, such as 300 for an int8, is found only here. encoding/json takes twenty times as long
// for a long string, as a token or a secret is.
func (w wire) Unmarshal(_ string, data []byte, v any) error {
	_, err := fastjson.Parse(data, v, fastjson.DontMatchCaseInsensitiveStructFields)
	settle()
	if err == nil {
		return nil
	}
	if misfit := (*json.UnmarshalTypeError)(nil); errors.As(err, &misfit) && misfit.Field != "" {
		return errors.New(msgMisfitAt + misfit.Field)
	}
	return errors.New(msgMisfit)
}

// Transform is handed every error that huma wants to write, and keeps it as a fault.
func (w wire) Transform(ctx huma.Context, _ string, v any) (any, error) {
	ctx.(*humaContext).ex.fail(faultOf(v))
	return nil, nil
}

// Marshal writes nothing: the exchange does.
func (w wire) Marshal(io.Writer, string, any) error { return nil }

// adapterContext is huma's own view of a request, under a name that leaves the method Context free.
type adapterContext huma.Context

// humaContext is what huma sees of a request: reading goes through the exchange, writing nowhere.
type humaContext struct {
	adapterContext
	ex *exchange
}

// Context returns the request's context.
func (c *humaContext) Context() context.Context { return &c.ex.ctx }

// Param returns a part of the path, trimmed. Blanks alone stay as they are: they name nothing, but nothing is missing.
func (c *humaContext) Param(name string) string {
	value := c.adapterContext.Param(name)
	if text := trim(name, value); text != "" {
		return text
	}
	return value
}

// Query returns the first value of a query parameter; one without a value counts as absent.
func (c *humaContext) Query(name string) string { return c.ex.queryValue(name) }

// BodyReader returns the body in canonical form.
func (c *humaContext) BodyReader() io.Reader { return bytes.NewReader(c.ex.body) }

// SetReadDeadline does nothing: time-outs are the server's.
func (c *humaContext) SetReadDeadline(time.Time) error { return nil }

// SetStatus, SetHeader, AppendHeader and BodyWriter write nothing.
func (c *humaContext) SetStatus(int)            {}
func (c *humaContext) SetHeader(_, _ string)    {}
func (c *humaContext) AppendHeader(_, _ string) {}
func (c *humaContext) BodyWriter() io.Writer    { return io.Discard }
