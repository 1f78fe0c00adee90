package httpapi

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const schemaPrefix = "#/components/schemas/"

// OpenAPI returns the OpenAPI 3.1 document of all routes that are not hidden, as indented JSON that is the same for the
// same routes. It is made anew with every call.
func (a *API) OpenAPI() ([]byte, error) {
	compact, err := json.Marshal(a.catalog().document())
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
func (c *catalog) document() *huma.OpenAPI {
	doc := *c.huma.OpenAPI()
	components := *doc.Components
	doc.Components = &components
	used := usedSchemas{doc.Components.Schemas, map[string]*huma.Schema{}}
	used.add(doc.Paths)
	used.add(doc.Components.Responses)
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
