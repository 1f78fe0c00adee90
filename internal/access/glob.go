package access

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/internal/fault"
)

// What a glob may be at most. Without braces, matching takes time in proportion to the length of the pattern times
// that of the value, so these bound the time of a check.
const (
	maxGlob         = 512  // bytes
	maxAlternatives = 32   // after the braces are multiplied out
	maxMultiplied   = 4096 // bytes of all alternatives together
)

// glob is one pattern without braces. What it matches is decided by doublestar; the shapes only spare the walk.
type glob struct {
	shape   shape
	pattern string // as doublestar reads it
	prefix  string // the literal text that it starts with
	stem    string // the prefix without a slash at its end: every match starts with it
}

// shape tells apart the patterns that can be matched without a walk.
type shape uint8

const (
	shapeGeneral    shape = iota
	shapeLiteral          // no wildcard: the prefix alone
	shapeSubtree          // the prefix, which ends in a slash, then **: a folder and all below it
	shapeEverything       // **
)

// compileGlob reads a glob (secrets.md 4.2) into its alternatives. The empty list never comes without an error.
func compileGlob(s string) ([]glob, error) {
	if len(s) > maxGlob {
		return nil, fault.Invalid("too_big", fmt.Sprintf("A $glob may have at most %d bytes, this one has %d.", maxGlob, len(s)))
	}
	tokens, err := scanGlob(s)
	if err != nil {
		return nil, err
	}
	alternatives, err := multiplyOut(nil, tokens)
	if err != nil {
		return nil, err
	}
	var globs []glob
	for _, tokens := range alternatives {
		tokens = normalise(tokens)
		globs = append(globs, newGlob(tokens))
		// doublestar lets x/** match x, but not x*/** match x*.
		if n := len(tokens); n > 2 && tokens[n-1].kind == tokenGlobstar && tokens[n-3].kind == tokenStar {
			globs = append(globs, newGlob(tokens[:n-2]))
		}
	}
	total := 0
	for _, g := range globs {
		if total += len(g.pattern); total > maxMultiplied {
			return nil, badGlob(s, "stands for too much when its braces are multiplied out; use several rules")
		}
		if !doublestar.ValidatePattern(g.pattern) {
			return nil, badGlob(s, "cannot be understood")
		}
	}
	return globs, nil
}

func newGlob(tokens []token) glob {
	var pattern, prefix strings.Builder
	plain := 0
	for i, t := range tokens {
		pattern.WriteString(t.pattern())
		if plain == i && t.isPlain() {
			plain++
			prefix.WriteString(t.text)
		}
	}
	g := glob{pattern: pattern.String(), prefix: prefix.String()}
	g.stem = strings.TrimSuffix(g.prefix, "/")
	switch last := len(tokens) - 1; {
	case plain == len(tokens):
		g.shape = shapeLiteral
	case plain == last && tokens[last].kind == tokenGlobstar && last == 0:
		g.shape = shapeEverything
	case plain == last && tokens[last].kind == tokenGlobstar:
		g.shape = shapeSubtree
	}
	return g
}

// match reports whether a value matches.
func (g *glob) match(value string) bool {
	switch g.shape {
	case shapeLiteral:
		return value == g.prefix
	case shapeEverything:
		return true
	case shapeSubtree:
		return strings.HasPrefix(value, g.stem) && (len(value) == len(g.stem) || value[len(g.stem)] == '/')
	}
	return strings.HasPrefix(value, g.stem) && doublestar.MatchUnvalidated(g.pattern, value)
}

func (g glob) hasWildcard() bool { return g.shape != shapeLiteral }

// size is the length of the pattern if matching walks it, or 0.
func (g *glob) size() int {
	if g.shape == shapeGeneral {
		return len(g.pattern)
	}
	return 0
}
