package auth

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// A credential that is never shown again belongs to where it is sent: someone who may change settings could otherwise
// have it sent to a server of their own, and read it there. So settings name the fields that decide where their
// credentials go, and a change of one of those asks for the credentials again.

// marked returns the fields of settings that have a tag, those of embedded structs too.
func marked(t reflect.Type, tag string) []reflect.StructField {
	var found []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if f.Tag.Get(tag) == "true" {
			found = append(found, f)
		}
	}
	return found
}

// mustSayWhere panics for settings with a credential that do not say where it goes: a mistake in the program.
func mustSayWhere(t reflect.Type) {
	if len(marked(t, "writeOnly")) > 0 && len(marked(t, "destination")) == 0 {
		panic(fmt.Sprintf(`%s has fields with writeOnly:"true", so mark those that decide where they are sent with destination:"true"`, t))
	}
}

// staysHome refuses, as Validation, changed settings that would send a stored credential to another destination. request
// is a pointer to what the caller sent, maybe nil.
func staysHome(before, after, request reflect.Value) error {
	moved := changedNames(before, after, marked(after.Type(), "destination"))
	if len(moved) == 0 {
		return nil
	}
	for _, f := range marked(after.Type(), "writeOnly") {
		sent := !request.IsNil() && !request.Elem().FieldByIndex(f.Index).IsZero()
		if !sent && !blank(before.FieldByIndex(f.Index)) {
			return fault.Invalid("required", fmt.Sprintf("The stored %s was set for the current %s. Send it again together with the change, or send it empty to remove it.",
				jsonName(f), strings.Join(moved, " and ")), jsonName(f))
		}
	}
	return nil
}

func changedNames(before, after reflect.Value, fields []reflect.StructField) (names []string) {
	for _, f := range fields {
		if stored(before.FieldByIndex(f.Index)) != stored(after.FieldByIndex(f.Index)) {
			names = append(names, jsonName(f))
		}
	}
	return names
}

// stored is a field as it is stored. All settings can be encoded.
func stored(field reflect.Value) string {
	text, _ := json.Marshal(field.Interface())
	return string(text)
}

// blank reports whether a field has no value, or a pointer to an empty one.
func blank(v reflect.Value) bool {
	return v.IsZero() || v.Kind() == reflect.Pointer && v.Elem().IsZero()
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
