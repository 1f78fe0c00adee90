package text_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/text"
)

func TestValue(t *testing.T) {
	for sent, want := range map[string]string{
		"": "", "a": "a", " a ": "a", "a\n": "a\n", "a\n\n\n": "a\n", "\na\r\n": "a\n", " \n": "\n", "\u00a0\ufeffa\u2028": "a", "\u0085a": "\u0085a",
		"a\n ": "a", "a\x00": "a\x00", "${A} $1": "${A} $1",
	} {
		if got := text.Value(sent); got != want {
			t.Errorf("Value(%q) = %q, want %q", sent, got, want)
		}
	}
}

// TestValueIsStable: what was read can be written back without a change.
func TestValueIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := text.Value(rapid.String().Draw(t, "text"))
		if twice := text.Value(once); once != twice {
			t.Fatalf("%q became %q", once, twice)
		}
	})
}

func TestIsName(t *testing.T) {
	for sent, want := range map[string]bool{"": false, " ": false, ".": false, " .. ": false, "...": true, "a": true, ".a": true} {
		if text.IsName(sent) != want {
			t.Errorf("%q can be a name: %v", sent, !want)
		}
	}
}
