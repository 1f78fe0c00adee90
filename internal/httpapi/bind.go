package httpapi

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// maxSafe is the largest whole number that every JSON reader takes exactly (RFC 8259 section 6), 2^53-1.
const maxSafe = 1<<53 - 1

const msgUnsafeInteger = "expected integer that JSON carries exactly"

// strip removes from a parsed body what the schema does not name, so that neither an unknown field nor a known one in
// another case can be bound: encoding/json would take "NAME" for "name", and huma checks only one of them. It also
// refuses whole numbers that a float64 has rounded.
func strip(registry huma.Registry, s *huma.Schema, path *huma.PathBuffer, v any, result *huma.ValidateResult) {
	for s.Ref != "" {
		s = registry.SchemaFromRef(s.Ref)
	}
	switch v := v.(type) {
	case map[string]any:
		stripObject(registry, s, path, v, result)
	case []any:
		if s.Items == nil {
			return
		}
		for i, item := range v {
			path.PushIndex(i)
			strip(registry, s.Items, path, item, result)
			path.Pop()
		}
	case float64:
		if s.Type == huma.TypeInteger && (v > maxSafe || v < -maxSafe) {
			result.Add(path, nil, msgUnsafeInteger)
		}
	}
}

// stripObject does an object: a struct has Properties, a map has a schema of its values, anything else is left alone.
func stripObject(registry huma.Registry, s *huma.Schema, path *huma.PathBuffer, object map[string]any, result *huma.ValidateResult) {
	values, isMap := s.AdditionalProperties.(*huma.Schema)
	if !isMap && len(s.Properties) == 0 {
		return
	}
	for name, v := range object {
		field, known := s.Properties[name]
		if !known && !isMap {
			delete(object, name)
			continue
		}
		if !known {
			field = values
		}
		path.Push(name)
		strip(registry, field, path, v, result)
		path.Pop()
	}
}

// bodyDefault is a field of a body with a `default` tag that is no pointer. huma gives such a field its default
// whenever it is zero, so a zero that the caller sent has to be put back.
type bodyDefault struct {
	names []string // the JSON names that lead to it
	index []int    // the field in the input struct
}

// findDefaults returns the fields of a body that restoreZeros has to care for. Inside of lists, maps and pointers it
// cannot, and panics: there a field with a default has to be a pointer.
func findDefaults(r Route, body reflect.StructField) []bodyDefault {
	var found []bodyDefault
	visited := map[reflect.Type]bool{}
	var walk func(t reflect.Type, names []string, index []int, reachable bool)
	walk = func(t reflect.Type, names []string, index []int, reachable bool) {
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
			t, reachable = t.Elem(), reachable && t.Kind() == reflect.Pointer && len(names) == 0
		}
		if t.Kind() != reflect.Struct || visited[t] {
			return
		}
		visited[t] = true
		defer delete(visited, t)
		for _, f := range reflect.VisibleFields(t) {
			if !f.IsExported() || len(f.Index) > 1 && !reachable {
				continue
			}
			name := jsonName(f)
			at := bodyDefault{append(names[:len(names):len(names)], name), append(index[:len(index):len(index)], f.Index...)}
			if f.Tag.Get("default") != "" && f.Type.Kind() != reflect.Pointer {
				if !reachable {
					panic(r.name() + ": field " + name + " has a default inside of a list, map or pointer: make it a pointer, to tell a zero from nothing")
				}
				found = append(found, at)
			}
			if !f.Anonymous {
				walk(f.Type, at.names, at.index, reachable)
			}
		}
	}
	walk(body.Type, nil, body.Index, true)
	return found
}

// jsonName returns the name of a field in JSON.
func jsonName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
		return name
	}
	return f.Name
}

// givenZeros returns which of the endpoint's defaults the caller overrode with a zero: 0, false or "".
func (ep *endpoint) givenZeros(tree any) []int {
	var given []int
	for i, d := range ep.defaults {
		v := tree
		for _, name := range d.names {
			object, _ := v.(map[string]any)
			v = object[name]
		}
		if v == 0.0 || v == false || v == "" {
			given = append(given, i)
		}
	}
	return given
}

// restoreZeros puts back the zeros that the caller sent and huma took for nothing.
func (ep *endpoint) restoreZeros(ex *exchange, in reflect.Value) {
	for _, i := range ex.zeros {
		if field, err := in.FieldByIndexErr(ep.defaults[i].index); err == nil {
			field.SetZero()
		}
	}
}
