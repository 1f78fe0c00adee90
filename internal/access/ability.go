package access

import "slices"

// Ability is a compiled list of rules: what one actor may do in one scope. It does not change once made, and many
// goroutines may use it. A nil Ability allows nothing.
type Ability struct {
	scope *vocabulary
	rules []Rule
	index map[permission][]*compiled // by what is asked, in the order of the rules
}

// permission is one action on one subject.
type permission struct {
	subject Subject
	action  Action
}

// compiled is a rule made ready for matching.
type compiled struct {
	rule       *Rule
	inverted   bool
	never      bool // an allow rule that holds a template nobody filled in: it matches nothing
	conditions []condition
}

// Allows reports whether an action on a subject is allowed. The last rule that names both and whose conditions the
// fields meet decides; if none does, it is refused. Without fields, an allow rule with conditions counts as met and
// a deny rule with conditions as not met (secrets.md 4.1). A field over 2048 bytes is refused.
func (a *Ability) Allows(action Action, subject Subject, f Fields) bool {
	if a == nil {
		return false
	}
	rules := a.index[permission{subject, action}]
	if len(f) == 0 {
		return allowsSome(rules)
	}
	at, ok := f.place()
	if !ok {
		return false
	}
	for i := len(rules) - 1; i >= 0; i-- {
		if rules[i].matches(&at) {
			return !rules[i].inverted
		}
	}
	return false
}

// allowsSome answers a check without fields.
func allowsSome(rules []*compiled) bool {
	for i := len(rules) - 1; i >= 0; i-- {
		if r := rules[i]; !r.never && (!r.inverted || len(r.conditions) == 0) {
			return !r.inverted
		}
	}
	return false
}

func (r *compiled) matches(at *attributes) bool {
	if r.never {
		return false
	}
	for i := range r.conditions {
		if c := &r.conditions[i]; !c.holds(at[c.key]) {
			return false
		}
	}
	return true
}

// size is the length of all patterns that matching walks.
func (r *compiled) size() int {
	total := 0
	for i := range r.conditions {
		total += r.conditions[i].size()
	}
	return total
}

// Rules returns the rules in their order.
func (a *Ability) Rules() []Rule {
	if a == nil {
		return []Rule{}
	}
	return append([]Rule{}, a.rules...)
}

// RulesFor returns the rules that name an action and a subject, in their order.
func (a *Ability) RulesFor(action Action, subject Subject) []Rule {
	found := []Rule{}
	if a == nil {
		return found
	}
	for _, r := range a.index[permission{subject, action}] {
		found = append(found, *r.rule)
	}
	return slices.Clip(found)
}
