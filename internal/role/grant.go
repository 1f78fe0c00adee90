package role

import "github.com/sallyport/sallyport/internal/access"

// MayGrant asks that someone holds all that rules of a project allow, or of an organization where projectID is empty,
// and all that they deny: who takes a denial away gives what it denied, to whoever also holds a role that allows it. It
// returns until when, in milliseconds UTC, the actor holds what they allow, or 0 for good.
func MayGrant(by Authority, projectID string, rules []access.Rule, base string) (until int64, err error) {
	allowed, denied, err := reaches(projectID, rules)
	if err != nil {
		return 0, err
	}
	if err := by.Covers(denied, base); err != nil {
		return 0, err
	}
	return by.CoversUntil(allowed, base)
}

// mayGrantForever is MayGrant for what does not end by itself: the rules of a role hold for everyone who has it.
func mayGrantForever(by Authority, projectID string, rules []access.Rule, base string) error {
	allowed, denied, err := reaches(projectID, rules)
	if err != nil {
		return err
	}
	if err := by.Covers(denied, base); err != nil {
		return err
	}
	return by.CoversForever(allowed, base)
}

// MayUndo asks that someone may take rules away that others have: they hold all that the rules allow, and without an end
// all that they deny, since what was denied is let through from then on.
func MayUndo(by Authority, projectID string, rules []access.Rule, base string) error {
	allowed, denied, err := reaches(projectID, rules)
	if err != nil {
		return err
	}
	if err := by.Covers(allowed, base); err != nil {
		return err
	}
	return by.CoversForever(denied, base)
}

// reaches returns what rules let through, and what they deny.
func reaches(projectID string, rules []access.Rule) (allowed, denied access.Reach, err error) {
	if allowed, err = ReachOf(projectID, rules); err == nil {
		denied, err = ReachOf(projectID, access.Undo(rules))
	}
	return allowed, denied, err
}

// MayLift asks that someone holds all that rules of a project deny. Taking a denial away does more than take away: it gives
// what was denied to a member who also holds a role that allows it.
func MayLift(by Authority, projectID string, rules []access.Rule, base string) error {
	_, denied, err := reaches(projectID, rules)
	if err != nil {
		return err
	}
	return by.CoversForever(denied, base)
}
