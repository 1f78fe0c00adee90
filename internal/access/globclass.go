package access

import (
	"slices"
	"unicode/utf16"
)

// class is a set of characters as JavaScript counts them: UTF-16 units.
type class struct {
	ranges  [][2]uint16
	negated bool
}

// anyUnit is every unit. In JavaScript the dot of a regular expression leaves out the ends of lines, which no name has.
var anyUnit = &class{negated: true}

func (c *class) has(unit uint16) bool {
	for _, r := range c.ranges {
		if r[0] <= unit && unit <= r[1] {
			return !c.negated
		}
	}
	return c.negated
}

// newClass reads what is between the brackets of a class. It is not ok for a range that is out of order, or that holds a
// slash.
func newClass(inside string) (c *class, ok bool) {
	c = &class{}
	units := utf16.Encode([]rune(inside))
	if len(units) > 0 && units[0] == '^' {
		c.negated, units = true, units[1:]
	}
	for i := 0; i < len(units); i++ {
		escaped := units[i] == '\\' && i+1 < len(units)
		if escaped {
			i++
		}
		low, high := units[i], units[i]
		if i+2 < len(units) && units[i+1] == '-' {
			i += 2
			if high = units[i]; high == '\\' && i+1 < len(units) {
				i++
				high = units[i]
			}
		}
		c.ranges = append(c.ranges, [2]uint16{low, high})
	}
	broken := func(r [2]uint16) bool { return r[0] > r[1] || r[0] < '/' && '/' < r[1] }
	return c, len(c.ranges) > 0 && !slices.ContainsFunc(c.ranges, broken)
}
