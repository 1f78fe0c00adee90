package httpapi

import (
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/base/fault"
)

const (
	maxDepth  = 100     // objects and lists inside one another
	maxValues = 100_000 // values in one body: bounds the memory of the parsed form, some 100 bytes each
)

// inspector walks over JSON text once, before it is parsed, for what encoding/json lets through: invalid UTF-8 and lone
// surrogates (it would put U+FFFD in their place), and text that is small but costs much memory or stack when parsed.
type inspector struct {
	text   []byte
	depth  int
	values int
}

// inspect returns how many values a body has, about, and what is wrong with it, nil if nothing. It does not find syntax errors:
// the parser does.
func inspect(text []byte) (values int, f *fault.Error) {
	if at := invalidUTF8(text); at >= 0 {
		return 0, fault.New(fault.BadRequest, "The body is not valid UTF-8 at byte %d.", at+1)
	}
	in := inspector{text: text}
	for i := 0; i < len(text); i++ {
		if text[i] == '"' {
			end, f := in.skipString(i + 1)
			if f != nil {
				return 0, f
			}
			i = end
		} else if f := in.count(text[i], i); f != nil {
			return 0, f
		}
	}
	return in.values, nil
}

// count keeps book of one byte outside of strings.
func (in *inspector) count(c byte, at int) *fault.Error {
	switch c {
	case '{', '[':
		in.depth++
		in.values++
	case '}', ']':
		in.depth--
	case ',':
		in.values++
	}
	if in.depth > maxDepth {
		return fault.New(fault.BadRequest, "The body is nested deeper than %d levels at byte %d.", maxDepth, at+1)
	}
	if in.values > maxValues {
		return fault.New(fault.TooLarge, "The body has more than %d values.", maxValues)
	}
	return nil
}

// skipString returns where the string that begins at i ends, at its closing quote or at the end of the text.
func (in *inspector) skipString(i int) (int, *fault.Error) {
	for ; i < len(in.text); i++ {
		switch in.text[i] {
		case '"':
			return i, nil
		case '\\':
			unit, ok := escapedUnit(in.text[i:])
			switch {
			case ok && unit >= 0xDC00 && unit <= 0xDFFF:
				return 0, loneSurrogate(i)
			case ok && unit >= 0xD800 && unit <= 0xDBFF:
				low, ok := escapedUnit(in.text[i+6:])
				if !ok || low < 0xDC00 || low > 0xDFFF {
					return 0, loneSurrogate(i)
				}
				i += 6 // the pair's second half needs no look of its own
			}
			i++ // whatever is escaped, it does not end the string
		}
	}
	return i, nil
}

func loneSurrogate(at int) *fault.Error {
	return fault.New(fault.BadRequest, "The body has half of a surrogate pair at byte %d, which is not a character. Send both halves.", at+1)
}

// escapedUnit returns the UTF-16 unit that an escape \uXXXX at the beginning of text stands for (RFC 8259 section 7).
func escapedUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var unit rune
	for _, c := range text[2:6] {
		switch {
		case c >= '0' && c <= '9':
			unit = unit<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			unit = unit<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			unit = unit<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return unit, true
}

// invalidUTF8 returns the place of the first byte that is not part of a UTF-8 character, or -1.
func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
