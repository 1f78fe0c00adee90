package role

import (
	"slices"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// MayAssign asks that the roles hold one without an end, and that someone holds all that each of them allows. Each alone
// is enough: together they allow no more. It returns the roles as they may be given: one that is held only for a time ends
// then at the latest.
func MayAssign(by Authority, projectID string, roles []Assignment, base string, now time.Time) ([]Assignment, error) {
	if !slices.ContainsFunc(roles, func(a Assignment) bool { return !a.Temporary }) {
		return nil, fault.New(fault.BadRequest, "A member needs at least one permanent role. Add one, such as no-access.")
	}
	given := slices.Clone(roles)
	for i, a := range roles {
		reach, err := reachOf(projectID, a.Role.Rules)
		if err != nil {
			return nil, err
		}
		until, err := by.CoversUntil(reach, base)
		if err == nil {
			given[i], err = a.EndingBy(until, now, base)
		}
		if err != nil {
			return nil, err
		}
	}
	return given, nil
}

// EndingBy returns the assignment so that it ends at a time at the latest, in milliseconds UTC, or as it is for 0. now is
// when one without an end begins. The error is a Boundary fault for one that would begin later than it ends.
func (a Assignment) EndingBy(until int64, now time.Time, base string) (Assignment, error) {
	switch {
	case until == 0 || a.Temporary && a.End <= until:
		return a, nil
	case !a.Temporary:
		a.Temporary, a.Start = true, now.UnixMilli()
	case a.Start >= until:
		return a, fault.New(fault.Boundary, "%s. Your own temporary roles allow it only until %s, and it would begin after that. Ask a member who holds these permissions permanently.",
			base, time.UnixMilli(until).UTC().Format(time.RFC3339))
	}
	a.End = until
	a.Range = strconv.FormatInt((a.End-a.Start)/1000, 10) + "s"
	return a, nil
}

// MayGrant asks that someone holds all that rules of a project allow, or of an organization where projectID is empty,
// and all that they deny: who takes a denial away gives what it denied, to whoever also holds a role that allows it. It
// returns until when, in milliseconds UTC, the actor holds what they allow, or 0 for good.
func MayGrant(by Authority, projectID string, rules []access.Rule, base string) (until int64, err error) {
	allowed, denied, err := reaches(projectID, rules)
	if err == nil {
		err = by.Covers(denied, base)
	}
	if err != nil {
		return 0, err
	}
	return by.CoversUntil(allowed, base)
}

// mayGrantForever is MayGrant for what does not end by itself: the rules of a role hold for everyone who has it.
func mayGrantForever(by Authority, projectID string, rules []access.Rule, base string) error {
	allowed, denied, err := reaches(projectID, rules)
	if err == nil {
		err = by.Covers(denied, base)
	}
	if err == nil {
		err = by.CoversForever(allowed, base)
	}
	return err
}

// MayUndo asks that someone may take rules away that others have: they hold all that the rules allow, and without an end
// all that they deny, since what was denied is let through from then on.
func MayUndo(by Authority, projectID string, rules []access.Rule, base string) error {
	allowed, denied, err := reaches(projectID, rules)
	if err == nil {
		err = by.Covers(allowed, base)
	}
	if err == nil {
		err = by.CoversForever(denied, base)
	}
	return err
}

// reaches returns what rules let through, and what they deny.
func reaches(projectID string, rules []access.Rule) (allowed, denied access.Reach, err error) {
	if allowed, err = reachOf(projectID, rules); err == nil {
		denied, err = reachOf(projectID, access.Undo(rules))
	}
	return allowed, denied, err
}
