package httpapi

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const (
	maxSafe    = 1<<53 - 1 // the largest whole number that every JSON reader takes exactly (RFC 8259 section 6)
	maxKeySize = 256       // bytes of a name in a map; it stands in the path of every issue below it
)

const (
	msgUnsafeInteger = "expected integer that JSON carries exactly"
	msgBadKey        = "expected short names without NUL"
)

// binder prepares a parsed body for huma.Validate, and so for what is bound from it.
type binder struct {
	registry huma.Registry
	path     *huma.PathBuffer
	result   huma.ValidateResult
	masked   bool // some name of a map is masked
}

// strip removes from a body what the schema does not name, so that neither an unknown field nor a known one in another
// case can be bound: encoding/json would take "NAME" for "name", and huma checks only one of them. It also refuses whole
// numbers that a float64 has rounded, and masks the names in maps.
//
// It returns the value with its texts as they are checked: trimmed where the schema says so. name is the field's.
func (b *binder) strip(s *huma.Schema, name string, v any) any {
	for s.Ref != "" {
		s = b.registry.SchemaFromRef(s.Ref)
	}
	switch v := v.(type) {
	case string:
		if trims(s) {
			return trim(name, v)
		}
	case map[string]any:
		if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
			b.stripMap(values, v)
		} else if len(s.Properties) > 0 {
			b.stripObject(s, v)
		}
	case []any:
		b.stripList(s, name, v)
	case float64:
		if s.Type == huma.TypeInteger && (v > maxSafe || v < -maxSafe) {
			b.result.Add(b.path, nil, msgUnsafeInteger)
		}
	}
	return v
}

func (b *binder) stripList(s *huma.Schema, name string, list []any) {
	if s.Items == nil {
		return
	}
	for i, item := range list {
		b.path.PushIndex(i)
		list[i] = b.strip(s.Items, name, item)
		b.path.Pop()
	}
}

func (b *binder) stripObject(s *huma.Schema, object map[string]any) {
	for name, v := range object {
		field, known := s.Properties[name]
		if !known {
			delete(object, name)
			continue
		}
		b.path.Push(name)
		object[name] = b.strip(field, name, v)
		b.path.Pop()
	}
}

func (b *binder) stripMap(values *huma.Schema, object map[string]any) {
	var mask []string
	for name, v := range object {
		if len(name) > maxKeySize || strings.IndexByte(name, 0) >= 0 {
			b.result.Add(b.path, nil, msgBadKey)
			return
		}
		if strings.ContainsAny(name, ".[") {
			mask = append(mask, name)
		}
		b.path.Push(masking.Replace(name))
		object[name] = b.strip(values, "", v)
		b.path.Pop()
	}
	for _, name := range mask {
		object[masking.Replace(name)] = object[name]
		delete(object, name)
		b.masked = true
	}
}

// huma takes a dot or a bracket in a name for the end of a part of the path. It would name wrong places, and worse, never
// take such a name off the path again, so that a body could make paths grow without bound. So these two are masked in
// names of maps while huma looks at them, with bytes that no valid UTF-8 has.
var (
	masking   = strings.NewReplacer(".", "\xff", "[", "\xfe")
	unmasking = strings.NewReplacer("\xff", ".", "\xfe", "[")
)

// unmask gives the names in maps back.
func unmask(v any) {
	switch v := v.(type) {
	case map[string]any:
		var masked []string
		for name, inner := range v {
			unmask(inner)
			if strings.IndexByte(name, '\xff') >= 0 || strings.IndexByte(name, '\xfe') >= 0 {
				masked = append(masked, name)
			}
		}
		for _, name := range masked {
			v[unmasking.Replace(name)] = v[name]
			delete(v, name)
		}
	case []any:
		for _, item := range v {
			unmask(item)
		}
	}
}
