package access

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A glob's expression becomes a program: a graph of steps that is walked for all ways at once, so that matching takes time
// in proportion to the length of the value times that of the program.

// maxProgram bounds the steps of one glob.
const maxProgram = 2048

type opcode uint8

const (
	opUnit   opcode = iota // takes a unit of the class
	opSplit                // goes on at next and at other
	opAssert               // goes on if the guard holds here
	opAccept
)

// guard is a condition on what comes next.
type guard uint8

const (
	guardNoDot  guard = 1 << iota // not a dot
	guardSome                     // a character
	guardNoDots                   // neither the end of the name nor a dot that is all that is left of it
	guardHidden                   // no dot at the start of a name, here or behind a slash
	guardEnd                      // the end
	guardStart                    // nothing came before
	guardName                     // not the end of the name
)

// step is one step of a program.
type step struct {
	op          opcode
	guard       guard
	set         *class
	next, other int32
}

// compiler turns an expression of globSource into a program, from its end to its start.
type compiler struct {
	source string
	at     int
	steps  []step
}

func (c *compiler) add(s step) int32 {
	c.steps = append(c.steps, s)
	return int32(len(c.steps) - 1) //nolint:gosec // the length of a pattern is bounded
}

// node is a part of an expression: given where to go on, it adds its steps and returns where it starts.
type node func(c *compiler, next int32) int32

func unit(set *class) node {
	return func(c *compiler, next int32) int32 { return c.add(step{op: opUnit, set: set, next: next}) }
}

func assert(g guard) node {
	return func(c *compiler, next int32) int32 { return c.add(step{op: opAssert, guard: g, next: next}) }
}

func literal(r rune) node {
	var all []node
	for _, u := range utf16.Encode([]rune{r}) {
		all = append(all, unit(&class{ranges: [][2]uint16{{u, u}}}))
	}
	return sequence(all)
}

func sequence(all []node) node {
	return func(c *compiler, next int32) int32 {
		for i := len(all) - 1; i >= 0; i-- {
			next = all[i](c, next)
		}
		return next
	}
}

func choice(all []node) node {
	return func(c *compiler, next int32) int32 {
		start := all[len(all)-1](c, next)
		for i := len(all) - 2; i >= 0; i-- {
			start = c.add(step{op: opSplit, next: all[i](c, next), other: start})
		}
		return start
	}
}

func optional(n node) node {
	return func(c *compiler, next int32) int32 { return c.add(step{op: opSplit, next: n(c, next), other: next}) }
}

func repeated(n node) node {
	return func(c *compiler, next int32) int32 {
		loop := c.add(step{op: opSplit, other: next})
		start := n(c, loop)
		c.steps[loop].next = start
		return loop
	}
}

// whole are pieces of expressions that are read as one.
var whole = []struct {
	text string
	node node
}{
	{reGlobstar, repeated(sequence([]node{assert(guardHidden), unit(anyUnit)}))},
	{reStar, repeated(unit(&class{ranges: [][2]uint16{{'/', '/'}}, negated: true}))},
	{reAny, unit(&class{ranges: [][2]uint16{{'/', '/'}}, negated: true})},
	{reAnyNoDot, unit(&class{ranges: [][2]uint16{{'.', '/'}}, negated: true})},
	{reNoDots, assert(guardNoDots)}, {reNoDot, assert(guardNoDot)}, {reOne, assert(guardSome)},
	{"^", assert(guardStart)}, {"$", assert(guardEnd)},
}

// compileSource returns the program of an expression and where it starts.
func compileSource(source string) (steps []step, start int32) {
	c := &compiler{source: source}
	n := c.choices()
	return c.steps, n(c, c.add(step{op: opAccept}))
}

// choices reads alternatives up to the end of a group.
func (c *compiler) choices() node {
	var all []node
	for {
		all = append(all, c.one())
		if !strings.HasPrefix(c.source[c.at:], "|") {
			return choice(all)
		}
		c.at++
	}
}

// one reads one alternative.
func (c *compiler) one() node {
	var all []node
	for c.at < len(c.source) && c.source[c.at] != '|' && c.source[c.at] != ')' {
		n := c.atom()
		if strings.HasPrefix(c.source[c.at:], "?") {
			c.at++
			n = optional(n)
		}
		all = append(all, n)
	}
	return sequence(all)
}

