package bounded_test

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/bounded"
)

func TestSize(t *testing.T) {
	type node struct {
		name string
		next *node
		any  any
	}
	text := strings.Repeat("x", 1000)
	for name, test := range map[string]struct {
		of          any
		least, most int
	}{
		"nothing":         {nil, 0, 0},
		"number":          {1, 8, 8},
		"text":            {text, 1016, 1016},
		"bytes":           {[]byte(text), 1000, 1100},
		"list of texts":   {[]string{text, text}, 2032, 2100},
		"room in a list":  {make([]int64, 0, 100), 800, 900},
		"map":             {map[string]any{text: text}, 2032, 2100},
		"behind pointers": {&node{name: text, next: &node{any: []any{text}}}, 2000, 2200},
		"array":           {[2]string{text, text}, 2032, 2032},
	} {
		if got := bounded.Size(test.of); got < test.least || got > test.most {
			t.Errorf("%s: %d bytes, want %d to %d", name, got, test.least, test.most)
		}
	}
}
