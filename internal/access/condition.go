package access

import "slices"

// operator is one way to compare. The operators that a condition may use are a set of these bits. They stand in the
// order in which they are tried: the cheap ones first.
type operator uint8

const (
	opEqual operator = 1 << iota
	opIn
	opUnequal
	opGlob
	opElement

	plain    = opEqual | opUnequal | opIn
	withGlob = plain | opGlob
)

// operators are the names of the operators (docs/reference/secrets.md section 4.2).
var operators = map[string]operator{
	"$eq": opEqual, "$in": opIn, "$ne": opUnequal, "$glob": opGlob, "$elemMatch": opElement,
}

// condition is one operator on one attribute.
type condition struct {
	key       key
	op        operator
	templated bool     // holds a template that nobody filled in
	values    []string // of opEqual and opUnequal one, of opIn some, sorted
	glob      *glob    // of opGlob

	name, value []condition // of opElement: what the key and the value of one pair must meet
}

// holds reports whether an attribute meets the condition. One that the thing does not have (nil) is unequal to
// everything and meets nothing else. A list meets it if one of its elements does. The budget pays for it.
func (c *condition) holds(f *Field, b *Budget) bool {
	switch {
	case f == nil:
		return c.op == opUnequal
	case c.op == opElement:
		return c.holdsPair(f.pairs, b)
	case f.key.isList():
		return c.matchesOne(f.list, b)
	}
	return c.matches(f.text, b)
}

// matchesOne is a plain loop because a function value would move the fields of every check to the heap.
func (c *condition) matchesOne(values []string, b *Budget) bool {
	for _, v := range values {
		if c.matches(v, b) {
			return true
		}
	}
	return false
}

func (c *condition) holdsPair(pairs []Pair, b *Budget) bool {
	for _, p := range pairs {
		if all(c.name, p.Key, b) && all(c.value, p.Value, b) {
			return true
		}
	}
	return false
}

// all reports whether a value meets all conditions.
func all(conditions []condition, value string, b *Budget) bool {
	for i := range conditions {
		if !conditions[i].matches(value, b) {
			return false
		}
	}
	return true
}

// matches reports whether one value meets the condition.
func (c *condition) matches(value string, b *Budget) bool {
	if !b.spend(1) {
		return false
	}
	switch c.op {
	case opEqual:
		return value == c.values[0]
	case opUnequal:
		return value != c.values[0]
	case opIn:
		return contains(c.values, value)
	case opGlob:
		matched, steps := c.glob.try(value)
		return b.spend(steps) && matched
	}
	return false
}

// contains reports whether a sorted list holds a value. Comparing a few strings is faster than searching them.
func contains(values []string, value string) bool {
	if len(values) > 8 {
		_, found := slices.BinarySearch(values, value)
		return found
	}
	for _, v := range values {
		if v == value {
			return true
		}
	}
	return false
}

// size is the length of all patterns that matching a value walks.
func (c *condition) size() int {
	if c.glob == nil {
		return 0
	}
	return c.glob.size()
}

func (k key) isList() bool { return k == keySecretTags }
