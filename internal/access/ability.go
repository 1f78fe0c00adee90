package access

import "slices"

// Ability is a compiled list of rules: what one actor may do in one scope. It does not change once made, and many
// goroutines may use it. A nil Ability allows nothing.
type Ability struct {
	scope *vocabulary
	rules []Rule
	index map[permission]*entry // by what is asked
	bytes int                   // of the rules, as they are and compiled
}

// permission is one action on one subject.
type permission struct {
	subject Subject
	action  Action
}

// entry is what decides about one permission: two lists, each with its denials last. One of them that allows is enough.
type entry struct {
	rules []*compiled
	broad []*compiled // about the action that stands for this one among others, such as read of secrets
}

// compiled is a rule made ready for matching.
type compiled struct {
	rule       *Rule
	inverted   bool
	never      bool // an allow rule that holds a template nobody filled in: it matches nothing
	conditions []condition
}

// Allows reports whether an action on a subject is allowed: an allow rule that names both matches the fields, and no
// denial does, whatever the order of the rules. Without fields, an allow rule with conditions counts as met and a
// denial with conditions as not met (docs/reference/secrets.md section 4.1). A field over 2048 bytes is refused.
func (a *Ability) Allows(action Action, subject Subject, f Fields) bool {
	if a == nil {
		return false
	}
	e := a.index[permission{subject, action}]
	if e == nil {
		return false
	}
	if len(f) == 0 {
		return e.allowsSome()
	}
	at, ok := f.place()
	return ok && (allows(e.rules, &at) || allows(e.broad, &at))
}

// allows lets the last rule that matches decide. Denials are the last.
func allows(rules []*compiled, at *attributes) bool {
	for i := len(rules) - 1; i >= 0; i-- {
		if rules[i].matches(at) {
			return !rules[i].inverted
		}
	}
	return false
}

// allowsSome answers a check without fields.
func (e *entry) allowsSome() bool { return e != nil && (allowsSome(e.rules) || allowsSome(e.broad)) }

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

// RulesFor returns the rules that decide about an action on a subject, the denials last.
func (a *Ability) RulesFor(action Action, subject Subject) []Rule {
	found := []Rule{}
	if a == nil || a.index[permission{subject, action}] == nil {
		return found
	}
	e := a.index[permission{subject, action}]
	all := slices.Clone(e.rules)
	for _, r := range e.broad {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, denialsLast)
	for _, r := range all {
		found = append(found, *r.rule)
	}
	return slices.Clip(found)
}

// denialsLast is the order in which rules are kept.
func denialsLast(a, b *compiled) int {
	switch {
	case a.inverted == b.inverted:
		return 0
	case a.inverted:
		return 1
	}
	return -1
}
