package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// binding is what huma makes of a route: it fills the input, knows the schema of the body, and documents both.
type binding struct {
	catalog  *catalog
	endpoint *endpoint
	request  *huma.RequestBody // nil if the route has no body
	schema   *huma.Schema      // of the body
	op       *huma.Operation
	run      func(huma.Context)
}

// operation returns what huma is told of the route.
func (b *binding) operation() huma.Operation {
	r := b.endpoint.route
	op := huma.Operation{
		Method: r.Method, Path: r.Path,
		OperationID: r.ID, Summary: r.Summary, Description: r.Description,
		Hidden: r.Hidden, Deprecated: r.Deprecated,
		RequestBody: b.request,
		Responses:   b.responses(),
		Extensions:  extensions(r),

		SkipValidateBody: true, // readBody validates
		MaxBodyBytes:     -1,   // and bounds
	}
	if r.Tag != "" {
		op.Tags = []string{r.Tag}
	}
	if !r.Open {
		op.Security = []map[string][]string{{"bearerAuth": {}}}
	}
	return op
}

// extensions says of a route what OpenAPI has no word for: who may call it.
func extensions(r Route) map[string]any {
	all := map[string]any{}
	if r.Permission != (Permission{}) {
		all["x-permission"] = map[string]any{"action": string(r.Permission.Action), "subject": string(r.Permission.Subject)}
	}
	if r.UserOnly {
		all["x-users-only"] = true
	}
	if r.NoOrg {
		all["x-organization-optional"] = true
	}
	return all
}

// responses documents the errors of a route: those of its kind, and those that it declares. What limits are set makes no
// difference: the document is the same for every server.
func (b *binding) responses() map[string]*huma.Response {
	r := b.endpoint.route
	statuses := []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if !r.Open {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if !r.Open || b.endpoint.login {
		statuses = append(statuses, http.StatusTooManyRequests)
	}
	if strings.Contains(r.Path, "{") {
		statuses = append(statuses, http.StatusNotFound)
	}
	if b.request != nil {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	responses := map[string]*huma.Response{}
	for _, status := range append(statuses, r.Errors...) {
		responses[strconv.Itoa(status)] = errorResponse(status)
	}
	return responses
}

// complete mends what huma made of the types.
func (b *binding) complete() {
	r := b.endpoint.route
	for _, p := range b.op.Parameters {
		b.catalog.tidy(p.Schema, map[*huma.Schema]bool{})
	}
	for _, answer := range b.op.Responses {
		for _, content := range answer.Content {
			b.catalog.tidy(content.Schema, map[*huma.Schema]bool{})
		}
	}
	b.catalog.tidySchemas(r)
	if b.request != nil {
		b.schema = b.request.Content["application/json"].Schema
		if r.Form {
			b.request.Content[formType] = b.request.Content["application/json"]
		}
		b.request.Required = len(b.catalog.resolve(b.schema).Required) > 0
	}
	if ok := b.op.Responses["200"]; ok != nil {
		ok.Description = "Done."
	}
}

// forServing drops what only the document needs.
func (b *binding) forServing() *binding {
	b.op.Responses = nil
	b.catalog.huma.OpenAPI().Paths = nil
	return b
}
