package project

import (
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// join makes someone a member of a project with a built-in role.
func (f *fixture) join(a *access.Actor, p *Project, slug string) {
	f.t.Helper()
	err := f.feed.Change(f.t.Context(), func(tx *feed.Tx) error {
		_, err := member.Join(f.t.Context(), tx.Tx, member.Draft{OrgID: p.OrgID, ProjectID: p.ID, IdentityID: a.ID, Roles: member.Permanent(role.ProjectBuiltIn(slug))})
		member.Changed(tx, a.ID, p.ID)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// TestAuditEventsOfAProjectTakeARightThere: a filter by project asks for the project's right, and without a filter nobody sees more
// than with one, but for those who may enter all projects.
func TestAuditEventsOfAProjectTakeARightThere(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.audit.Projects = audit.Projects{Check: f.MayReadAudit, Readable: f.Audited}
		ours, owner := f.project()
		theirs, _ := f.project()
		if _, err := f.AddTag(t.Context(), owner, ours.ID, "name-of-ours", nil); err != nil {
			t.Fatal(err)
		}
		none := fault.Kind(0)
		for name, c := range map[string]struct {
			org, project string // roles; no role in the project means no member
			filtered     fault.Kind
			sees         []string // without a filter: ids of projects; nil is a refusal
		}{
			"member of the organization alone":                      {"member", "", fault.Forbidden, []string{}},
			"member of both, who reads no audit log in the project": {"member", "no-access", fault.PermissionDenied, []string{}},
			"member of the organization, auditor of the project":    {"member", "viewer", none, []string{ours.ID}},
			"auditor of the project alone":                          {"no-access", "viewer", none, nil},
			"administrator of the project alone":                    {"no-access", "admin", none, nil},
			"nobody":                                                {"no-access", "", fault.Forbidden, nil},
			"administrator of the organization":                     {"admin", "", none, []string{ours.ID, theirs.ID}},
		} {
			t.Run(name, func(t *testing.T) {
				actor := f.actor(f.org, c.org)
				if c.project != "" {
					f.join(actor, ours, c.project)
				}
				for way, read := range map[string]func(audit.Filter) ([]audit.Entry, error){
					"query": func(filter audit.Filter) ([]audit.Entry, error) {
						return f.audit.Query(t.Context(), actor, filter)
					},
					"follow": func(filter audit.Filter) (page []audit.Entry, err error) {
						filter.After = ptr(int64(0))
						page, _, err = f.audit.Follow(t.Context(), actor, filter)
						return page, err
					},
				} {
					found, err := read(audit.Filter{ProjectID: ours.ID, Limit: 1000})
					if c.filtered != none {
						want(t, err, c.filtered)
					} else if err != nil || len(found) == 0 {
						t.Errorf("%s with the filter: %v, %v", way, found, err)
					}
					found, err = read(audit.Filter{Limit: 1000})
					if c.sees == nil {
						want(t, err, fault.PermissionDenied)
						continue
					}
					for _, p := range []*Project{ours, theirs} {
						shown := slices.ContainsFunc(found, func(e audit.Entry) bool { return e.ProjectID != nil && *e.ProjectID == p.ID })
						if shown != slices.Contains(c.sees, p.ID) || err != nil {
							t.Errorf("%s without a filter: events of %s are shown: %v, %v", way, p.ID, shown, err)
						}
					}
				}
			})
		}
	})
}
