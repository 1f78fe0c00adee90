package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// What rules may be at most, so that checking them takes bounded time and memory.
const (
	// MaxRoleRules is how many rules one role or privilege should hold; whoever stores them checks it.
	MaxRoleRules = 500

	maxRules    = 5000    // in one ability, over all roles of an actor
	maxPatterns = 1 << 16 // bytes of all patterns in one ability
	maxActions  = 50      // in one rule
	maxValues   = 200     // in one $in
	maxText     = 1024    // bytes of one value in a condition
)

// Compile makes an Ability of the rules of an organization. A rule that does not follow the vocabulary of
// docs/reference/identity.md section 7.1 is a fault.Validation that names its place in the list "permissions".
// Templates are taken as text (see Expand), but an allow rule that still holds one matches nothing.
func Compile(rules []Rule) (*Ability, error) { return organization.compile(rules) }

func (v *vocabulary) compile(rules []Rule) (*Ability, error) {
	if len(rules) > maxRules {
		return nil, fault.Invalid("too_big", fmt.Sprintf("There are %d rules, and at most %d are allowed. Remove some.", len(rules), maxRules), "permissions")
	}
	size, err := weigh(rules)
	if err != nil {
		return nil, err
	}
	a := &Ability{scope: v, rules: slices.Clone(rules), index: make(map[permission]*entry)}
	patterns := 0
	for i := range a.rules {
		c, err := a.add(&a.rules[i])
		if err != nil {
			return nil, under(err, "permissions", strconv.Itoa(i))
		}
		if patterns += c.size(); patterns > maxPatterns {
			return nil, fault.Invalid("too_big", "These rules have too many $glob patterns, or patterns that are too long. Use fewer wildcards.", "permissions")
		}
	}
	a.bytes = ruleCost*size + patternCost*patterns
	a.arrange()
	return a, nil
}

// arrange puts denials behind everything that they deny, and what stands for several actions where each of them is asked.
func (a *Ability) arrange() {
	for _, e := range a.index {
		slices.SortStableFunc(e.rules, denialsLast)
	}
	for p, e := range a.index {
		for _, action := range a.scope.bySubject[p.subject].means[p.action] {
			a.at(permission{p.subject, action}).broad = e.rules
		}
	}
	for _, e := range a.index {
		e.some = allowsSome(e.rules) || allowsSome(e.broad)
		e.all = holdsAll(e.rules) || holdsAll(e.broad)
	}
}

// at returns the entry of a permission, a new one where there is none.
func (a *Ability) at(p permission) *entry {
	e := a.index[p]
	if e == nil {
		e = &entry{}
		a.index[p] = e
	}
	return e
}

// add compiles one rule and files it under each of its actions.
func (a *Ability) add(rule *Rule) (*compiled, error) {
	w, known := a.scope.bySubject[rule.Subject]
	if !known && a.scope.open != nil && a.scope.open(rule.Subject) {
		return &compiled{}, checkOpen(rule)
	}
	if !known {
		return nil, fault.Invalid("invalid_enum_value", fmt.Sprintf("%.64q is not a subject of this scope. Subjects are %s.", rule.Subject, a.scope.subjects()), "subject")
	}
	if err := w.check(rule.Actions); err != nil {
		return nil, err
	}
	raw := rule.Conditions
	if rule.Inverted { // one that was stored untidy denies what it means; an allow rule stays without effect
		raw = raw.tidy()
	}
	conditions, err := w.conditions(raw)
	if err != nil {
		return nil, err
	}
	c := &compiled{rule: rule, inverted: rule.Inverted, conditions: conditions}
	c.never = !rule.Inverted && slices.ContainsFunc(conditions, condition.isTemplated)
	for _, action := range w.files(rule) {
		e := a.at(permission{rule.Subject, action})
		e.rules = append(e.rules, c)
	}
	return c, nil
}

// check refuses actions that the subject does not have, and those that say the same twice.
func (w *words) check(named []Action) error {
	if err := checkCount(named); err != nil {
		return err
	}
	for _, action := range named {
		if !slices.Contains(w.actions, action) {
			return fault.Invalid("invalid_enum_value", fmt.Sprintf("%.64q is not an action on %q. Actions are %s.", action, w.subject, join(w.actions)), "action")
		}
		meant := w.means[action]
		if slices.ContainsFunc(named, func(other Action) bool { return slices.Contains(meant, other) }) {
			return fault.New(fault.BadRequest, "The action %q on %q already includes %s. Name one or the other, not both.", action, w.subject, join(meant))
		}
	}
	return nil
}

// files returns the actions under which a rule is filed, each once. A denial also denies what would let the same be done
// under a broader name.
func (w *words) files(rule *Rule) []Action {
	if !rule.Inverted {
		return unique(rule.Actions)
	}
	var found []Action
	for _, action := range rule.Actions {
		found = append(append(append(found, action), w.means[action]...), w.widens[action]...)
	}
	return unique(found)
}

// Undo returns, for each denial among rules of a project or of an organization, a rule that allows all that it keeps from
// being done: what comes to be allowed at most once the denial is gone.
func Undo(rules []Rule) (undone []Rule) {
	for _, r := range rules {
		if !r.Inverted {
			continue
		}
		if w := project.bySubject[r.Subject]; w != nil {
			r.Actions = w.expand(w.files(&r))
		}
		r.Inverted = false
		undone = append(undone, r)
	}
	return undone
}

func unique(actions []Action) []Action {
	var found []Action
	for _, action := range actions {
		if !slices.Contains(found, action) {
			found = append(found, action)
		}
	}
	return found
}

func checkCount(named []Action) error {
	if len(named) == 0 || len(named) > maxActions {
		return fault.Invalid("custom", fmt.Sprintf("A rule has 1 to %d actions, and this one has %d.", maxActions, len(named)), "action")
	}
	return nil
}

// expand puts in the place of each action what it stands for, each once.
func (w *words) expand(named []Action) []Action {
	var found []Action
	for _, action := range named {
		meant := w.means[action]
		if meant == nil {
			meant = []Action{action}
		}
		found = append(found, meant...)
	}
	return unique(found)
}

// conditions compiles the conditions of a rule, the cheap ones first.
func (w *words) conditions(raw Conditions) ([]condition, error) {
	var compiled []condition
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		k, known := keyNamed(name)
		if !known || w.keys[k] == 0 {
			return nil, fault.Invalid("unrecognized_keys", fmt.Sprintf("Rules on %q have no condition %.64q. Conditions are %s.", w.subject, name, w.keyList()), "conditions")
		}
		found, err := parseOperators(raw[name], w.keys[k], k)
		if err != nil {
			return nil, under(err, "conditions", name)
		}
		compiled = append(compiled, found...)
	}
	slices.SortStableFunc(compiled, func(a, b condition) int { return cmp.Compare(a.op, b.op) })
	return compiled, nil
}

// under puts names before the path of a validation fault.
func under(err error, path ...string) error {
	f := fault.From(err)
	for i := range f.Issues {
		f.Issues[i].Path = append(slices.Clone(path), f.Issues[i].Path...)
	}
	return f
}

func (v *vocabulary) subjects() string {
	names := make([]Subject, len(v.words))
	for i, w := range v.words {
		names[i] = w.subject
	}
	return join(names)
}

func (w *words) keyList() string {
	var names []string
	for k := range keyCount {
		if w.keys[k] != 0 {
			names = append(names, keyNames[k])
		}
	}
	if names == nil {
		return "none"
	}
	return join(names)
}

// join writes names for a message.
func join[S ~string](names []S) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(string(n))
	}
	return strings.Join(quoted, ", ")
}
