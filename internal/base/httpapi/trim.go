package httpapi

import (
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sallyport/sallyport/internal/base/id"
)

// trimMark is the extension of a schema that says that its text is trimmed before it is checked.
const trimMark = "x-trimmed"

// trims reports whether a text of a body is trimmed before it is checked: a Text, one of several words, or a time. Prose and plain
// strings, such as values of secrets, have rules of their own.
func trims(s *huma.Schema) bool {
	return s.Extensions[trimMark] != nil || len(s.Enum) > 0 || s.Format == "date-time"
}

// trim returns a text of a request as it is checked: without white space around it, and an id as ids are stored.
func trim(name, text string) string {
	text = strings.TrimSpace(text)
	if lower := strings.ToLower(text); identifies(name) && id.Valid(lower) {
		return lower
	}
	return text
}

// references are the fields and parameters that hold an id, or a list of ids, although their names do not say so: of a role, which
// may be named by its slug too, of an actor, and of where a page begins.
var references = []string{"role", "roleSlugs", "actor", "after"}

// identifies reports whether a field or parameter of this name holds an id, or a list of ids. All ids are UUIDs in lower
// case; some clients write them in upper case.
func identifies(name string) bool {
	return name == "id" || strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "Ids") || slices.Contains(references, name)
}
