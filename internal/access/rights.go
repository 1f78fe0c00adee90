package access

import (
	"cmp"
	"math"
	"slices"
)

// Grant is a list of rules that somebody holds, for good or, when Temporary, from Start until End. Times are milliseconds
// UTC.
type Grant struct {
	Rules      []Rule
	Temporary  bool
	Start, End int64
}

func (g Grant) inForce(now int64) bool { return !g.Temporary || g.Start <= now && now < g.End }

// ended reports whether the grant will never be in force again.
func (g Grant) ended(now int64) bool { return g.Temporary && (g.End <= now || g.End <= g.Start) }

// Rights are what grants amount to, seen from one moment, until ChangesAt.
//
// The three differ only where a grant is temporary. They are types of their own because a boundary that compares what two
// sides may do at this moment says nothing about the next one: see Covers.
type Rights struct {
	Ability   *Ability // what may be done now; for checks
	Holding   Holding  // what may be handed out now
	Reach     Reach    // what may be done at some time from now on
	ChangesAt int64    // when a grant next begins or ends, in milliseconds UTC; 0 for never
}

// Resolve returns the rights that grants in an organization give at a time. Rules that an older version stored and Compile
// refuses now allow nothing, and deny without conditions. The errors are those of Compile for limits.
func Resolve(grants []Grant, now int64) (Rights, error) { return organization.resolve(grants, now) }

// ResolveProject is Resolve for grants in a project.
func ResolveProject(grants []Grant, now int64) (Rights, error) { return project.resolve(grants, now) }

func (v *vocabulary) resolve(grants []Grant, now int64) (Rights, error) {
	r, err := v.rights(grants, now)
	if err == nil {
		return r, nil
	}
	kept := slices.Clone(grants)
	for i := range kept {
		kept[i].Rules = v.stored(kept[i].Rules)
	}
	return v.rights(kept, now)
}

func (v *vocabulary) rights(grants []Grant, now int64) (r Rights, err error) {
	var current []Rule
	lasting := true
	for _, g := range grants {
		if g.inForce(now) {
			current = append(current, g.Rules...)
		}
		lasting = lasting && (!g.Temporary || g.ended(now))
		r.ChangesAt = earlier(r.ChangesAt, g.changes(now))
	}
	if r.Ability, err = v.compile(current); err != nil {
		return Rights{}, err
	}
	if lasting {
		r.Holding, r.Reach = Holding{all: r.Ability}, Reach{all: r.Ability}
		return r, nil
	}
	r.Holding, r.Reach = v.holding(grants, now), v.reach(grants, now)
	return r, nil
}

// changes returns when the grant next begins or ends, or 0.
func (g Grant) changes(now int64) int64 {
	switch {
	case g.ended(now) || !g.Temporary:
		return 0
	case g.Start > now:
		return g.Start
	}
	return g.End
}

// earlier returns the earlier of two times, of which 0 is none.
func earlier(a, b int64) int64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// Holding is what somebody certainly holds from now on, and so may hand out: what allow rules in force now let through, less
// what any denial takes away that is in force or will be. The zero value is nothing.
type Holding struct {
	scope  *vocabulary
	grants []Grant  // in force now, without their denials; the permanent ones first, then by their end, the latest first
	denied []Rule   // every denial that has not ended
	all    *Ability // all of it, where nothing is temporary
}

func (v *vocabulary) holding(grants []Grant, now int64) Holding {
	h := Holding{scope: v}
	for _, g := range grants {
		allowed, denied := split(g.Rules)
		if !g.ended(now) {
			h.denied = append(h.denied, denied...)
		}
		if g.inForce(now) {
			g.Rules = allowed
			h.grants = append(h.grants, g)
		}
	}
	slices.SortStableFunc(h.grants, func(a, b Grant) int { return cmp.Compare(b.lastsUntil(), a.lastsUntil()) })
	return h
}

// lastsUntil is the end of the grant, beyond all times for one that is for good.
func (g Grant) lastsUntil() int64 {
	if g.Temporary {
		return g.End
	}
	return math.MaxInt64
}

// first returns what the first n grants allow.
func (h Holding) first(n int, b *Budget) *Ability {
	if h.scope == nil {
		return h.all
	}
	var rules []Rule
	for _, g := range h.grants[:n] {
		rules = append(rules, g.Rules...)
	}
	rules = append(rules, h.denied...)
	if !b.spend(int64(len(rules)) * ruleSteps) {
		return nil
	}
	a, err := h.scope.compile(rules)
	if err != nil { // too much to compare: nothing is certain
		return nil
	}
	return a
}

// Reach is the most that somebody may do at any time from now on: what allow rules that have not ended let through, less
// what denials take away that never end. The zero value is nothing.
type Reach struct {
	scope *vocabulary
	rules []Rule
	all   *Ability // all of it, where nothing is temporary
}

func (v *vocabulary) reach(grants []Grant, now int64) Reach {
	r := Reach{scope: v}
	for _, g := range grants {
		allowed, _ := split(g.Rules)
		switch {
		case !g.Temporary:
			r.rules = append(r.rules, g.Rules...)
		case !g.ended(now):
			r.rules = append(r.rules, allowed...)
		}
	}
	return r
}

// ReachOf returns what rules of an organization may let through, which begin and end together. The errors are those of
// Compile.
func ReachOf(rules []Rule) (Reach, error) {
	a, err := Compile(rules)
	return Reach{all: a}, err
}

// ReachOfProject is ReachOf for rules of a project.
func ReachOfProject(rules []Rule) (Reach, error) {
	a, err := CompileProject(rules)
	return Reach{all: a}, err
}

func (r Reach) ability(b *Budget) (*Ability, error) {
	if r.scope == nil || !b.spend(int64(len(r.rules))*ruleSteps) {
		return r.all, nil
	}
	return r.scope.compile(r.rules)
}

// split returns the allow rules and the denials of a list.
func split(rules []Rule) (allowed, denied []Rule) {
	for _, r := range rules {
		if r.Inverted {
			denied = append(denied, r)
		} else {
			allowed = append(allowed, r)
		}
	}
	return allowed, denied
}
