package access

import (
	"math"
	"slices"
)

// proof decides what follows from conditions. Every answer of true is certain; false means "not proved". Its work is
// bounded: with the budget used up, nothing more is proved.
type proof struct {
	budget int
	free   Budget            // for matching, which tries pays for
	known  map[question]bool // what was found out about globs
}

// newProof returns a proof that may take so many steps.
func newProof(steps int) *proof {
	return &proof{budget: steps, free: Budget{left: math.MaxInt64, look: math.MinInt64}}
}

// maxProof bounds the work of one boundary check, in steps of some ten nanoseconds.
const maxProof = 5_000_000

// spend takes steps from the budget and reports whether there were enough.
func (p *proof) spend(steps int) bool {
	p.budget -= steps
	return p.budget >= 0
}

// tries takes from the budget what it takes to match a value against conditions.
func (p *proof) tries(value string, conditions ...condition) bool {
	steps := 1
	for _, c := range conditions {
		steps += 1 + c.size()*len(value)/8
	}
	return p.spend(steps)
}

// implies proves that whatever meets all of have meets all of want.
func (p *proof) implies(have, want []condition) bool {
	for i := range want {
		if !p.impliesOne(on(have, want[i].key), &want[i]) {
			return false
		}
	}
	return true
}

// on returns the conditions on one attribute.
func on(conditions []condition, k key) []condition {
	var found []condition
	for _, c := range conditions {
		if c.key == k {
			found = append(found, c)
		}
	}
	return found
}

// impliesOne proves that an attribute that meets all of have, which are all on that attribute, meets want.
func (p *proof) impliesOne(have []condition, want *condition) bool {
	if !p.spend(1) {
		return false
	}
	switch {
	case want.op == opElement:
		return slices.ContainsFunc(have, func(c condition) bool {
			return p.impliesAll(c.name, want.name) && p.impliesAll(c.value, want.value)
		})
	case want.key.isList():
		return slices.ContainsFunc(have, func(c condition) bool { return subset(c.values, want.values) })
	}
	return p.impliesValue(have, want)
}

// impliesAll is implies for the parts of a pair.
func (p *proof) impliesAll(have, want []condition) bool {
	for i := range want {
		if !p.impliesValue(have, &want[i]) {
			return false
		}
	}
	return true
}

// impliesValue is impliesOne for an attribute with one value.
func (p *proof) impliesValue(have []condition, want *condition) bool {
	if values, finite := finite(have); finite {
		return !slices.ContainsFunc(values, func(v string) bool {
			return !p.tries(v, have...) || all(have, v, &p.free) && !(p.tries(v, *want) && want.matches(v, &p.free))
		})
	}
	return slices.ContainsFunc(have, func(c condition) bool {
		switch {
		case !p.spend(1):
			return false
		case want.op == opUnequal && c.op == opUnequal:
			return c.values[0] == want.values[0]
		case want.op == opUnequal && c.op == opGlob:
			return p.tries(want.values[0], c) && !c.matches(want.values[0], &p.free)
		case want.op == opGlob && c.op == opGlob:
			return p.within(c.glob, want.glob)
		}
		return false
	})
}

// finite returns a list that holds every value which meets all the conditions, if one of them gives such a list.
func finite(conditions []condition) ([]string, bool) {
	for _, c := range conditions {
		if c.op == opEqual || c.op == opIn {
			return c.values, true
		}
	}
	return nil, false
}

// contradictory proves that nothing meets all the conditions.
func (p *proof) contradictory(conditions []condition) bool {
	for k := range keyCount {
		found := on(conditions, k)
		if len(found) > 1 && k != keyMetadata && !k.isList() && p.noValue(found) {
			return true
		}
	}
	return false
}

// noValue proves that no value meets all the conditions.
func (p *proof) noValue(conditions []condition) bool {
	if values, finite := finite(conditions); finite {
		return !slices.ContainsFunc(values, func(v string) bool { return !p.tries(v, conditions...) || all(conditions, v, &p.free) })
	}
	for i, a := range conditions {
		for _, b := range conditions[i+1:] {
			if a.op == opGlob && b.op == opGlob && p.apart(a.glob, b.glob) {
				return true
			}
		}
	}
	return false
}

// subset reports whether every element of a is in b; both are sorted.
func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(v string) bool { return !contains(b, v) })
}
