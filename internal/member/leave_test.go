package member

import (
	"cmp"
	"errors"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// change runs a change of memberships.
func (f *fixture) change(do func(tx *feed.Tx) error) error {
	return f.feed.Change(f.t.Context(), do)
}

func (f *fixture) joinAs(d Draft) error {
	return f.change(func(tx *feed.Tx) error {
		_, err := Join(f.t.Context(), tx.Tx, d)
		Changed(tx, d.IdentityID, cmp.Or(d.ProjectID, d.OrgID))
		return err
	})
}

// TestLeavingEndsAllOfIt: what an identity holds in projects, and the administration of the instance, end with its
// membership of the organization, and what is cached of it too. Joining again brings nothing back.
func TestLeavingEndsAllOfIt(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		identityID, projectID := f.join(role.BuiltIn("member")), "p"
		in := Draft{OrgID: f.org, ProjectID: projectID, IdentityID: identityID, Roles: Permanent(role.ProjectBuiltIn(role.Admin))}
		f.exec(`INSERT INTO instance_admins (identity_id) VALUES ($1)`, identityID)
		if err := f.joinAs(in); err != nil {
			t.Fatal(err)
		}
		f.exec(`INSERT INTO privileges (id, membership_id, slug, permissions, temporary, created_at, updated_at)
			SELECT m.id, m.id, 'x', '[]', FALSE, 0, 0 FROM memberships m WHERE m.project_id = $1`, projectID)
		f.mustBe(identityID, projectID, true, true)
		var projects []string
		end := func(tx *feed.Tx) (err error) {
			projects, err = Leave(t.Context(), tx, identityID, f.org)
			return err
		}
		if err := f.change(end); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(projects, []string{projectID}) {
			t.Errorf("it left the projects %v", projects)
		}
		f.mustBe(identityID, projectID, false, false)
		if err := f.change(end); !errors.Is(err, sqldb.ErrNoRows) {
			t.Errorf("leaving again: %v", err)
		}
		if err := f.joinAs(in); !errors.Is(err, ErrNotMember) {
			t.Errorf("a former member joins a project: %v", err)
		}
		again := Draft{OrgID: f.org, IdentityID: identityID, Roles: Permanent(role.BuiltIn(role.NoAccess))}
		if err := f.joinAs(again); err != nil {
			t.Fatal(err)
		}
		f.mustBe(identityID, projectID, true, false)
		if g, err := f.Of(t.Context(), identityID, f.org); err != nil || g.InstanceAdmin {
			t.Errorf("it administers the instance again: %+v, %v", g, err)
		}
		var privileges int
		if err := f.db.Get(t.Context(), &privileges, `SELECT count(*) FROM privileges`); err != nil || privileges != 0 {
			t.Errorf("%d privileges are left, %v", privileges, err)
		}
		if err := f.joinAs(again); !sqldb.IsUnique(err) {
			t.Errorf("a second membership of the organization: %v", err)
		}
	})
}

// mustBe asks whether an identity is a member of the organization, and of a project.
func (f *fixture) mustBe(identityID, projectID string, inOrg, inProject bool) {
	f.t.Helper()
	member, err := f.Member(f.t.Context(), identityID, f.org)
	if err != nil {
		f.t.Fatal(err)
	}
	g, err := f.InProject(f.t.Context(), "identity", identityID, projectID)
	if err != nil {
		f.t.Fatal(err)
	}
	if member != inOrg || g.Member != inProject {
		f.t.Errorf("member of the organization: %v, of the project: %v; want %v and %v", member, g.Member, inOrg, inProject)
	}
}