func (c *compiler) atom() node {
	rest := c.source[c.at:]
	for _, w := range whole {
		if strings.HasPrefix(rest, w.text) {
			c.at += len(w.text)
			return w.node
		}
	}
	switch rest[0] {
	case '(': // always (?:
		c.at += len("(?:")
		n := c.choices()
		c.at++
		return n
	case '[':
		end := 1
		for ; rest[end] != ']'; end++ {
			if rest[end] == '\\' {
				end++
			}
		}
		c.at += end + 1
		set, _ := newClass(rest[1:end])
		return unit(set)
	case '\\':
		c.at++
	}
	r, n := utf8.DecodeRuneInString(c.source[c.at:])
	c.at += n
	return literal(r)
}

// cursor reads a value in UTF-16 units.
type cursor struct {
	rest string
	low  uint16 // the second half of a character, or 0
	old  bool   // something was read
}

func (c *cursor) next() (unit uint16, ok bool) {
	c.old = true
	if c.low != 0 {
		unit, c.low = c.low, 0
		return unit, true
	}
	if c.rest == "" {
		return 0, false
	}
	if b := c.rest[0]; b < utf8.RuneSelf {
		c.rest = c.rest[1:]
		return uint16(b), true
	}
	r, n := utf8.DecodeRuneInString(c.rest)
	c.rest = c.rest[n:]
	if r > 0xFFFF {
		high, low := utf16.EncodeRune(r)
		c.low = uint16(low)       //nolint:gosec // a UTF-16 code unit
		return uint16(high), true //nolint:gosec // a UTF-16 code unit
	}
	return uint16(r), true //nolint:gosec // at most 0xFFFF
}

// holds reports whether a guard holds before what is left of a value.
func (g guard) holds(at cursor) bool {
	first := !at.old
	u, ok := at.next()
	switch g {
	case guardStart:
		return first
	case guardEnd:
		return !ok
	case guardNoDot:
		return !ok || u != '.'
	case guardSome:
		return ok
	case guardHidden:
		if first && ok && u == '.' {
			return false
		}
		after, more := at.next()
		return !(ok && u == '/' && more && after == '.')
	}
	if ok && u == '.' { // guardNoDots
		u, ok = at.next()
	}
	return ok && u != '/'
}

// states are the steps that a walk is at, a bit for each.
type states []uint64

// fewWords are enough for nearly all programs; clearing more would take longer than matching a short value.
const fewWords = 4

// run reports whether a program accepts a value, and how many states it was in, over all characters.
func run(steps []step, start int32, at cursor) (accepted bool, visited int64) {
	words := (len(steps) + 63) / 64
	if words <= fewWords {
		var current, next [fewWords]uint64
		return walk(steps, start, at, current[:words], next[:words])
	}
	var current, next [maxProgram / 64]uint64
	return walk(steps, start, at, current[:words], next[:words])
}

// walk is run with the memory that it takes, which is clear.
func walk(steps []step, start int32, at cursor, current, next states) (accepted bool, visited int64) {
	accepted = enter(steps, current, start, &at)
	for {
		u, ok := at.next()
		if !ok {
			return accepted, visited
		}
		accepted = false
		empty := true
		visited += int64(len(current))
		clear(next)
		for w, set := range current {
			for ; set != 0; set &= set - 1 {
				visited++
				s := &steps[w*64+bits.TrailingZeros64(set)]
				if s.op == opUnit && s.set.has(u) {
					empty = false
					accepted = enter(steps, next, s.next, &at) || accepted
				}
			}
		}
		if empty {
			return false, visited
		}
		current, next = next, current
	}
}

// enter adds a step and all that follow without taking a unit, and reports whether the value may end there.
func enter(steps []step, into states, pc int32, at *cursor) (accepted bool) {
	if into[pc/64]&(1<<(pc%64)) != 0 {
		return false // it was told when it was added
	}
	into[pc/64] |= 1 << (pc % 64)
	switch s := &steps[pc]; s.op {
	case opAccept:
		return true
	case opSplit:
		first := enter(steps, into, s.next, at)
		return enter(steps, into, s.other, at) || first
	case opAssert:
		return s.guard.holds(*at) && enter(steps, into, s.next, at)
	}
	return false
}
