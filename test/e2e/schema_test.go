package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// schema is as much of JSON Schema as the contract of a route needs.
type schema struct {
	Type       string            `json:"type"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Enum       []any             `json:"enum"`
	Additional *bool             `json:"additionalProperties"`
}

// check returns how v breaks the schema; v is as encoding/json reads it into any.
func (s schema) check(place string, v any) (broken []string) {
	if s.Type != "" && s.Type != typeOf(v) {
		return []string{fmt.Sprintf("%s is a %s, want a %s", place, typeOf(v), s.Type)}
	}
	if s.Enum != nil && !slices.Contains(s.Enum, v) {
		broken = append(broken, fmt.Sprintf("%s is %v, want one of %v", place, v, s.Enum))
	}
	object, _ := v.(map[string]any)
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			broken = append(broken, fmt.Sprintf("%s.%s is missing", place, name))
		}
	}
	for name, value := range object {
		property, known := s.Properties[name]
		if !known && s.Additional != nil && !*s.Additional {
			broken = append(broken, fmt.Sprintf("%s.%s is not in the schema", place, name))
		}
		broken = append(broken, property.check(place+"."+name, value)...)
	}
	return broken
}

func typeOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	}
	return "null"
}

func TestSchemaCheckFindsEachFault(t *testing.T) {
	no := false
	s := schema{Type: "object", Required: []string{"a"}, Additional: &no, Properties: map[string]schema{
		"a": {Type: "number", Enum: []any{1.0}}, "b": {Type: "string"}, "c": {}}}
	for text, want := range map[string]int{
		`{"a":1}`: 0, `{"a":1,"b":"x","c":null}`: 0, `{"a":1,"c":[1]}`: 0,
		`{}`: 1, `{"a":2}`: 1, `{"a":"1"}`: 1, `{"a":1,"d":1}`: 1, `{"a":1,"b":null}`: 1, `[]`: 1, `null`: 1, `{"b":1}`: 2,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := s.check("body", v); len(got) != want {
			t.Errorf("%s breaks %v, want %d rules", text, got, want)
		}
	}
}

// document is the OpenAPI document that the server publishes.
type document struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name   string         `json:"name"`
			In     string         `json:"in"`
			Schema map[string]any `json:"schema"`
		} `json:"parameters"`
		RequestBody struct {
			Content map[string]struct {
				Schema map[string]any `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
		Responses map[string]response `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas   map[string]map[string]any `json:"schemas"`
		Responses map[string]response       `json:"responses"`
	} `json:"components"`
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]struct {
		Schema map[string]any `json:"schema"`
	} `json:"content"`
}

func published(t *testing.T) *document {
	t.Helper()
	a := shared.As("").Call(t, "GET", "/api/docs/json", nil).Want(200)
	d := &document{}
	if err := json.Unmarshal(a.Body, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// resolve follows a reference to a component.
func (d *document) resolve(s map[string]any) map[string]any {
	for {
		ref, ok := s["$ref"].(string)
		if !ok {
			return s
		}
		s = d.Components.Schemas[ref[len("#/components/schemas/"):]]
	}
}

// answered returns the schema of a response, which routes may share.
func (d *document) answered(r response) map[string]any {
	if r.Ref != "" {
		r = d.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
	}
	return d.resolve(r.Content["application/json"].Schema)
}

// names returns the names of an object's properties, sorted.
func names(s map[string]any) []string {
	properties, _ := s["properties"].(map[string]any)
	return slices.Sorted(maps.Keys(properties))
}
