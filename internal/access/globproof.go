package access

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// What is proved of globs is decided by walking two programs at once over all values. A guard looks ahead; a place
// remembers what it demands of the units to come instead.

// place is where a walk is: at a step that takes a unit or accepts, and what must hold of what comes next.
type place struct {
	pc      int32
	demands guard
}

// maxPlaces bounds how many pairs of places one proof visits.
const maxPlaces = 4096

// places appends all places that a step leads to without taking a unit. first is true where nothing was taken yet.
func (g *glob) places(into []place, pc int32, demands guard, first bool) []place {
	switch s := &g.steps[pc]; s.op {
	case opSplit:
		return g.places(g.places(into, s.next, demands, first), s.other, demands, first)
	case opAssert:
		switch {
		case s.guard != guardStart:
			demands |= s.guard
		case !first:
			return into
		}
		if first && s.guard == guardHidden {
			demands |= guardNoDot
		}
		return g.places(into, s.next, demands, first)
	}
	if at := (place{pc, demands}); !slices.Contains(into, at) {
		into = append(into, at)
	}
	return into
}

// accepts reports whether a value may end at the place.
func (g *glob) accepts(at place) bool {
	return g.steps[at.pc].op == opAccept && at.demands&(guardSome|guardNoDots|guardName) == 0
}

// takes returns the demands that are left when a unit is taken at the place, or not ok.
func (g *glob) takes(at place, unit uint16) (left guard, ok bool) {
	s := &g.steps[at.pc]
	if s.op != opUnit || !s.set.has(unit) {
		return 0, false
	}
	d := at.demands
	if d&guardEnd != 0 || d&guardNoDot != 0 && unit == '.' || d&(guardNoDots|guardName) != 0 && unit == '/' {
		return 0, false
	}
	if d&guardNoDots != 0 && unit == '.' {
		left |= guardName
	}
	if d&guardHidden != 0 && unit == '/' {
		left |= guardNoDot
	}
	return left, true
}

// step returns the places behind a unit.
func (g *glob) step(from []place, unit uint16) (to []place) {
	for _, at := range from {
		if left, ok := g.takes(at, unit); ok {
			to = g.places(to, g.steps[at.pc].next, left, false)
		}
	}
	slices.SortFunc(to, func(a, b place) int { return cmp.Or(cmp.Compare(a.pc, b.pc), cmp.Compare(a.demands, b.demands)) })
	return to
}

// units returns one unit of each sort that two globs tell apart.
func units(a, b *glob) []uint16 {
	found := []uint16{0, '.', '.' + 1, '/', '/' + 1}
	sets := []*class{{ranges: [][2]uint16{{'.', '.'}}}, {ranges: [][2]uint16{{'/', '/'}}}}
	for _, steps := range [][]step{a.steps, b.steps} {
		for _, s := range steps {
			if s.op == opUnit {
				sets = append(sets, s.set)
				for _, r := range s.set.ranges {
					found = append(found, r[0], r[1]+1)
				}
			}
		}
	}
	slices.Sort(found)
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Compact(found), func(u uint16) bool {
		in := make([]byte, len(sets))
		for i, set := range sets {
			if set.has(u) {
				in[i] = 1
			}
		}
		again := seen[string(in)]
		seen[string(in)] = true
		return again
	})
}

// pair is what two walks over the same value have come to.
type pair struct{ a, b []place }

func (p pair) key() string {
	var key []byte
	for _, side := range [][]place{p.a, p.b} {
		for _, at := range side {
			key = append(binary.AppendUvarint(key, uint64(at.pc)), byte(at.demands)) //nolint:gosec // an index
		}
		key = append(key, 0xFF, 0xFF)
	}
	return string(key)
}

// within proves that b matches all that a matches.
func (p *proof) within(a, b *glob) bool {
	if a.text == b.text {
		return true
	}
	if !meet(a, b) || !b.match(a.text) {
		return false
	}
	return p.remember("within", a, b, func(at pair) bool {
		return !slices.ContainsFunc(at.a, a.accepts) || slices.ContainsFunc(at.b, b.accepts)
	})
}

// apart proves that nothing is matched by both.
func (p *proof) apart(a, b *glob) bool {
	if a.match(b.text) || b.match(a.text) {
		return false
	}
	return !meet(a, b) || p.remember("apart", a, b, func(at pair) bool {
		return !slices.ContainsFunc(at.a, a.accepts) || !slices.ContainsFunc(at.b, b.accepts)
	})
}

// meet reports whether something may start as matches of both do.
func meet(a, b *glob) bool {
	return strings.HasPrefix(a.prefix, b.prefix) || strings.HasPrefix(b.prefix, a.prefix)
}

// question is what was asked of two globs.
type question struct{ what, a, b string }

// remember is walk, once for each question.
func (p *proof) remember(what string, a, b *glob, holds func(pair) bool) bool {
	q := question{what, a.text, b.text}
	proved, known := p.known[q]
	if !known {
		if p.known == nil {
			p.known = map[question]bool{}
		}
		proved = p.walk(a, b, holds)
		p.known[q] = proved
	}
	return proved
}

// walk follows all values through two globs, as long as the first may still match, and proves that holds is true behind
// each but the empty one, which no glob matches.
func (p *proof) walk(a, b *glob, holds func(pair) bool) bool {
	alphabet := units(a, b)
	start := pair{a.places(nil, a.start, 0, true), b.places(nil, b.start, 0, true)}
	seen, open := map[string]bool{}, []pair{start}
	for len(open) > 0 {
		from := open[len(open)-1]
		open = open[:len(open)-1]
		for _, u := range alphabet {
			if !p.spend(1 + 4*(len(from.a)+len(from.b))) {
				return false
			}
			to := pair{a.step(from.a, u), b.step(from.b, u)}
			key := to.key()
			if len(to.a) == 0 || seen[key] {
				continue
			}
			if !holds(to) || len(seen) == maxPlaces {
				return false
			}
			seen[key] = true
			open = append(open, to)
		}
	}
	return true
}
