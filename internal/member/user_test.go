package member_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/project"
)

// person makes a user who is a member of an organization without rights. Its name is its e-mail address.
func (f *fixture) person(orgID string) *access.Actor {
	f.t.Helper()
	a := &access.Actor{Type: access.ActorUser, ID: id.New(), OrgID: orgID}
	a.Name = a.ID + "@example.com"
	f.exec(`INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
		VALUES ($1, $2, 'Grace', 'Hopper', '', FALSE, 0, 0)`, a.ID, a.Name)
	sqldbtest.Enroll(f.t, f.db, orgID, a.ID)
	return a
}

func TestUsersComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		ada, grace := f.person(f.org), f.person(f.org)
		made, _, err := f.members.AddUsers(t.Context(), admin, p.ID, []string{ada.Name, " " + grace.Name, ada.Name}, has("viewer"))
		if err != nil || len(made) != 2 || made[0].User.ID != ada.ID || made[0].Roles[0].Role != "viewer" {
			t.Fatalf("added %+v, %v; want both, once", made, err)
		}
		if !f.may(p, ada, access.ReadValue, access.SubjectSecrets) || f.may(p, ada, access.Create, access.SubjectSecrets) {
			t.Error("a viewer may not read, or may write")
		}
		if mine, err := f.List(t.Context(), ada); err != nil || len(mine) != 1 {
			t.Errorf("the user sees the projects %v, %v; want this one", mine, err)
		}
		if _, err := f.members.SetUserRoles(t.Context(), admin, p.ID, made[0].ID, has("member")); err != nil || !f.may(p, ada, access.Create, access.SubjectSecrets) {
			t.Errorf("the new role does not count at once: %v", err)
		}
		if found, total, _, err := f.members.Users(t.Context(), ada, p.ID, 1, 5); err != nil || total != 2 || len(found) != 1 || found[0].User.ID != grace.ID {
			t.Errorf("the second page has %+v of %d, %v; want the second user of 2", found, total, err)
		}
		if found, _, err := f.members.ReadUserNamed(t.Context(), admin, p.ID, ada.Name); err != nil || found.ID != made[0].ID {
			t.Errorf("by name: %+v, %v", found, err)
		}
		if _, _, err := f.members.RemoveUser(t.Context(), admin, p.ID, made[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.members.RemoveUsers(t.Context(), admin, p.ID, []string{grace.Name}); err != nil {
			t.Fatal(err)
		}
		_, _, err = f.members.RemoveUsers(t.Context(), admin, p.ID, nil)
		want(t, err, fault.Validation)
		for _, gone := range []*access.Actor{ada, grace} {
			_, err = f.Enter(t.Context(), gone, p.ID)
			want(t, err, fault.Forbidden)
		}
		if diff := cmp.Diff([]string{"create-project", "add-workspace-members", "update-user-workspace-role", "remove-workspace-member",
			"remove-workspace-member"}, f.events(p.ID)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUsersAreRefused(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		someone, viewer, outsider := f.member(p, "member"), f.member(p, "viewer"), f.robot()
		in, out, stranger := f.person(f.org), f.person(f.org), f.person(f.newOrg())
		made, _, err := f.members.AddUsers(t.Context(), admin, p.ID, []string{in.Name}, has("admin"))
		if err != nil {
			t.Fatal(err)
		}
		temporary := []member.AssignmentInput{temporarily("viewer", f.ms.Load(), "1h")}
		for name, c := range map[string]struct {
			by     *access.Actor
			emails []string
			roles  []member.AssignmentInput
			kind   fault.Kind
		}{
			"refused/more than one holds":     {someone, []string{out.Name}, has("admin"), fault.Boundary},
			"refused/without the right":       {viewer, []string{out.Name}, has("no-access"), fault.PermissionDenied},
			"refused/no member":               {outsider, []string{out.Name}, has("viewer"), fault.Forbidden},
			"refused/only for a time":         {admin, []string{out.Name}, temporary, fault.BadRequest},
			"refused/member already":          {admin, []string{out.Name, in.Name}, has("viewer"), fault.BadRequest},
			"refused/unknown address":         {admin, []string{out.Name, "nobody@example.com"}, has("viewer"), fault.NotFound},
			"refused/of another organization": {admin, []string{out.Name, stranger.Name}, has("viewer"), fault.NotFound},
		} {
			t.Run(name, func(t *testing.T) {
				_, _, err := f.members.AddUsers(t.Context(), c.by, p.ID, c.emails, c.roles)
				want(t, err, c.kind)
				if n := f.count(`SELECT count(*) FROM memberships WHERE project_id = $1 AND user_id IS NOT NULL`, p.ID); n != 1 {
					t.Errorf("the project has %d users; want the one from before", n)
				}
			})
		}
		f.refusedChanges(p, made[0].ID, admin, someone, in)
	})
}

// refusedChanges asks that nobody changes the membership of a user who administers the project without holding as much.
func (f *fixture) refusedChanges(p *project.Project, membershipID string, admin, someone, user *access.Actor) {
	f.t.Helper()
	ctx := f.t.Context()
	rules, _ := access.ProjectRole("member")
	keeper := f.limited(p, append(rules, access.Rule{Subject: access.SubjectMember, Actions: access.Actions{access.Edit, access.Delete}})...)
	_, err := f.members.SetUserRoles(ctx, someone, p.ID, membershipID, has("viewer"))
	want(f.t, err, fault.PermissionDenied)
	_, err = f.members.SetUserRoles(ctx, keeper, p.ID, membershipID, has("no-access"))
	want(f.t, err, fault.Boundary)
	_, _, err = f.members.RemoveUser(ctx, someone, p.ID, membershipID)
	want(f.t, err, fault.PermissionDenied)
	_, _, err = f.members.RemoveUsers(ctx, someone, p.ID, []string{user.Name})
	want(f.t, err, fault.PermissionDenied)
	_, _, err = f.members.RemoveUsers(ctx, user, p.ID, []string{user.Name})
	want(f.t, err, fault.BadRequest) // oneself
	_, _, err = f.members.RemoveUsers(ctx, admin, p.ID, []string{user.Name, "nobody@example.com"})
	want(f.t, err, fault.NotFound)
	other, otherAdmin := f.project()
	_, _, err = f.members.RemoveUser(ctx, otherAdmin, other.ID, membershipID)
	want(f.t, err, fault.NotFound)
	_, _, err = f.members.ReadUser(ctx, otherAdmin, other.ID, membershipID)
	want(f.t, err, fault.NotFound)
	if !f.may(p, user, access.Delete, access.SubjectWorkspace) {
		f.t.Error("a refused change changed what the user may do")
	}
	if _, _, err := f.members.RemoveUser(ctx, keeper, p.ID, membershipID); err != nil {
		f.t.Errorf("who holds more is out of reach: %v", err)
	}
}

// TestUsersLeaveEveryReplica: a user who is taken out on one replica is refused by another one that had let them in.
// SQLite has no other replica.
func TestUsersLeaveEveryReplica(t *testing.T) {
	f := newFixture(t, sqldb.Postgres)
	p, admin := f.project()
	ada := f.person(f.org)
	made, _, err := f.members.AddUsers(t.Context(), admin, p.ID, []string{ada.Name}, has("viewer"))
	if err != nil {
		t.Fatal(err)
	}
	other := replica(t, f.db)
	if _, err := other.Enter(t.Context(), ada, p.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.members.RemoveUser(t.Context(), admin, p.ID, made[0].ID); err != nil {
		t.Fatal(err)
	}
	_, err = other.Enter(t.Context(), ada, p.ID)
	want(t, err, fault.Forbidden)
}
