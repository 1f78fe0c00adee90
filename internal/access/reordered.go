package access

import "slices"

// AllowsAfterDenial reports whether an allow rule of a role comes after a denial of the same action. Where the last rule that
// matches decides, as in earlier versions and in older releases of the reference, such an allow rule undoes the denial; here
// the denial wins.
func AllowsAfterDenial(rules []Rule) bool {
	for i, r := range rules {
		if !r.Inverted && slices.ContainsFunc(rules[:i], func(before Rule) bool { return before.Inverted && before.overlaps(r) }) {
			return true
		}
	}
	return false
}

// overlaps reports whether two rules speak of the same action.
func (r Rule) overlaps(other Rule) bool {
	if r.Subject != other.Subject {
		return false
	}
	actions, others := []Action(r.Actions), []Action(other.Actions)
	if w := project.bySubject[r.Subject]; w != nil {
		actions, others = w.expand(w.files(&r)), w.expand(others)
	}
	return slices.ContainsFunc(actions, func(a Action) bool { return slices.Contains(others, a) })
}
