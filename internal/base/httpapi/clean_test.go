package httpapi

import (
	"path"
	"testing"

	"pgregory.net/rapid"
)

// clean says of a path what path.Clean would make of it.
func TestClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringOfN(rapid.SampledFrom([]rune("/.a%")), 0, 8, -1).Draw(t, "path")
		want := path.Clean(p) == p && p != "" && p[0] == '/'
		if len(p) > 1 && p[len(p)-1] == '/' {
			p = p[:len(p)-1] // canonical cuts one trailing slash off first
			want = path.Clean(p) == p && p[0] == '/'
		}
		if clean(p) != want {
			t.Fatalf("clean(%q) = %v", p, !want)
		}
	})
}
