package secret

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/text"
)

// MaxName is how many characters the name of a secret has at most. Rules look at no more than 2048 bytes, which is what
// so many can take up.
const MaxName = 512

// newName is ParseName for a name that a secret gets. Older secrets may have others.
func newName(sent string, path ...string) (string, error) {
	name, err := ParseName(sent, path...)
	if err == nil && !text.IsName(name) {
		err = fault.Invalid("invalid_string", `The name of a secret must not be "." or "..", because clients remove these from URLs.`, path...)
	}
	return name, err
}

// ParseName returns a name as it is stored: without white space around it. It must be there, be no longer than MaxName
// and hold no colon and no slash (docs/reference/secrets.md section 1.1); else the error is a Validation fault at the
// path.
func ParseName(text string, path ...string) (string, error) {
	name := strings.TrimSpace(text)
	switch {
	case name == "":
		return "", fault.Invalid("too_small", "The name of a secret must not be empty.", path...)
	case utf8.RuneCountInString(name) > MaxName:
		return "", fault.Invalid("too_big", "The name of a secret has at most 512 characters.", path...)
	case strings.ContainsAny(name, ":/"):
		return "", fault.Invalid("invalid_string", "The name of a secret must not contain a colon or a slash. Put the secret into a folder instead.", path...)
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", fault.Invalid("invalid_string", "The name of a secret must not contain control characters.", path...)
	}
	return name, nil
}

// shortened cuts what a caller sent to a length that fits into a message.
func shortened(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
