package access

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// What a glob may be at most. Matching takes time in proportion to the length of the pattern times that of the value, so
// these bound the time of a check.
const (
	maxGlob   = 512 // bytes
	maxCommas = 64  // in braces
	maxListed = 32  // values that a glob without wildcards stands for
)

// glob is one $glob, which matches exactly what picomatch 4 matches with its default options
// (docs/reference/secrets.md section 4.2). Above all, wildcards do not match a dot at the start of a name, and a glob
// matches its own text.
type glob struct {
	text   string
	steps  []step
	start  int32
	prefix string // every match starts with it, but for the text itself
	after  int32  // where the program goes on behind the prefix
}

// compileGlob reads a glob.
func compileGlob(s string) (*glob, error) {
	if len(s) > maxGlob {
		return nil, fault.Invalid("too_big", fmt.Sprintf("A $glob has at most %d bytes, and this one has %d.", maxGlob, len(s)))
	}
	if err := checkGlob(s); err != nil {
		return nil, err
	}
	g := &glob{text: s}
	if g.steps, g.start = compileSource(globSource(s)); len(g.steps) > maxProgram {
		return nil, badGlob(s, "is too long")
	}
	g.after = g.start
	var prefix []uint16
	for {
		u, ok := g.steps[g.after].only()
		if !ok {
			break
		}
		prefix, g.after = append(prefix, u), g.steps[g.after].next
	}
	if n := len(prefix); n > 0 && utf16.IsSurrogate(rune(prefix[n-1])) && slices.Contains(utf16.Decode(prefix), '\uFFFD') {
		prefix, g.after = nil, g.start // it ends in the middle of a character
	}
	g.prefix = string(utf16.Decode(prefix))
	return g, nil
}

// only returns the unit that the step takes, if it is a single one.
func (s *step) only() (uint16, bool) {
	if s.op != opUnit || s.set.negated || len(s.set.ranges) != 1 || s.set.ranges[0][0] != s.set.ranges[0][1] {
		return 0, false
	}
	return s.set.ranges[0][0], true
}

// match reports whether a value matches.
func (g *glob) match(value string) bool {
	matched, _ := g.try(value)
	return matched
}

// try is match that also tells the steps that it took.
func (g *glob) try(value string) (matched bool, steps int64) {
	if value == g.text || value == "" {
		return value != "", 0
	}
	rest, ok := strings.CutPrefix(value, g.prefix)
	if !ok {
		return false, 0
	}
	return run(g.steps, g.after, cursor{rest: rest, old: g.prefix != ""})
}

// size is what matching walks.
func (g *glob) size() int { return len(g.steps) }

// list returns all values that the glob matches, if they are few, and it has no wildcards.
func (g *glob) list() (values []string, ok bool) {
	values = append(values, g.text)
	var walk func(pc int32, before []uint16) bool
	walk = func(pc int32, before []uint16) bool {
		s := &g.steps[pc]
		switch s.op {
		case opAccept:
			values = append(values, string(utf16.Decode(before)))
			return len(values) <= maxListed
		case opSplit:
			return pc != s.next && s.other < pc && s.next < pc && walk(s.next, before) && walk(s.other, before)
		case opUnit:
			u, single := s.only()
			return single && walk(s.next, append(slices.Clip(before), u))
		}
		return false
	}
	if !walk(g.start, nil) {
		return nil, false
	}
	slices.Sort(values)
	return slices.DeleteFunc(slices.Compact(values), func(v string) bool { return v == "" }), true
}
