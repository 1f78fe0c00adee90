package member

import (
	"slices"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/role"
)

// MayAssign asks that the roles hold one without an end, and that someone holds all that each of them allows. Each alone
// is enough: together they allow no more. It returns the roles as they may be given: one that is held only for a time ends
// then at the latest.
func MayAssign(by role.Authority, projectID string, roles []Assignment, base string, now time.Time) ([]Assignment, error) {
	if !slices.ContainsFunc(roles, func(a Assignment) bool { return !a.Temporary }) {
		return nil, fault.New(fault.BadRequest, "A member needs at least one permanent role. Add one, such as no-access.")
	}
	given := slices.Clone(roles)
	for i, a := range roles {
		reach, err := role.ReachOf(projectID, a.Role.Rules)
		if err != nil {
			return nil, err
		}
		until, err := by.CoversUntil(reach, base)
		if err != nil {
			return nil, err
		}
		if given[i], err = a.EndingBy(until, now, base); err != nil {
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
