package fault

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

// Panicked returns the value of a panic as the cause of a fault, in words that a log may hold: the text of an error of Go's
// runtime, which tells of types, indexes and addresses alone, and else no more than the type. Many functions that panic
// quote what they were given, and that may be a token.
func Panicked(value any) error {
	if err, ok := value.(runtime.Error); ok && ofRuntime(reflect.TypeOf(err)) {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic with a value of type %T, which is not shown because it may hold a secret", value)
}

// ofRuntime reports whether a type is of the runtime itself: anyone can make a type with the methods of runtime.Error.
func ofRuntime(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "runtime" || strings.HasPrefix(t.PkgPath(), "internal/runtime/")
}
