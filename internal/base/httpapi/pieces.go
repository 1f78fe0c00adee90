package httpapi

import (
	"encoding"
	"encoding/json"
	"io"
	"reflect"
	"strings"

	fastjson "github.com/segmentio/encoding/json"
)

// pieces encodes values as page.encode does, but hands the text on piece by piece: the JSON of a long list is never in memory as a
// whole. It walks over structs and lists, and leaves what it does not know to the library.
type pieces struct {
	to    io.Writer
	text  []byte // not yet handed on
	plans map[reflect.Type][]field
}

// field is a field of a struct in JSON.
type field struct {
	index     int
	name      string // quoted, with a colon behind it
	omitEmpty bool
}

// encodePieces writes the JSON of v.
func encodePieces(to io.Writer, v any) error {
	p := &pieces{to: to, plans: map[reflect.Type][]field{}}
	if err := p.value(reflect.ValueOf(v)); err != nil {
		return err
	}
	return p.flush(0)
}

func (p *pieces) value(v reflect.Value) error {
	if !v.IsValid() || marshals(v.Type()) {
		return p.leaf(v)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return p.value(v.Elem())
		}
	case reflect.Struct:
		if fields := p.plan(v.Type()); fields != nil {
			return p.object(v, fields)
		}
	case reflect.Slice:
		if !v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8 {
			return p.list(v)
		}
	}
	return p.leaf(v)
}

func (p *pieces) object(v reflect.Value, fields []field) error {
	p.text = append(p.text, '{')
	separator := ""
	for _, f := range fields {
		value := v.Field(f.index)
		if f.omitEmpty && isEmpty(value) {
			continue
		}
		p.text = append(append(p.text, separator...), f.name...)
		if err := p.value(value); err != nil {
			return err
		}
		separator = ","
	}
	p.text = append(p.text, '}')
	return nil
}

func (p *pieces) list(v reflect.Value) error {
	p.text = append(p.text, '[')
	for i := range v.Len() {
		if i > 0 {
			p.text = append(p.text, ',')
		}
		if err := p.value(v.Index(i)); err != nil {
			return err
		}
	}
	p.text = append(p.text, ']')
	return nil
}

// leaf has the library encode a value.
func (p *pieces) leaf(v reflect.Value) (err error) {
	var of any
	switch {
	case v.IsValid() && v.CanAddr():
		of = v.Addr().Interface() // methods of the pointer count
	case v.IsValid():
		of = v.Interface()
	}
	p.text, err = fastjson.Append(p.text, of, fastjson.SortMapKeys)
	settle()
	if err != nil {
		return err
	}
	return p.flush(piece)
}

// flush hands the text on if there is as much.
func (p *pieces) flush(least int) error {
	if len(p.text) < least {
		return nil
	}
	_, err := p.to.Write(p.text)
	if p.text = p.text[:0]; cap(p.text) > 4*piece {
		p.text = nil
	}
	return err
}

// plan returns the fields of a struct in their order; nil for one with anything in it that is not plain.
func (p *pieces) plan(t reflect.Type) []field {
	if known, ok := p.plans[t]; ok {
		return known
	}
	fields := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if name == "" || f.Anonymous || options != "" && options != "omitempty" {
			fields = nil
			break
		}
		fields = append(fields, field{i, `"` + name + `":`, options != ""})
	}
	p.plans[t] = fields
	return fields
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// marshals reports whether values of a type have JSON of their own.
func marshals(t reflect.Type) bool {
	for _, of := range []reflect.Type{t, reflect.PointerTo(t)} {
		if of.Implements(jsonMarshaler) || of.Implements(textMarshaler) {
			return true
		}
	}
	return false
}

// isEmpty reports whether omitempty leaves a value out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
