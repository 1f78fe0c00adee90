package access

import (
	"fmt"

	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/fault"
)

const (
	// maxBytes is how many bytes of memory the rules of one ability take at most, over all roles and privileges of an actor. One role or
	// privilege may have MaxRoleBytes as text, which is up to a tenth of this.
	maxBytes = 32 << 20

	ruleCost    = 3   // times of its bytes that a rule takes, as it is and compiled
	patternCost = 32  // bytes that a byte of a pattern takes, compiled
	entryCost   = 200 // bytes that a permission takes in the index
)

// weigh returns the bytes of rules, and an error where they are too many for an ability.
func weigh(rules []Rule) (int, error) {
	size := bounded.Size(rules)
	if size > maxBytes {
		return 0, fault.Invalid("too_big", fmt.Sprintf("These rules take %d bytes of memory together; at most %d are allowed over all roles and privileges.", size, maxBytes), "permissions")
	}
	return size, nil
}

// Bytes is about how many bytes of memory the ability takes.
func (a *Ability) Bytes() int {
	if a == nil {
		return 0
	}
	return a.bytes + entryCost*len(a.index)
}

// Bytes is about how many bytes of memory the rights take.
func (r Rights) Bytes() int {
	sum := r.Ability.Bytes()
	if r.Holding.scope != nil {
		sum += bounded.Size(r.Holding.grants) + bounded.Size(r.Holding.denied) + bounded.Size(r.Reach.rules)
	}
	return sum
}
