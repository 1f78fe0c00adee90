package httpapi

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sallyport/sallyport/internal/base/text"
)

const (
	msgControlCharacter = "expected text without control characters"
	msgNoName           = `expected a name: not empty, and not "." or ".."`
	msgUnprintable      = "expected text without control characters other than tab and line breaks"
)

// Text is a string of an input, in JSON, path or query, that holds one line of text: a name, a slug, an id, a credential. White
// space around it is cut off before anything is checked, since what is read from a file ends in a newline. NUL, other
// control characters and invalid UTF-8 are refused with a 422 at the field. Use it, or Prose, for every string that is
// stored as text: PostgreSQL takes no NUL.
type Text string

// TransformSchema marks the schema of a text as one that is trimmed; huma calls it.
func (Text) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Extensions = map[string]any{trimMark: true}
	return s
}

// Resolve checks the text; huma calls it.
func (t *Text) Resolve(_ huma.Context, prefix *huma.PathBuffer) []error {
	return refuse(string(*t), prefix, msgControlCharacter, unicode.IsControl)
}

// Trimmed returns the text without white space around it.
func (t Text) Trimmed() string { return strings.TrimSpace(string(t)) }

// Name is Text that names something which a request makes or renames. Text that cannot be a name (text.IsName) is refused
// with a 422 at the field. Use it for every name, slug and key in such a request, with minLength:"1" where there must be one.
type Name string

// TransformSchema marks the schema of a name as one that is trimmed; huma calls it.
func (Name) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Extensions = map[string]any{trimMark: true}
	return s
}

// Resolve checks the name; huma calls it.
func (n *Name) Resolve(_ huma.Context, prefix *huma.PathBuffer) []error {
	if *n != "" && !text.IsName(string(*n)) {
		return []error{&huma.ErrorDetail{Message: msgNoName, Location: prefix.String()}}
	}
	return refuse(string(*n), prefix, msgControlCharacter, unicode.IsControl)
}

// Trimmed returns the name without white space around it.
func (n Name) Trimmed() string { return strings.TrimSpace(string(n)) }

// Prose is a string of an input that may span lines, such as a description or PEM: as Text, but tab, line feed and carriage
// return are allowed, and nothing is cut off.
type Prose string

// Resolve checks the text; huma calls it.
func (p *Prose) Resolve(_ huma.Context, prefix *huma.PathBuffer) []error {
	return refuse(string(*p), prefix, msgUnprintable, func(r rune) bool {
		return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
	})
}

func refuse(s string, prefix *huma.PathBuffer, message string, bad func(rune) bool) []error {
	if plain(s) || utf8.ValidString(s) && strings.IndexFunc(s, bad) < 0 {
		return nil
	}
	return []error{&huma.ErrorDetail{Message: message, Location: prefix.String()}}
}

// plain reports whether a string is printable ASCII alone, as a token or a password is: no rule here refuses that, and
// a walk over runes would cost more than the rest of the check.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
