// Package text owns how text that callers send is stored: what counts as white space around a value, and what can be a name. It
// does not know what the text is about.
package text

import (
	"strings"
	"unicode"
)

// Value returns a value as it is stored: without white space around it, but for one line feed at the end where there
// was one (docs/reference/secrets.md section 1.1). What counts as white space is what ECMAScript trims, since clients
// compare.
func Value(text string) string {
	value := strings.TrimFunc(text, isSpace)
	if strings.HasSuffix(text, "\n") {
		value += "\n"
	}
	return value
}

func isSpace(r rune) bool { return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r) }

// IsName reports whether a text can name something, white space around it aside. Nothing is not a name; nor are "." and "..",
// which clients and proxies cut out of the paths of URLs, so that they would reach something else.
func IsName(text string) bool {
	name := strings.TrimSpace(text)
	return name != "" && name != "." && name != ".."
}
