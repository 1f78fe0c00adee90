package fault_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/base/fault"
)

const secret = "s3cret"

// disguised is what a panic of someone else may be, that looks as if it were the runtime's.
type disguised struct{ text string }

func (d *disguised) Error() string { return d.text }

func (d *disguised) RuntimeError() {}

// caught returns the value that do panics with.
func caught(t *testing.T, do func()) (value any) {
	t.Helper()
	defer func() {
		if value = recover(); value == nil {
			t.Fatal("it did not panic")
		}
	}()
	do()
	return nil
}

// TestPanicked: of what was in the hands of the code that panicked nothing is told, and of a fault of the program all that
// Go tells.
func TestPanicked(t *testing.T) {
	var nothing map[string]int
	var pointer *disguised
	var held any = secret
	n := len(secret)
	tests := map[string]struct {
		do   func()
		want string
	}{
		"told/nil map":           {func() { nothing[secret] = 1 }, "panic: assignment to entry in nil map"},
		"told/nil pointer":       {func() { _ = pointer.text }, "panic: runtime error: invalid memory address or nil pointer dereference"},
		"told/index":             {func() { _ = secret[n:][n] }, "panic: runtime error: index out of range [6] with length 0"},
		"told/type":              {func() { _ = held.(error) }, "panic: interface conversion: string is not error: missing method Error"},
		"told/unhashable":        {func() { _ = map[any]int{[]string{secret}: 1} }, "panic: runtime error: hash of unhashable type []string"},
		"told/division":          {func() { _ = 1 / (n - len(secret)) }, "panic: runtime error: integer divide by zero"},
		"told/nil":               {func() { panic(nil) }, "panic: panic called with nil argument"},
		"hidden/text":            {func() { panic(secret) }, "string"},
		"hidden/error":           {func() { panic(errors.New(secret)) }, "*errors.errorString"},
		"hidden/fault":           {func() { panic(fault.New(fault.NotFound, secret)) }, "*fault.Error"},
		"hidden/regexp":          {func() { regexp.MustCompile(strings.Repeat("(", n) + secret) }, "string"},
		"hidden/uuid":            {func() { uuid.MustParse(secret) }, "string"},
		"hidden/negative repeat": {func() { held = strings.Repeat(secret, -n) }, "string"},
		"hidden/disguised":       {func() { panic(&disguised{secret}) }, "*fault_test.disguised"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := test.want
			if strings.HasPrefix(name, "hidden/") {
				want = "panic with a value of type " + want + ", which is not shown because it may hold a secret"
			}
			if got := fault.Panicked(caught(t, test.do)).Error(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
