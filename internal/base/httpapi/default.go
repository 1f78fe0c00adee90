package httpapi

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// bodyDefault is a field of a body with a `default` tag that is no pointer. huma gives such a field its default
// whenever it is zero, so a zero that the caller sent has to be put back.
type bodyDefault struct {
	names []string // the JSON names that lead to it
	index []int    // the field in the input struct
}

// bodyTypes walks over the types of a body, once at start-up.
type bodyTypes struct {
	route    Route
	visiting map[reflect.Type]bool
	defaults []bodyDefault
}

// findDefaults returns the fields of a body that restoreZeros has to care for. It panics on what cannot be done: a
// default inside of a list, map or pointer has to be on a pointer, and a map cannot hold what a resolver checks.
func findDefaults(r Route, body reflect.StructField) []bodyDefault {
	b := bodyTypes{route: r, visiting: map[reflect.Type]bool{}}
	t := body.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	b.walk(t, bodyDefault{index: body.Index}, true, false)
	return b.defaults
}

// walk visits a type at a place; reachable tells that no list, map or pointer lies between it and the body.
func (b *bodyTypes) walk(t reflect.Type, at bodyDefault, reachable, inMap bool) {
	if inMap && isResolver(t) {
		panic(b.route.name() + ": huma mistakes dots in a map's names for parts of the path when a value has a resolver, as Text has: use a list")
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		b.walk(t.Elem(), at, false, inMap)
	case reflect.Map:
		b.walk(t.Elem(), at, false, true)
	case reflect.Struct:
		if !b.visiting[t] {
			b.visiting[t] = true
			b.fields(t, at, reachable, inMap)
			delete(b.visiting, t)
		}
	}
}

func (b *bodyTypes) fields(t reflect.Type, at bodyDefault, reachable, inMap bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		inner := bodyDefault{at.names, append(at.index[:len(at.index):len(at.index)], i)}
		if !f.Anonymous || f.Tag.Get("json") != "" {
			inner.names = append(at.names[:len(at.names):len(at.names)], jsonName(f))
		}
		if f.Tag.Get("default") != "" && f.Type.Kind() != reflect.Pointer {
			if !reachable {
				panic(b.route.name() + ": field " + f.Name + " has a default inside of a list, map or pointer: make it a pointer, to tell a zero from nothing")
			}
			b.defaults = append(b.defaults, inner)
		}
		b.walk(f.Type, inner, reachable, inMap)
	}
}

// misread returns what the libraries that read, document and write JSON do not agree on in a type, "" if nothing:
// encoding/json looks into an embedded struct of an unexported type and huma does not, so that its fields would be
// neither documented nor checked; and our writer does not know omitzero.
func misread(t reflect.Type, seen map[reflect.Type]bool) string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return misread(t.Elem(), seen)
	case reflect.Struct:
	default:
		return ""
	}
	if seen[t] || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()) {
		return ""
	}
	seen[t] = true
	for i := range t.NumField() {
		if found := misreadField(t.Field(i), seen); found != "" {
			return found
		}
	}
	return ""
}

func misreadField(f reflect.StructField, seen map[reflect.Type]bool) string {
	switch {
	case f.Anonymous && !f.IsExported():
		return "huma does not look into the embedded " + f.Type.String() + ": export the type"
	case !f.IsExported():
		return ""
	case strings.Contains(f.Tag.Get("json"), ",omitzero"):
		return "the field " + f.Name + " has omitzero, which is not known here: use a pointer and omitempty"
	}
	return misread(f.Type, seen)
}

func isResolver(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[huma.Resolver]()) || p.Implements(reflect.TypeFor[huma.ResolverWithPath]())
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
