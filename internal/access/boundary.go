package access

import (
	"slices"
	"sort"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// MissingPermission is something that a target may do and the actor may not.
type MissingPermission struct {
	Action     Action     `json:"action"`
	Subject    Subject    `json:"subject"`
	Conditions Conditions `json:"conditions,omitempty"`
}

// BoundaryDetails are the details of a boundary fault.
type BoundaryDetails struct {
	MissingPermissions []MissingPermission `json:"missingPermissions"`
}

// maxMissing is how many missing permissions a boundary fault lists at most.
const maxMissing = 100

// Covers returns nil if the actor may hand out everything that the target may come to do, under every circumstance and at
// every time: see Holding and Reach. Otherwise the error is a fault.Boundary whose message starts with base and whose
// details are BoundaryDetails.
//
// It is sound and not complete: where it cannot prove that what the target's conditions let through the actor's let
// through too, it refuses. A template in the target's rules may come to stand for anything, so an allow rule counts
// as if it had no condition there, and a deny rule with one does not count. A target of another scope than the
// actor's rights is covered only if it may do nothing.
func (a *Actor) Covers(target Reach, base string) error {
	_, err := a.CoversUntil(target, base)
	return err
}

// CoversUntil is Covers for what can be handed out for a time: it also returns until when, in milliseconds UTC, the actor
// holds all of it, or 0 for good. What is handed out must end then.
func (a *Actor) CoversUntil(target Reach, base string) (until int64, err error) {
	var own Budget
	h, b := a.holding(&own)
	wanted, err := target.ability(b)
	if err != nil {
		return 0, fault.New(fault.Boundary, "%s. The target has too many rules to compare with yours. Remove roles that it does not need.", base)
	}
	if err := refuseUncovered(h.first(len(h.grants), b), wanted, base, b); err != nil {
		return 0, err
	}
	covers := func(n int) bool { return len(uncovered(h.first(n, b), wanted, b)) == 0 }
	lasting := slices.IndexFunc(h.grants, func(g Grant) bool { return g.Temporary })
	if lasting < 0 || covers(lasting) {
		return 0, b.fail()
	}
	// The fewest of the temporary grants that do; they are in the order of their ends, the latest first.
	n := lasting + 1 + sort.Search(len(h.grants)-lasting-1, func(i int) bool { return covers(lasting + 1 + i) })
	return h.grants[n-1].End, b.fail()
}

// holding returns what the actor can hand out, and what pays for finding out.
func (a *Actor) holding(own *Budget) (Holding, *Budget) {
	if a == nil {
		return Holding{}, (*Budget)(nil).orOwn(own)
	}
	return a.Holding, a.Budget.orOwn(own)
}

// CoversForever is Covers for what cannot end by itself: only rights of the actor that never end count.
func (a *Actor) CoversForever(target Reach, base string) error {
	until, err := a.CoversUntil(target, base)
	if err == nil && until != 0 {
		err = fault.New(fault.Boundary, "%s. It would last longer than your own temporary roles, which allow it only until %s. Ask a member who holds these permissions permanently.",
			base, time.UnixMilli(until).UTC().Format(time.RFC3339))
	}
	return err
}

// CoversNow returns nil if the actor may do now everything that the target may do now. Otherwise the error is that of
// Covers. It is for acts that only take away: whoever hands something out, or comes to act as the target, asks Covers.
func (a *Actor) CoversNow(target *Ability, base string) error {
	var fresh Budget
	_, b := a.holding(&fresh)
	var own *Ability
	if a != nil {
		own = a.Ability
	}
	return refuseUncovered(own, target, base, b)
}

func refuseUncovered(own, target *Ability, base string, b *Budget) error {
	missing := uncovered(own, target, b)
	if err := b.fail(); err != nil || len(missing) == 0 {
		return err
	}
	return fault.New(fault.Boundary,
		"%s. You can only grant or take over what your own roles include. They do not certainly include %q on %q, the first of %d such permissions. Ask for these permissions, or leave them out.",
		base, missing[0].Action, missing[0].Subject, len(missing)).With(BoundaryDetails{MissingPermissions: missing})
}

// uncovered lists what target may do and own may not, at most maxMissing of them, in the order of the target's rules. It counts
// for nothing once the budget fails.
func uncovered(own, target *Ability, b *Budget) []MissingPermission {
	if target == nil || b.fail() != nil {
		return nil
	}
	if own == nil || own.scope != target.scope {
		own = &Ability{}
	}
	steps := int(min(maxProof, b.left))
	p := newProof(steps)
	defer func() { b.spend(int64(steps-p.budget) * proofSteps) }()
	return p.missing(own, target)
}

// missing is uncovered, as far as the steps go.
func (p *proof) missing(own, target *Ability) (missing []MissingPermission) {
	for _, asked := range target.permissions() {
		for _, r := range p.gapsIn(own.index[asked], target.index[asked]) {
			missing = append(missing, MissingPermission{Action: asked.action, Subject: asked.subject, Conditions: r.rule.Conditions})
			if len(missing) == maxMissing {
				return missing
			}
		}
	}
	return missing
}

// permissions returns all that the rules name, each once, in their order.
func (a *Ability) permissions() []permission {
	seen := make(map[permission]bool, len(a.index))
	var found []permission
	for _, r := range a.rules {
		w, known := a.scope.bySubject[r.Subject]
		if !known {
			continue // a subject of another product: its rules have no effect
		}
		for _, action := range w.expand(r.Actions) {
			asked := permission{r.Subject, action}
			if !seen[asked] {
				seen[asked] = true
				found = append(found, asked)
			}
		}
	}
	return found
}

// gapsIn returns the allow rules of the target, for one permission, that the actor's rules are not proved to cover.
func (p *proof) gapsIn(own, target *entry) []*compiled {
	if own == nil {
		own = &entry{}
	}
	if own.all {
		return nil
	}
	gaps := p.gaps(own, target.rules)
	for _, r := range p.gaps(own, target.broad) {
		if !slices.Contains(gaps, r) {
			gaps = append(gaps, r)
		}
	}
	return gaps
}

// gaps is gapsIn for one list of the target.
//
// What the target may do is the union, over its allow rules, of what the rule matches less what later deny rules
// match; so each allow rule is looked at alone.
func (p *proof) gaps(own *entry, target []*compiled) []*compiled {
	var gaps, denied []*compiled
	for _, r := range slices.Backward(target) {
		switch {
		case !r.inverted:
			if !p.covered(piece{certain(r.conditions), denied}, own) {
				gaps = append(gaps, r)
			}
		case !slices.ContainsFunc(r.conditions, condition.isTemplated):
			denied = append(denied, r)
		}
	}
	slices.Reverse(gaps)
	// A check without fields is a case of its own: conditions do not count in it.
	if r := allowsSomeDay(target); len(gaps) == 0 && r != nil && !own.allowsSome() {
		gaps = append(gaps, r)
	}
	return gaps
}

// holdsAll reports that the rules allow one permission under all circumstances. It is asked first, since proving takes steps
// for each rule of the target: one with very many rules could use up the budget and be covered by nobody.
func holdsAll(own []*compiled) bool {
	return !slices.ContainsFunc(own, func(r *compiled) bool { return r.inverted }) &&
		slices.ContainsFunc(own, func(r *compiled) bool { return !r.never && len(r.conditions) == 0 })
}

// allowsSomeDay returns the rule that would allow a check without fields once all templates are filled in.
func allowsSomeDay(rules []*compiled) *compiled {
	for _, r := range slices.Backward(rules) {
		switch {
		case !r.inverted:
			return r
		case len(r.conditions) == 0:
			return nil
		}
	}
	return nil
}

// piece is what one allow rule of the target lets through.
type piece struct {
	conditions []condition
	denied     []*compiled // the target's later deny rules
}

// certain returns the conditions that hold no template.
func certain(conditions []condition) []condition {
	return slices.DeleteFunc(slices.Clone(conditions), condition.isTemplated)
}

// covered proves that the actor's rules let the whole piece through. If it cannot at once, it tries value by value
// where the piece names its values.
func (p *proof) covered(piece piece, own *entry) bool {
	if p.empty(piece, piece.conditions) || p.letThrough(piece, own.rules) || p.letThrough(piece, own.broad) {
		return true
	}
	at := slices.IndexFunc(piece.conditions, func(c condition) bool { return c.op == opIn && len(c.values) > 1 })
	if at < 0 {
		return false
	}
	for _, value := range piece.conditions[at].values {
		part := piece
		part.conditions = slices.Clone(piece.conditions)
		part.conditions[at] = condition{key: piece.conditions[at].key, op: opEqual, values: []string{value}}
		if !p.covered(part, own) {
			return false
		}
	}
	return true
}

// letThrough walks the actor's rules as a check would, from the last to the first, and proves of every deny rule on
// the way that it does not touch the piece, until it comes to an allow rule that has all of it.
func (p *proof) letThrough(piece piece, own []*compiled) bool {
	for i := len(own) - 1; i >= 0; i-- {
		r := own[i]
		switch {
		case !p.spend(1):
			return false
		case r.inverted && !p.empty(piece, slices.Concat(piece.conditions, r.conditions)):
			return false
		case !r.inverted && !r.never && p.implies(piece.conditions, r.conditions):
			return true
		}
	}
	return false
}

// empty proves that the target may do nothing under these conditions: nothing meets them all, or all that does is
// denied to the target too.
func (p *proof) empty(piece piece, conditions []condition) bool {
	if p.contradictory(conditions) {
		return true
	}
	return slices.ContainsFunc(piece.denied, func(r *compiled) bool { return p.spend(1) && p.implies(conditions, r.conditions) })
}
