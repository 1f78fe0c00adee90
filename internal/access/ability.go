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
	some  bool        // what a check without fields answers
	all   bool        // it allows everything, whatever the fields are
}

// compiled is a rule made ready for matching.
type compiled struct {
	rule       *Rule
	inverted   bool
	never      bool // an allow rule that holds a template nobody filled in: it matches nothing
	conditions []condition
}

// AllowsSome answers a check without fields: an allow rule with conditions counts as met and a denial with conditions as not
// met (docs/reference/secrets.md section 4.1).
func (a *Ability) AllowsSome(action Action, subject Subject) bool {
	return a != nil && a.index[permission{subject, action}].allowsSome()
}

// decide reports whether an action on a subject is allowed: an allow rule that names both matches the fields, and no denial
// does, whatever the order of the rules. Without fields it is AllowsSome. A field over 2048 bytes is refused. With an error
// nothing was decided.
func (a *Ability) decide(action Action, subject Subject, f Fields, b *Budget) (bool, error) {
	if len(f) == 0 || a == nil {
		return a.AllowsSome(action, subject), nil
	}
	e := a.index[permission{subject, action}]
	if e == nil {
		return false, nil
	}
	at, ok := f.place()
	if !ok || e.all {
		return ok, nil
	}
	var own Budget
	return e.decide(&at, b.orOwn(&own))
}

func (e *entry) decide(at *attributes, b *Budget) (bool, error) {
	b.spend(checkSteps)
	e, placed := b.local(e, at)
	allowed := b.allows(e.rules, at, placed) || b.allows(e.broad, at, placed)
	return allowed, b.fail()
}

// allows lets the last rule that matches decide. Denials are the last.
func (b *Budget) allows(rules []*compiled, at *attributes, placed bool) bool {
	for i := len(rules) - 1; i >= 0 && b.spend(1); i-- {
		if rules[i].matches(at, placed, b) {
			return !rules[i].inverted
		}
	}
	return false
}

// allowsSome answers a check without fields.
func (e *entry) allowsSome() bool { return e != nil && e.some }

func allowsSome(rules []*compiled) bool {
	for i := len(rules) - 1; i >= 0; i-- {
		if r := rules[i]; !r.never && (!r.inverted || len(r.conditions) == 0) {
			return !r.inverted
		}
	}
	return false
}

// matches reports whether all conditions are met, those on the place aside where it is known that they are.
func (r *compiled) matches(at *attributes, placed bool, b *Budget) bool {
	if r.never {
		return false
	}
	for i := range r.conditions {
		c := &r.conditions[i]
		if placed && c.key.isPlace() {
			continue
		}
		if !c.holds(at[c.key], b) {
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
	narrow := make(map[*compiled]bool, len(all))
	for _, r := range all {
		narrow[r] = true
	}
	for _, r := range e.broad {
		if !narrow[r] {
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
