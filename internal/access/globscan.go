package access

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/internal/fault"
)

// token is one element of a glob.
type token struct {
	kind tokenKind
	text string // of text what it stands for, of a class as it is written
}

type tokenKind uint8

const (
	tokenText     tokenKind = iota
	tokenSlash              // /
	tokenStar               // *
	tokenGlobstar           // **
	tokenAny                // ?
	tokenClass              // [...]
	tokenOpen               // {
	tokenComma              // , inside braces
	tokenClose              // }
)

func (t token) isPlain() bool { return t.kind == tokenText || t.kind == tokenSlash }

// globMeta are the characters that a backslash makes plain.
const globMeta = `*?[]{}\,!^-()`

// pattern writes a token as doublestar reads it.
func (t token) pattern() string {
	if t.kind == tokenText {
		return escapeGlob(t.text)
	}
	return t.text
}

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

// scanner splits a glob into tokens.
type scanner struct {
	glob   string
	at     int
	depth  int // of open braces
	tokens []token
}

// scanGlob splits a glob into tokens and refuses what other matchers give a meaning that ours does not: a rule that
// silently means something else is worse than one that is refused. Templates are plain text.
func scanGlob(s string) ([]token, error) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) || strings.ContainsRune(s, 0) {
		return nil, badGlob(s, "is not text in UTF-8")
	}
	if strings.HasPrefix(s, "!") {
		return nil, badGlob(s, `starts with "!"; use "inverted" or "$ne" to say what is not meant`)
	}
	sc := scanner{glob: s}
	for sc.at < len(s) {
		if err := sc.next(); err != nil {
			return nil, err
		}
	}
	if sc.depth > 0 {
		return nil, badGlob(s, `has an open "{" without its "}"`)
	}
	return sc.tokens, nil
}

func badGlob(s, why string) error {
	return fault.Invalid("custom", fmt.Sprintf("The $glob %.64q %s.", s, why))
}

// next reads one token.
func (sc *scanner) next() error {
	rest := sc.glob[sc.at:]
	if strings.HasPrefix(rest, "{{") {
		t, _ := nextTemplate(rest, 0)
		sc.add(tokenText, rest[:t.end], t.end)
		return nil
	}
	switch c := rest[0]; {
	case c == '\\':
		return sc.escaped(rest)
	case c == '[':
		return sc.class(rest)
	case strings.IndexByte("?*+@!", c) >= 0 && strings.HasPrefix(rest[1:], "("):
		return badGlob(sc.glob, `uses an extended pattern such as "+(...)", which is not supported; write "\\(" for a parenthesis`)
	case c == '*':
		sc.stars(rest)
	case c == '/':
		sc.add(tokenSlash, "/", 1)
	case c == '?':
		sc.add(tokenAny, "?", 1)
	case c == '{':
		sc.depth++
		sc.add(tokenOpen, "{", 1)
	case c == ',' && sc.depth > 0:
		sc.add(tokenComma, ",", 1)
	case c == '}' && sc.depth > 0:
		sc.depth--
		sc.add(tokenClose, "}", 1)
	default:
		_, n := utf8.DecodeRuneInString(rest)
		sc.add(tokenText, rest[:n], n)
	}
	return nil
}

func (sc *scanner) add(kind tokenKind, text string, length int) {
	sc.tokens = append(sc.tokens, token{kind, text})
	sc.at += length
}

func (sc *scanner) escaped(rest string) error {
	if len(rest) == 1 {
		return badGlob(sc.glob, "ends in a backslash")
	}
	_, n := utf8.DecodeRuneInString(rest[1:])
	sc.add(tokenText, rest[1:1+n], 1+n)
	return nil
}

// stars reads a run of stars; two or more are a globstar if they fill a segment, which normalise decides.
func (sc *scanner) stars(rest string) {
	n := len(rest) - len(strings.TrimLeft(rest, "*"))
	if n == 1 {
		sc.add(tokenStar, "*", 1)
	} else {
		sc.add(tokenGlobstar, "**", n)
	}
}

// class reads [...]. It never matches a slash: like * and ?, it stays within a segment.
func (sc *scanner) class(rest string) error {
	end := 1
	for end < len(rest) && rest[end] != ']' {
		if rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(rest) {
		return badGlob(sc.glob, `has an open "[" without its "]"`)
	}
	text := rest[:end+1]
	if negated := text[1] == '!' || text[1] == '^'; negated {
		if strings.HasPrefix(text[2:], "-") {
			return badGlob(sc.glob, `has a class that starts with a bare "-"; write "\\-"`)
		}
		text = text[:2] + "/" + text[2:]
	}
	if slash, err := doublestar.Match(text, "/"); slash || err != nil || text == "[!/]" || text == "[^/]" {
		return badGlob(sc.glob, `has a class that is empty, broken or contains "/"`)
	}
	sc.add(tokenClass, text, end+1)
	return nil
}

// multiplyOut appends to done every pattern that the tokens stand for once one option of each brace is chosen.
func multiplyOut(done [][]token, tokens []token) ([][]token, error) {
	open := indexKind(tokens, tokenOpen)
	if open < 0 {
		if len(done) == maxAlternatives {
			return nil, fault.Invalid("too_big", fmt.Sprintf("The braces of a $glob may stand for at most %d patterns.", maxAlternatives))
		}
		return append(done, tokens), nil
	}
	options, end := braceOptions(tokens, open)
	for _, option := range options {
		chosen := make([]token, 0, len(tokens))
		chosen = append(append(append(chosen, tokens[:open]...), option...), tokens[end:]...)
		var err error
		if done, err = multiplyOut(done, chosen); err != nil {
			return nil, err
		}
	}
	return done, nil
}

func indexKind(tokens []token, kind tokenKind) int {
	for i, t := range tokens {
		if t.kind == kind {
			return i
		}
	}
	return -1
}

// braceOptions returns the options of the brace that opens at an index, and the index after it.
func braceOptions(tokens []token, open int) (options [][]token, end int) {
	depth, start := 0, open+1
	for i := open; ; i++ {
		switch kind := tokens[i].kind; {
		case kind == tokenOpen:
			depth++
		case kind == tokenComma && depth == 1:
			options, start = append(options, tokens[start:i]), i+1
		case kind == tokenClose && depth == 1:
			return append(options, tokens[start:i]), i + 1
		case kind == tokenClose:
			depth--
		}
	}
}

// normalise makes every globstar fill its segment: one with neighbours is a star, and a row of them is one.
func normalise(tokens []token) []token {
	var out []token
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		fills := (i == 0 || tokens[i-1].kind == tokenSlash) && (i+1 == len(tokens) || tokens[i+1].kind == tokenSlash)
		if t.kind == tokenGlobstar && !fills {
			t = token{tokenStar, "*"}
		}
		n := len(out)
		switch {
		case t.kind == tokenStar && n > 0 && out[n-1].kind == tokenStar: // ** inside a segment
		case t.kind == tokenGlobstar && n > 1 && out[n-2].kind == tokenGlobstar: // **/**
			out = out[:n-1]
		default:
			out = append(out, t)
		}
	}
	return out
}
