package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	fastjson "github.com/segmentio/encoding/json"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// readBody reads the body of a request, checks it against the route's schema, and leaves it in ex.body in canonical
// form for huma to fill the input from. Canonical is what was checked, written out again: field names in exact case,
// no duplicates, no unknown fields, whole numbers without fraction or exponent. So no second reading of the same bytes
// can see anything else than the check saw.
func (ep *endpoint) readBody(ex *exchange, r *http.Request) *fault.Error {
	bound := ep.bound()
	tree, given, f := ep.parse(ex, r, bound)
	if f != nil {
		return f
	}
	if !given && ep.bodyPointer && !bound.request.Required { // huma sets Required where a field is required
		return nil
	}
	return ep.check(ex, bound, tree)
}

// parse reads a body, and returns what it holds: an empty object if nothing was given. The text is gone once it is parsed.
func (ep *endpoint) parse(ex *exchange, r *http.Request, bound *binding) (tree any, given bool, f *fault.Error) {
	page := ex.api.takePage()
	defer ex.api.givePage(page)
	body, f := ep.receive(ex, r, page)
	if f != nil {
		return nil, false, f
	}
	if content := bytes.Trim(body, " \t\r\n"); len(content) == 0 || string(content) == "null" {
		return map[string]any{}, false, nil
	} else if f := ep.mediaType(r.Header); f != nil {
		return nil, false, f
	} else if isForm(r.Header) {
		object, f := bound.formObject(content)
		return object, true, f
	}
	tree, f = ex.parseJSON(body)
	return tree, true, f
}

// parseJSON parses a text that was looked at before, so that its account knows what that will take.
func (ex *exchange) parseJSON(text []byte) (tree any, f *fault.Error) {
	values, f := inspect(text)
	if f != nil {
		return nil, f
	}
	if err := ex.memory.Await(&ex.ctx, int64(values)*valueCost); err != nil {
		return nil, ex.endpoint.unreceived(err)
	}
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, unreadable(err)
	}
	return tree, nil
}

// check compares a parsed body with the schema and writes its canonical form.
func (ep *endpoint) check(ex *exchange, bound *binding, tree any) *fault.Error {
	b := binder{registry: bound.catalog.registry(), path: huma.NewPathBuffer(make([]byte, 0, 64), 0)}
	b.path.Push("body")
	if tree = b.strip(bound.schema, "", tree); len(b.result.Errors) == 0 {
		huma.Validate(b.registry, bound.schema, b.path, huma.ModeWriteToServer, tree, &b.result)
	}
	if len(b.result.Errors) > 0 {
		return invalid(b.result.Errors)
	}
	if b.masked {
		unmask(tree)
	}
	ex.zeros = ep.givenZeros(tree)
	body, err := fastjson.Append(nil, tree, 0)
	if err != nil {
		return fault.From(err)
	}
	ex.body = body
	return nil
}

// mediaType refuses a body that is neither plain JSON nor a form that the route takes.
func (ep *endpoint) mediaType(h http.Header) *fault.Error {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return fault.New(fault.MediaType, "The body must not be compressed: leave out Content-Encoding.")
	}
	if !isJSON(h.Get("Content-Type")) && (ep.cookie || !isForm(h)) {
		return errNotJSON
	}
	return nil
}

var errNotJSON = fault.New(fault.MediaType, "The body must be JSON: send Content-Type: application/json.")

// isJSON reports whether a media type is JSON (RFC 6839 section 3.1). None at all counts as JSON.
func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "" || media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// unreadable turns an error of encoding/json into a fault that names the place.
func unreadable(err error) *fault.Error {
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return fault.New(fault.BadRequest, "The body is not valid JSON at byte %d: %s.", syntax.Offset, syntax.Error())
	}
	if number := (*json.UnmarshalTypeError)(nil); errors.As(err, &number) {
		return fault.New(fault.BadRequest, "The body is not usable JSON at byte %d: the number is out of range.", number.Offset)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.New(fault.BadRequest, "The body ends in the middle of the JSON.")
	}
	return fault.New(fault.BadRequest, "The body is not valid JSON.").Because(err)
}
