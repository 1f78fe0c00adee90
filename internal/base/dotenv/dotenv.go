// Package dotenv owns the form of .env files: reading names and values from one, and writing them so that shells and other
// programs read the same values. It does not know what the values are.
package dotenv

import (
	"fmt"
	"regexp"
	"strings"
)

// Pair is one line of a file.
type Pair struct{ Name, Value string }

// Parse reads a file: NAME=value a line, with or without export before it, and comments that begin with #. A value in single
// quotes or backticks is taken as it is written. In double quotes, \n, \r, \t, \", \$, \` and \\ stand for characters. A quoted
// value may have several lines. References to other variables stay as they are. Errors name the line.
func Parse(text string) ([]Pair, error) {
	p := &parser{rest: strings.TrimPrefix(text, "\ufeff"), line: 1}
	pairs := []Pair{}
	for {
		p.skipEmpty()
		if p.rest == "" {
			return pairs, nil
		}
		pair, err := p.pair()
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
}

type parser struct {
	rest string
	line int
}

// take removes n bytes and counts their lines.
func (p *parser) take(n int) string {
	taken := p.rest[:n]
	p.line += strings.Count(taken, "\n")
	p.rest = p.rest[n:]
	return taken
}

func (p *parser) toLineEnd() string {
	if i := strings.IndexByte(p.rest, '\n'); i >= 0 {
		return strings.TrimSuffix(p.take(i + 1)[:i], "\r")
	}
	return p.take(len(p.rest))
}

func (p *parser) skipEmpty() {
	for p.rest != "" {
		line, _, _ := strings.Cut(p.rest, "\n")
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return
		}
		p.toLineEnd()
	}
}

var lineStart = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([^\s=#'"]+)[ \t]*=[ \t]*`)

func (p *parser) pair() (Pair, error) {
	found := lineStart.FindStringSubmatch(p.rest)
	if found == nil {
		return Pair{}, fmt.Errorf("line %d is not of the form NAME=value", p.line)
	}
	p.take(len(found[0]))
	value, err := p.value()
	return Pair{found[1], value}, err
}

func (p *parser) value() (string, error) {
	if p.rest == "" {
		return "", nil
	}
	if quote := p.rest[0]; quote == '\'' || quote == '"' || quote == '`' {
		return p.quoted(quote)
	}
	value := p.toLineEnd()
	if i := strings.Index(" "+value, " #"); i >= 0 { // a comment behind the value
		value = value[:max(0, i-1)]
	}
	return strings.TrimSpace(value), nil
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '"': '"', '$': '$', '`': '`', '\\': '\\'}

// quoted reads to the closing quote, and refuses anything but a comment after it.
func (p *parser) quoted(quote byte) (string, error) {
	began := p.line
	var value strings.Builder
	i := 1
	for ; i < len(p.rest) && p.rest[i] != quote; i++ {
		c := p.rest[i]
		if quote == '"' && c == '\\' && i+1 < len(p.rest) {
			if to, known := escapes[p.rest[i+1]]; known {
				c = to
				i++
			}
		}
		value.WriteByte(c)
	}
	if i >= len(p.rest) {
		return "", fmt.Errorf("line %d: the quote that begins here is not closed", began)
	}
	p.take(i + 1)
	line := p.line
	if after := strings.TrimSpace(p.toLineEnd()); after != "" && after[0] != '#' {
		return "", fmt.Errorf("line %d: there is text after the closing quote", line)
	}
	return value.String(), nil
}

var (
	plainValue = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,-]*$`)
	escaped    = strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "$", "\\$", "`", "\\`", "\n", "\\n", "\r", "\\r", "\t", "\\t")
)

// Line writes one line of a file, that Parse and common libraries read as the same value.
func Line(p Pair) string {
	if plainValue.MatchString(p.Value) {
		return p.Name + "=" + p.Value + "\n"
	}
	return p.Name + "=\"" + escaped.Replace(p.Value) + "\"\n"
}

// ShellLine writes one line that a POSIX shell executes to export the value.
func ShellLine(p Pair) string {
	return "export " + p.Name + "='" + strings.ReplaceAll(p.Value, "'", `'\''`) + "'\n"
}

// IsVariable reports whether a shell can have a variable of this name.
var IsVariable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString
