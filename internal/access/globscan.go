package access

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// globMeta are the characters that a backslash makes plain.
const globMeta = `*?[]{}\,!^-()|+"$`

// escapeGlob writes a text so that a glob takes it literally.
func escapeGlob(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(globMeta, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func badGlob(s, why string) error {
	return fault.Invalid("custom", fmt.Sprintf("The $glob %.64q %s.", s, why))
}

// globCheck walks through a glob once.
type globCheck struct {
	glob   []rune
	braces []globBrace // the open ones
	commas int         // in all braces
	last   rune        // the character before, 0 for one that a backslash made plain
}

// globBrace is what is inside an open brace.
type globBrace struct{ comma, globstar bool }

// checkGlob refuses what picomatch gives a meaning that hardly anybody means, such as [!a] for an exclamation mark or an
// a, and what it makes broken expressions of: a rule that silently means something else is worse than one that is refused.
func checkGlob(s string) error {
	switch {
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) || strings.ContainsRune(s, 0):
		return badGlob(s, "is not text in UTF-8")
	case strings.HasPrefix(s, "!"):
		return badGlob(s, `starts with "!"; use "inverted" or "$ne" to say what is not meant`)
	case strings.HasPrefix(s, "./"):
		return badGlob(s, `starts with "./"; leave it out`)
	case strings.Contains(s, "***"):
		return badGlob(s, `has three stars in a row; write "*" or "**"`)
	}
	c := globCheck{glob: []rune(s)}
	for i := 0; i < len(c.glob); {
		n, why := c.next(i)
		if why != "" {
			return badGlob(s, why)
		}
		i += n
	}
	if len(c.braces) > 0 {
		return badGlob(s, `has an open "{" without its "}"`)
	}
	return nil
}

// next checks what starts at an index, and returns how long it is or what is wrong with it.
func (c *globCheck) next(i int) (n int, why string) {
	r, last := c.glob[i], c.last
	c.last = r
	switch r {
	case '\\':
		return c.escape(i)
	case '[':
		return c.class(i)
	case '(', ')', '|', '"':
		return 0, fmt.Sprintf(`has a bare %q; write "\\%c" for the character`, r, r)
	case '+', '$', '^':
		if last == r || r == '+' && (last == '{' || last == '}' || last == ']') {
			return 0, fmt.Sprintf(`has a %q behind a bracket or another; write "\\%c" for the character`, r, r)
		}
	case '.':
		if last == '.' && len(c.braces) > 0 {
			return 0, "has a range in braces; write its values with commas between"
		}
	case '*':
		if last == '*' && len(c.braces) > 0 {
			c.braces[len(c.braces)-1].globstar = true
		}
	case '{':
		c.braces = append(c.braces, globBrace{})
	case ',':
		if len(c.braces) > 0 {
			c.braces[len(c.braces)-1].comma = true
			if c.commas++; c.commas > maxCommas {
				return 0, fmt.Sprintf("has more than %d commas in its braces; use several rules", maxCommas)
			}
		}
	case '}':
		if len(c.braces) == 0 {
			break
		}
		b := c.braces[len(c.braces)-1]
		if c.braces = c.braces[:len(c.braces)-1]; b.globstar && !b.comma {
			return 0, `has "**" in braces without a comma`
		}
	}
	return 1, ""
}

func (c *globCheck) escape(i int) (n int, why string) {
	if i+1 == len(c.glob) {
		return 0, "ends in a backslash"
	}
	r := c.glob[i+1]
	if isWord(r) {
		return 0, `has a backslash before a letter or a digit; leave the backslash out`
	}
	if c.last = 0; strings.ContainsRune(".+$^", r) {
		c.last = r
	}
	return 2, ""
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// class checks [...]. It never matches a slash: like * and ?, it stays within a name.
func (c *globCheck) class(i int) (n int, why string) {
	inside, n := "", 1
	for ; i+n < len(c.glob) && c.glob[i+n] != ']'; n++ {
		r := c.glob[i+n]
		if r == '\\' {
			n++
			if i+n == len(c.glob) || !strings.ContainsRune(`[]^-`, c.glob[i+n]) {
				return 0, `has a class with a backslash before something other than "[", "]", "^" and "-"`
			}
		} else if r == '[' {
			return 0, `has a class with a bare "[" in it; write "\\["`
		}
		inside += string(c.glob[i+n])
	}
	c.last = ']'
	body := strings.TrimPrefix(inside, "^")
	switch {
	case i+n >= len(c.glob):
		return 0, `has an open "[" without its "]"`
	case c.glob[i+1] == '!':
		return 0, `has a class that starts with "!"; write "^" for all other characters`
	case body == "":
		return 0, "has a class that is empty"
	case strings.Contains(body, "/"):
		return 0, `has a class that contains "/"`
	}
	if _, ok := newClass(string(c.glob[i+1 : i+n])); !ok {
		return 0, `has a class with a range that is broken or contains "/"`
	}
	return n + 1, ""
}
