package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// docGroup is what the documentation page shows of one tag.
type docGroup struct {
	Name       string
	Operations []docOperation
}

type docOperation struct {
	Anchor, Method, Path, Summary, Description string
	Access                                     string // who may call it, in words
	Deprecated                                 bool
	Params, Body                               []docField
	Answers                                    []docAnswer
}

type docField struct {
	Name, In, Type, Doc, Default string
	Required                     bool
}

type docAnswer struct {
	Status, Doc string
	Fields      []docField
}

// maxDocDepth bounds how deep fields inside of fields are listed; recursive schemas have no end.
const maxDocDepth = 4

// docGroups returns the routes that are not hidden, by tag, in the order of registration.
func (c *catalog) docGroups(routes []Route) []docGroup {
	var groups []docGroup
	for _, r := range routes {
		op := c.documentedOperation(r)
		if op == nil {
			continue
		}
		i := slices.IndexFunc(groups, func(g docGroup) bool { return g.Name == r.Tag })
		if i < 0 {
			i = len(groups)
			groups = append(groups, docGroup{Name: r.Tag})
		}
		groups[i].Operations = append(groups[i].Operations, c.docOperation(r, op))
	}
	return groups
}

// documentedOperation returns a route's operation in the OpenAPI document, nil for a hidden route.
func (c *catalog) documentedOperation(r Route) *huma.Operation {
	item := c.huma.OpenAPI().Paths[r.Path]
	if r.Hidden || item == nil {
		return nil
	}
	return map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}[r.Method]
}

func (c *catalog) docOperation(r Route, op *huma.Operation) docOperation {
	doc := docOperation{
		Anchor: r.ID, Method: r.Method, Path: r.Path, Summary: r.Summary, Description: r.Description,
		Access: accessInWords(r), Deprecated: r.Deprecated,
	}
	for _, p := range op.Parameters {
		f := c.docField(p.Name, p.Schema, p.Required)
		f.In, f.Doc = p.In, p.Description
		doc.Params = append(doc.Params, f)
	}
	if op.RequestBody != nil {
		doc.Body = c.docFields("", op.RequestBody.Content["application/json"].Schema, 0)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		response := c.response(op.Responses[status])
		answer := docAnswer{Status: status, Doc: response.Description}
		if content := response.Content["application/json"]; content != nil && status == "200" {
			answer.Fields = c.docFields("", content.Schema, 0)
		}
		doc.Answers = append(doc.Answers, answer)
	}
	return doc
}

// response follows a reference to a response that routes share.
func (c *catalog) response(r *huma.Response) *huma.Response {
	if r.Ref == "" {
		return r
	}
	return c.huma.OpenAPI().Components.Responses[strings.TrimPrefix(r.Ref, responsePrefix)]
}

func accessInWords(r Route) string {
	switch {
	case r.Open:
		return "Open to everyone"
	case r.UserOnly:
		return "Any user who is logged in"
	case r.AnyActor:
		return "Any live access token"
	}
	return fmt.Sprintf("Needs the permission %s on %s", r.Permission.Action, r.Permission.Subject)
}

// docFields lists the fields of an object and of the objects in it, with dotted names: the required ones first.
func (c *catalog) docFields(prefix string, s *huma.Schema, depth int) []docField {
	s = c.resolve(s)
	for s.Type == huma.TypeArray && s.Items != nil {
		s = c.resolve(s.Items)
	}
	if depth >= maxDocDepth {
		return nil
	}
	names := slices.Clone(s.Required)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var fields []docField
	for i, name := range names {
		property := s.Properties[name]
		fields = append(fields, c.docField(prefix+name, property, i < len(s.Required)))
		inner := prefix + name + "."
		if c.resolve(property).Type == huma.TypeArray {
			inner = prefix + name + "[]."
		}
		fields = append(fields, c.docFields(inner, property, depth+1)...)
	}
	return fields
}

func (c *catalog) docField(name string, s *huma.Schema, required bool) docField {
	f := docField{Name: name, Type: c.typeInWords(s), Doc: s.Description, Required: required}
	if s.Default != nil {
		f.Default = fmt.Sprint(reflect.Indirect(reflect.ValueOf(s.Default)))
	}
	return f
}

// typeInWords describes a schema: its type, format, bounds and allowed values.
func (c *catalog) typeInWords(s *huma.Schema) string {
	s = c.resolve(s)
	words := []string{s.Type}
	switch {
	case s.Type == "":
		words[0] = "any JSON"
	case s.Type == huma.TypeArray && s.Items != nil:
		words[0] = "list of " + c.typeInWords(s.Items)
	case s.Format != "" && s.Type == huma.TypeString:
		words[0] = s.Format
	}
	words = append(words, bounds("", s.Minimum, s.Maximum)...)
	words = append(words, bounds(" characters", s.MinLength, s.MaxLength)...)
	words = append(words, bounds(" items", s.MinItems, s.MaxItems)...)
	if len(s.Enum) > 0 {
		words = append(words, strings.Trim(fmt.Sprint(s.Enum), "[]"))
	}
	if s.Nullable {
		words = append(words, "or null")
	}
	return strings.Join(words, ", ")
}

func bounds[N int | float64](unit string, low, high *N) []string {
	switch {
	case low != nil && high != nil:
		return []string{fmt.Sprintf("%v to %v%s", *low, *high, unit)}
	case low != nil:
		return []string{fmt.Sprintf("at least %v%s", *low, unit)}
	case high != nil:
		return []string{fmt.Sprintf("at most %v%s", *high, unit)}
	}
	return nil
}
