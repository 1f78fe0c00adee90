package httpapi

import (
	"net/http"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schemaName names the component schema of a type: the package and the type, so that two features may both have a
// View; for a type without a name the route's id and what it is there.
func (c *catalog) schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	prefix := c.naming
	if t.Name() != "" {
		prefix = path.Base(t.PkgPath())
	}
	prefix = strings.ToUpper(prefix[:min(1, len(prefix))]) + prefix[min(1, len(prefix)):]
	return prefix + strings.TrimPrefix(strings.ToUpper(name[:min(1, len(name))])+name[min(1, len(name)):], prefix)
}

// errorDoc is how a status is documented.
type errorDoc struct {
	schema      string // name of the component
	description string
}

var errorDocs = map[int]errorDoc{
	http.StatusBadRequest:            {"ErrorBadRequest", "The request cannot be read, or contradicts itself or what is stored."},
	http.StatusUnauthorized:          {"ErrorUnauthorized", "No access token, or one that is malformed, expired, revoked or used up. Log in again."},
	http.StatusForbidden:             {"ErrorForbidden", "The caller may not do this. `details` tells which rules decided, or what is missing."},
	http.StatusNotFound:              {"ErrorNotFound", "The target is unknown, or it is in another organization."},
	http.StatusRequestEntityTooLarge: {"ErrorTooLarge", "The body is too large."},
	http.StatusUnsupportedMediaType:  {"ErrorMediaType", "The body is neither JSON nor a form that this route takes."},
	http.StatusUnprocessableEntity:   {"ErrorValidation", "The request can be read, but fields break rules. `message` lists them."},
	http.StatusTooManyRequests:       {"ErrorRateLimit", "Too many requests. `Retry-After` tells when to try again."},
	http.StatusInternalServerError:   {"ErrorInternal", "A fault of the server. Its log has the cause under `reqId`."},
	http.StatusServiceUnavailable:    {"ErrorUnavailable", "The server cannot decide safely now. `Retry-After` tells when to try again."},
}

// responsePrefix begins references to responses that routes share.
const responsePrefix = "#/components/responses/"

// errorResponse refers to the response of a status that all routes share.
func errorResponse(status int) *huma.Response {
	return &huma.Response{Ref: responsePrefix + errorDocs[status].schema}
}

// errorResponses returns these responses by their names. Each has the name of its schema.
func errorResponses() map[string]*huma.Response {
	responses := map[string]*huma.Response{}
	for _, doc := range errorDocs {
		content := &huma.MediaType{Schema: &huma.Schema{Ref: schemaPrefix + doc.schema}}
		responses[doc.schema] = &huma.Response{Description: doc.description, Content: map[string]*huma.MediaType{"application/json": content}}
	}
	return responses
}

// errorSchemas returns the component schemas of the envelopes, one a status.
func errorSchemas() map[string]*huma.Schema {
	schemas := map[string]*huma.Schema{"Issue": issueSchema()}
	for status, doc := range errorDocs {
		schemas[doc.schema] = errorSchema(status)
	}
	return schemas
}

func errorSchema(status int) *huma.Schema {
	s := &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: false,
		Required:             []string{"reqId", "statusCode", "message", "error"},
		Properties: map[string]*huma.Schema{
			"reqId":      {Type: huma.TypeString, Description: "The request's id, as in the header X-Request-Id and in the server's log."},
			"statusCode": {Type: huma.TypeInteger, Enum: []any{status}},
			"message":    {Type: huma.TypeString, Description: "The problem, and what to do next."},
			"error":      {Type: huma.TypeString, Description: "The kind of error, for programs."},
		},
	}
	switch status {
	case http.StatusForbidden:
		s.Properties["details"] = &huma.Schema{Description: "The rules that decided, or the permissions that are missing."}
	case http.StatusUnprocessableEntity:
		s.Required = []string{"reqId", "statusCode", "error"}
		s.Properties["message"] = &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Ref: schemaPrefix + "Issue"}}
	}
	return s
}

func issueSchema() *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: false,
		Required:             []string{"code", "message", "path"},
		Properties: map[string]*huma.Schema{
			"code":    {Type: huma.TypeString, Description: "The kind of rule that was broken, such as too_big."},
			"message": {Type: huma.TypeString, Description: "The values that are allowed."},
			"path":    {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, Description: "The names and indexes that lead to the field."},
		},
	}
}
