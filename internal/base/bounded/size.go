package bounded

import "reflect"

// deepest is how far Size looks.
const deepest = 24

// Size returns about how many bytes a value takes in memory with all that it refers to. Values without an end, as a list that
// holds itself, are not for it.
func Size(v any) int { return sizeOf(reflect.ValueOf(v), deepest) }

// sizeOf returns the bytes of a value, those of its own type included.
func sizeOf(v reflect.Value, depth int) int {
	if !v.IsValid() {
		return 0
	}
	return int(v.Type().Size()) + referred(v, depth)
}

// referred returns the bytes that a value refers to.
func referred(v reflect.Value, depth int) (sum int) {
	if depth == 0 {
		return 0
	}
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Pointer, reflect.Interface:
		return sizeOf(v.Elem(), depth-1)
	case reflect.Struct:
		for i := range v.NumField() {
			sum += referred(v.Field(i), depth-1)
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice {
			sum = v.Cap() * int(v.Type().Elem().Size())
		}
		if flat(v.Type().Elem().Kind()) {
			return sum
		}
		for i := range v.Len() {
			sum += referred(v.Index(i), depth-1)
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			sum += mapEntry + sizeOf(entries.Key(), depth-1) + sizeOf(entries.Value(), depth-1)
		}
	}
	return sum
}

// mapEntry is about what a map takes for an entry next to its key and value.
const mapEntry = 16

// flat reports whether values of a kind refer to nothing.
func flat(k reflect.Kind) bool { return k >= reflect.Bool && k <= reflect.Complex128 }
