package assertion

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// Matches reports whether a value is what a list of alternatives asks for: the list as a whole, or one of its entries,
// be it to the letter or as a glob. Entries are separated by commas, but for those in braces.
func Matches(list, value string) bool {
	if value == list {
		return true
	}
	for _, entry := range split(list) {
		if matchesPattern(entry, value) {
			return true
		}
	}
	return false
}

// matchesPattern reports whether a value is what one pattern asks for, to the letter or as a glob.
func matchesPattern(pattern, value string) bool {
	if value == pattern {
		return true
	}
	// Patterns that are no glob were refused when the method was attached.
	glob, err := access.CompilePattern(pattern)
	return err == nil && glob.Match(value)
}

// CheckList refuses, as Validation at the path, a list of alternatives that has an entry which is no glob.
func CheckList(list string, path ...string) error {
	for _, entry := range split(list) {
		if err := checkPattern(entry, path...); err != nil {
			return err
		}
	}
	return nil
}

// checkPattern refuses, as Validation at the path, text that is no glob.
func checkPattern(text string, path ...string) error {
	if _, err := access.CompilePattern(text); err != nil {
		return fault.Invalid("invalid_string", fmt.Sprintf("%.64q is not a pattern: give an exact value, or a glob of at most 512 bytes. Write a backslash before *, ?, [, ], { or } that are meant literally.", text), path...)
	}
	return nil
}

// split cuts a list at its commas, but not inside of braces or after a backslash. Space around entries and empty
// entries do not count.
func split(list string) []string {
	var entries []string
	depth, start, escaped := 0, 0, false
	add := func(end int) {
		if entry := strings.TrimSpace(list[start:end]); entry != "" {
			entries = append(entries, entry)
		}
		start = end + 1
	}
	for i := range len(list) {
		switch c := list[i]; {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == ',' && depth == 0:
			add(i)
		}
	}
	add(len(list))
	return entries
}

// matchesClaim is Matches for a claim: a text, a number, a truth value, or a list of such of which one matches.
func matchesClaim(list string, value any) bool {
	switch v := value.(type) {
	case string:
		return Matches(list, v)
	case json.Number:
		return Matches(list, v.String())
	case bool:
		return Matches(list, strconv.FormatBool(v))
	case []any:
		for _, item := range v {
			if _, nested := item.([]any); !nested && matchesClaim(list, item) {
				return true
			}
		}
	}
	return false
}
