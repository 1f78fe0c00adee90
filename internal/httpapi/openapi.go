package httpapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const schemaPrefix = "#/components/schemas/"

// newHuma makes the huma API: no routes of its own, no $schema links in answers, unknown fields allowed.
func (a *API) newHuma() huma.API {
	config := huma.DefaultConfig("Sallyport", a.options.Version)
	config.Info.Description = "Machine identities, their tokens and the secrets that these open. A revoke is true when it returns."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.AllowAdditionalPropertiesByDefault = true
	config.Components.Schemas = huma.NewMapRegistry(schemaPrefix, a.schemaName)
	maps.Copy(config.Components.Schemas.Map(), errorSchemas())
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearerAuth": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token."},
	}
	return huma.NewAPI(config, wire{endpoint: &endpoint{api: a}})
}

// OpenAPI returns the OpenAPI 3.1 document of all routes that are not hidden, as indented JSON that is the same for the
// same routes.
func (a *API) OpenAPI() ([]byte, error) {
	compact, err := json.Marshal(a.document())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// document returns the OpenAPI document with those component schemas only that its routes use; huma has those of hidden
// routes too.
func (a *API) document() *huma.OpenAPI {
	doc := *a.huma.OpenAPI()
	components := *doc.Components
	doc.Components = &components
	used := usedSchemas{doc.Components.Schemas, map[string]*huma.Schema{}}
	used.add(doc.Paths)
	components.Schemas = used
	return &doc
}

// usedSchemas is a registry cut down to the schemas that a document refers to.
type usedSchemas struct {
	huma.Registry
	used map[string]*huma.Schema
}

// Map returns the schemas in use by name.
func (u usedSchemas) Map() map[string]*huma.Schema { return u.used }

// MarshalJSON writes the schemas in use.
func (u usedSchemas) MarshalJSON() ([]byte, error) { return json.Marshal(u.used) }

// add takes in all schemas that v refers to, and those that they refer to. v is some part of an OpenAPI document.
func (u usedSchemas) add(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		return // OpenAPI marshals the same and reports it
	}
	for _, part := range strings.Split(string(text), `"`+schemaPrefix)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if _, known := u.used[name]; !known {
			u.used[name] = u.Registry.Map()[name]
			u.add(u.used[name])
		}
	}
}

// operation returns what huma is told of the route.
func (ep *endpoint) operation() huma.Operation {
	r := ep.route
	op := huma.Operation{
		Method: r.Method, Path: r.Path,
		OperationID: r.ID, Summary: r.Summary, Description: r.Description,
		Hidden: r.Hidden, Deprecated: r.Deprecated,
		RequestBody: ep.request,
		Responses:   ep.responses(),

		SkipValidateBody: true, // readBody validates
		MaxBodyBytes:     -1,   // and bounds
	}
	if r.Tag != "" {
		op.Tags = []string{r.Tag}
	}
	if !r.Open {
		op.Security = []map[string][]string{{"bearerAuth": {}}}
	}
	if r.Permission != (Permission{}) {
		op.Extensions = map[string]any{"x-permission": map[string]any{
			"action": string(r.Permission.Action), "subject": string(r.Permission.Subject),
		}}
	}
	ep.api.naming = r.ID
	return op
}

// responses documents the errors of a route: those of its kind, and those that it declares.
func (ep *endpoint) responses() map[string]*huma.Response {
	statuses := []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if !ep.route.Open {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if bytes.IndexByte([]byte(ep.route.Path), '{') >= 0 {
		statuses = append(statuses, http.StatusNotFound)
	}
	if ep.request != nil {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	responses := map[string]*huma.Response{}
	for _, status := range append(statuses, ep.route.Errors...) {
		responses[strconv.Itoa(status)] = errorResponse(ep.route, status)
	}
	return responses
}

// documented finishes the endpoint after huma has been through its types.
func (ep *endpoint) documented() {
	for _, p := range ep.op.Parameters {
		tidy(p.Schema, map[*huma.Schema]bool{})
	}
	ep.api.tidySchemas(ep.route)
	if ep.request != nil {
		ep.schema = ep.request.Content["application/json"].Schema
		if ep.route.Form {
			ep.request.Content[formType] = ep.request.Content["application/json"]
		}
		ep.request.Required = len(ep.api.resolve(ep.schema).Required) > 0
	}
	if ok := ep.op.Responses["200"]; ok != nil {
		ok.Description = "Done."
	}
}

// resolve follows a reference to a component schema.
func (a *API) resolve(s *huma.Schema) *huma.Schema {
	for s.Ref != "" {
		s = a.huma.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// tidySchemas tidies the component schemas that a route added.
func (a *API) tidySchemas(r Route) {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	for _, t := range []reflect.Type{reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[huma.ErrorDetail]()} {
		delete(schemas, a.schemaName(t, "")) // huma documents its own errors with every route; nobody gets to see them
	}
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if _, done := a.tidied[name]; done {
			continue
		}
		a.tidied[name] = struct{}{}
		if unique := tidy(schemas[name], map[*huma.Schema]bool{}); unique {
			panic(r.name() + ": the tag uniqueItems makes huma panic on a list of objects: check in the handler")
		}
	}
}

// tidy makes lists not nullable, which huma assumes of every Go slice: we send [] for an empty list, and clients with
// strict models break on null. It reports whether a schema asks for unique items.
func tidy(s *huma.Schema, seen map[*huma.Schema]bool) (unique bool) {
	if s == nil || seen[s] {
		return false
	}
	seen[s] = true
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	unique = s.UniqueItems
	for _, field := range s.Properties {
		unique = tidy(field, seen) || unique
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		unique = tidy(values, seen) || unique
	}
	return tidy(s.Items, seen) || unique
}
