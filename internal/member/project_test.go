package member_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/role"
)

// has asks for roles without an end.
func has(slugs ...string) (roles []member.AssignmentInput) {
	for _, slug := range slugs {
		roles = append(roles, member.AssignmentInput{Role: httpapi.Text(slug)})
	}
	return roles
}

// temporarily asks for a role from a time on, in milliseconds UTC, for a range such as 1h.
func temporarily(slug string, from int64, length httpapi.Text) member.AssignmentInput {
	temporary, mode, start := true, httpapi.Text("relative"), time.UnixMilli(from)
	return member.AssignmentInput{Role: httpapi.Text(slug), Temporary: &temporary, Mode: &mode, Range: &length, Start: &start}
}

// robot makes an identity that is a member of its organization without rights.
func (f *fixture) robot() *access.Actor {
	f.t.Helper()
	return f.actor(f.org, role.NoAccess)
}

// may reports whether an actor may do something in a project; false too for one who is not let in.
func (f *fixture) may(p *project.Project, actor *access.Actor, action access.Action, subject access.Subject, fields ...access.Field) bool {
	f.t.Helper()
	a, err := f.Enter(f.t.Context(), actor, p.ID)
	if fault.Is(err, fault.Forbidden) {
		return false
	}
	if err != nil {
		f.t.Fatal(err)
	}
	allowed, err := a.Allows(action, subject, fields)
	if err != nil {
		f.t.Fatal(err)
	}
	return allowed
}

func TestMembersComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		robot := f.robot()
		made, err := f.members.Add(t.Context(), admin, member.InProject(p.ID), robot.ID, has("viewer", "no-access"))
		if err != nil {
			t.Fatal(err)
		}
		if !f.may(p, robot, access.ReadValue, access.SubjectSecrets) || f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("a viewer may not read, or may write")
		}
		read, _, err := f.members.Read(t.Context(), admin, member.InProject(p.ID), robot.ID)
		if err != nil || len(read.Roles) != 2 || read.Roles[0].Role != "viewer" || read.Identity.ID != robot.ID {
			t.Errorf("read %+v, %v", read, err)
		}
		if again, _, err := f.members.ReadByID(t.Context(), admin, made.ID); err != nil || again.ID != made.ID {
			t.Errorf("by the membership's id: %+v, %v", again, err)
		}
		if _, err := f.members.SetRoles(t.Context(), admin, member.InProject(p.ID), robot.ID, has("member")); err != nil {
			t.Fatal(err)
		}
		if !f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("the new role does not count at once")
		}
		if _, err := f.members.Remove(t.Context(), admin, member.InProject(p.ID), robot.ID); err != nil {
			t.Fatal(err)
		}
		_, err = f.Enter(t.Context(), robot, p.ID)
		want(t, err, fault.Forbidden)
		if diff := cmp.Diff([]string{"create-project", "create-identity-project-membership", "update-identity-project-membership",
			"delete-identity-project-membership"}, f.events(p.ID)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMembershipRefusals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		someone, viewer, robot, stray := f.member(p, "member"), f.member(p, "viewer"), f.robot(), f.actor(f.org, role.NoAccess)
		f.exec(`DELETE FROM memberships WHERE identity_id = $1`, stray.ID)
		stranger := f.actor(f.newOrg(), role.NoAccess)
		other, otherAdmin := f.project()
		owned, err := f.CreateOwned(t.Context(), otherAdmin, other.ID, identity.Changes{Name: ptr("o")}, has("viewer"))
		if err != nil {
			t.Fatal(err)
		}
		temporary := []member.AssignmentInput{temporarily("viewer", f.ms.Load(), "1h")}
		for name, c := range map[string]struct {
			by    *access.Actor
			who   string
			roles []member.AssignmentInput
			kind  fault.Kind
		}{
			"refused/more than one holds":     {someone, robot.ID, has("admin"), fault.Boundary},
			"refused/without the right":       {viewer, robot.ID, has("no-access"), fault.PermissionDenied},
			"refused/no member":               {robot, robot.ID, has("viewer"), fault.Forbidden},
			"refused/only for a time":         {admin, robot.ID, temporary, fault.BadRequest},
			"refused/member already":          {admin, viewer.ID, has("viewer"), fault.BadRequest},
			"refused/unknown identity":        {admin, id.New(), has("viewer"), fault.NotFound},
			"refused/of another organization": {admin, stranger.ID, has("viewer"), fault.NotFound},
			"refused/not in the organization": {admin, stray.ID, has("viewer"), fault.BadRequest},
			"refused/owned by a project":      {admin, owned.Identity.ID, has("viewer"), fault.BadRequest},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := f.members.Add(t.Context(), c.by, member.InProject(p.ID), c.who, c.roles)
				want(t, err, c.kind)
			})
		}
		_, err = f.members.SetRoles(t.Context(), someone, member.InProject(p.ID), admin.ID, has("viewer"))
		want(t, err, fault.Boundary)
		_, err = f.members.SetRoles(t.Context(), admin, member.InProject(p.ID), robot.ID, has("viewer"))
		want(t, err, fault.BadRequest)
		_, err = f.members.Remove(t.Context(), viewer, member.InProject(p.ID), admin.ID)
		want(t, err, fault.PermissionDenied)
		_, err = f.members.Remove(t.Context(), admin, member.InProject(p.ID), admin.ID)
		want(t, err, fault.BadRequest)
		_, err = f.members.Remove(t.Context(), admin, member.InProject(p.ID), robot.ID)
		want(t, err, fault.BadRequest)
		_, _, err = f.members.Read(t.Context(), admin, member.InProject(p.ID), robot.ID)
		want(t, err, fault.NotFound)
		if _, err := f.members.Remove(t.Context(), someone, member.InProject(p.ID), admin.ID); err != nil {
			t.Errorf("who holds more is out of reach: %v", err)
		}
	})
}

func TestConditionsOnWhomAndWhichRole(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, _ := f.project()
		robot, other := f.robot(), f.robot()
		viewer, _ := access.ProjectRole("viewer")
		writer, _ := access.ProjectRole("member")
		giver := f.limited(p, append(append(writer, viewer...),
			access.Rule{Subject: access.SubjectIdentity, Actions: access.Actions{access.Create}, Conditions: access.Conditions{"identityId": map[string]any{"$ne": robot.ID}}, Inverted: true},
			access.Rule{Subject: access.SubjectIdentity, Actions: access.Actions{access.Create}, Conditions: access.Conditions{"assignableRole": "viewer"}, Inverted: true})...)
		_, err := f.members.Add(t.Context(), giver, member.InProject(p.ID), other.ID, has("no-access"))
		want(t, err, fault.PermissionDenied)
		_, err = f.members.Add(t.Context(), giver, member.InProject(p.ID), robot.ID, has("no-access", "viewer"))
		want(t, err, fault.PermissionDenied)
		if _, err := f.members.Add(t.Context(), giver, member.InProject(p.ID), robot.ID, has("no-access")); err != nil {
			t.Error(err)
		}
	})
}

func TestMembersAreFound(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		for _, slug := range []string{"viewer", "member", "viewer"} {
			f.member(p, slug)
		}
		for name, c := range map[string]struct {
			q    member.Search
			n    int
			want int64
		}{
			"all":        {member.Search{Limit: 10}, 4, 4},
			"a page":     {member.Search{Limit: 2, Offset: 1}, 2, 4},
			"by name":    {member.Search{AnyOf: member.Named("NO-ACC", ""), Limit: 10}, 3, 3},
			"percent":    {member.Search{AnyOf: member.Named("%", ""), Limit: 10}, 0, 0},
			"by role":    {member.Search{AnyOf: member.Named("", "viewer,none"), Limit: 10}, 2, 2},
			"from z":     {member.Search{Descending: true, Limit: 10}, 4, 4},
			"not owned":  {member.Search{OwnedBy: p.ID, Limit: 10}, 0, 0},
			"far behind": {member.Search{Offset: 100, Limit: 10}, 0, 4},
		} {
			t.Run(name, func(t *testing.T) {
				found, total, _, err := f.members.Search(t.Context(), admin, member.InProject(p.ID), c.q)
				if err != nil || len(found) != c.n || total != c.want {
					t.Errorf("%d of %d, %v; want %d of %d", len(found), total, err, c.n, c.want)
				}
			})
		}
		_, _, _, err := f.members.Search(t.Context(), f.member(p, "no-access"), member.InProject(p.ID), member.Search{Limit: 1})
		want(t, err, fault.PermissionDenied)
	})
}

func TestTemporaryRolesEnd(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		robot := f.robot()
		now := f.ms.Load()
		roles := append(has("no-access"), temporarily("viewer", now+1000, "1s"))
		if _, err := f.members.Add(t.Context(), admin, member.InProject(p.ID), robot.ID, roles); err != nil {
			t.Fatal(err)
		}
		for _, expected := range []bool{false, true, false} {
			if got := f.may(p, robot, access.ReadValue, access.SubjectSecrets); got != expected {
				t.Errorf("%d ms after: %v; want %v", f.ms.Load()-now, got, expected)
			}
			f.ms.Add(1000)
		}
	})
}

func TestTemplatesFollowMetadata(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		rule := access.Rule{Subject: access.SubjectSecrets, Actions: access.Actions{access.ReadValue},
			Conditions: access.Conditions{"secretPath": map[string]any{"$eq": "/{{identity.metadata.team}}"}}}
		robot := f.limited(p, rule)
		reads := func(path string) bool {
			return f.may(p, robot, access.ReadValue, access.SubjectSecrets, access.Environment("dev"), access.SecretPath(path), access.SecretName("x"), access.SecretTags(nil))
		}
		if reads("/a") {
			t.Error("a template without a value matches")
		}
		boss := f.actor(f.org, "admin")
		if _, err := f.identities.Update(t.Context(), boss, robot.ID, identity.Changes{Metadata: &[]identity.Metadata{{Key: "team", Value: "a"}}}); err != nil {
			t.Fatal(err)
		}
		if !reads("/a") || reads("/b") {
			t.Error("the rule does not follow the metadata")
		}
		t.Run("refused/metadata by who does not hold what it opens", func(t *testing.T) {
			_, err := f.identities.Update(t.Context(), f.actor(f.org, "member"), robot.ID, identity.Changes{Metadata: &[]identity.Metadata{{Key: "team", Value: "b"}}})
			want(t, err, fault.Boundary)
		})
		t.Run("accepted/metadata by who holds it", func(t *testing.T) {
			_, err := f.identities.Update(t.Context(), admin, robot.ID, identity.Changes{Metadata: &[]identity.Metadata{{Key: "team", Value: "b"}}})
			if err != nil || !reads("/b") {
				t.Error(err)
			}
		})
	})
}

func TestNobodyTakesOverAMemberOfAProject(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		robot := f.robot()
		if _, err := f.members.Add(t.Context(), admin, member.InProject(p.ID), robot.ID, has("viewer")); err != nil {
			t.Fatal(err)
		}
		outsider, insider := f.actor(f.org, "member"), f.member(p, "member")
		insider.Rights = outsider.Rights
		_, err := f.identities.Authorize(t.Context(), outsider, robot.ID, "x")
		want(t, err, fault.Boundary)
		for name, by := range map[string]*access.Actor{"a member with more": insider, "who may enter all projects": f.actor(f.org, "admin")} {
			if _, err := f.identities.Authorize(t.Context(), by, robot.ID, "x"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := f.Delete(t.Context(), admin, p.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := f.identities.Authorize(t.Context(), outsider, robot.ID, "x"); err != nil {
			t.Errorf("after the project is gone: %v", err)
		}
	})
}

// TestReplacedRolesLiftNoDenial: who changes the roles of a member gives it nothing that a role denied and a privilege allows.
func TestReplacedRolesLiftNoDenial(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		deletes := func(inverted bool) *[]access.Rule {
			return &[]access.Rule{{Subject: access.SubjectWorkspace, Actions: access.Actions{access.Delete}, Inverted: inverted}}
		}
		sc, err := f.Scope(t.Context(), admin, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		denying, err := f.roles.CreateIn(t.Context(), sc.Scope, role.Changes{Slug: ptr("denying"), Name: ptr("Denying"), Rules: deletes(true)})
		if err != nil {
			t.Fatal(err)
		}
		owned, err := f.CreateOwned(t.Context(), admin, p.ID, identity.Changes{Name: ptr("worker")}, has(denying.ID))
		if err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(by *access.Actor) error{
			"of a member": func(by *access.Actor) error {
				_, err := f.members.SetRoles(t.Context(), by, member.InProject(p.ID), owned.Identity.ID, has("no-access"))
				return err
			},
			"of an owned identity": func(by *access.Actor) error {
				_, err := f.UpdateOwned(t.Context(), by, p.ID, owned.Identity.ID, identity.Changes{}, has("no-access"))
				return err
			},
		} {
			t.Run(name, func(t *testing.T) {
				if _, err := f.members.SetRoles(t.Context(), admin, member.InProject(p.ID), owned.Identity.ID, has(denying.ID)); err != nil {
					t.Fatal(err)
				}
				v, err := f.members.AddPrivilege(t.Context(), admin, p.ID, owned.Identity.ID, member.PrivilegeChanges{Slug: ptr("extra"), Rules: deletes(false)})
				if err != nil {
					t.Fatal(err)
				}
				want(t, change(f.member(p, "member")), fault.Boundary) // who may not delete the project
				temporary := f.member(p, "no-access")
				roles := append(has("no-access"), temporarily("admin", f.ms.Load(), "1h"))
				if _, err := f.members.SetRoles(t.Context(), admin, member.InProject(p.ID), temporary.ID, roles); err != nil {
					t.Fatal(err)
				}
				want(t, change(temporary), fault.Boundary)
				if err := change(admin); err != nil {
					t.Error(err)
				}
				if _, err := f.members.DeletePrivilege(t.Context(), admin, v.ID); err != nil {
					t.Fatal(err)
				}
				if _, err := f.members.SetRoles(t.Context(), admin, member.InProject(p.ID), owned.Identity.ID, has(denying.ID)); err != nil {
					t.Fatal(err)
				}
				if err := change(f.member(p, "member")); err != nil {
					t.Errorf("where nothing allows what the role denies: %v", err)
				}
			})
		}
	})
}

func TestCustomRoles(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		other, otherAdmin := f.project()
		in := func(p *project.Project, by *access.Actor) role.Scope {
			sc, err := f.Scope(t.Context(), by, p.ID)
			if err != nil {
				t.Fatal(err)
			}
			return sc.Scope
		}
		reads := []access.Rule{{Subject: access.SubjectSecrets, Actions: access.Actions{access.ReadValue}, Conditions: access.Conditions{"environment": "dev"}}}
		changes := role.Changes{Slug: ptr("reader"), Name: ptr("Reader"), Rules: &reads}
		made, err := f.roles.CreateIn(t.Context(), in(p, admin), changes)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.roles.CreateIn(t.Context(), in(p, admin), changes)
		want(t, err, fault.BadRequest)
		if _, err := f.roles.CreateIn(t.Context(), in(other, otherAdmin), changes); err != nil {
			t.Errorf("the slug in another project: %v", err)
		}
		_, err = f.roles.FindIn(t.Context(), f.org, other.ID, made.ID)
		want(t, err, fault.NotFound)
		_, err = f.roles.Find(t.Context(), f.org, made.ID)
		want(t, err, fault.NotFound)
		for slug, kind := range map[string]fault.Kind{"viewer": fault.Validation, "custom": fault.Validation, "a_b": fault.Validation} {
			_, err = f.roles.CreateIn(t.Context(), in(p, admin), role.Changes{Slug: &slug, Name: ptr("x"), Rules: &reads})
			want(t, err, kind)
		}
		orgRules := []access.Rule{{Subject: access.SubjectBilling, Actions: access.Actions{access.Read}}}
		_, err = f.roles.CreateIn(t.Context(), in(p, admin), role.Changes{Slug: ptr("x"), Name: ptr("x"), Rules: &orgRules})
		want(t, err, fault.Validation)

		robot := f.robot()
		if _, err := f.members.Add(t.Context(), admin, member.InProject(p.ID), robot.ID, has(made.ID)); err != nil {
			t.Fatal(err)
		}
		dev, prod := access.Environment("dev"), access.Environment("prod")
		if !f.may(p, robot, access.ReadValue, access.SubjectSecrets, dev) || f.may(p, robot, access.ReadValue, access.SubjectSecrets, prod) {
			t.Error("the role's condition does not decide")
		}
		reads[0].Conditions = access.Conditions{"environment": "prod"}
		if _, err := f.roles.UpdateIn(t.Context(), in(p, admin), made.ID, role.Changes{Rules: &reads}); err != nil {
			t.Fatal(err)
		}
		if f.may(p, robot, access.ReadValue, access.SubjectSecrets, dev) || !f.may(p, robot, access.ReadValue, access.SubjectSecrets, prod) {
			t.Error("the changed role does not count at once")
		}
		_, err = f.roles.DeleteIn(t.Context(), in(p, admin), made.ID)
		want(t, err, fault.BadRequest)
		_, err = f.roles.UpdateIn(t.Context(), in(other, otherAdmin), made.ID, role.Changes{Name: ptr("y")})
		want(t, err, fault.NotFound)
	})
}

// TestAnotherReplicaRefusesAtOnce whom a project no longer lets in, or lets do less.
func TestAnotherReplicaRefusesAtOnce(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.Postgres)
	f, other := replica(t, db), replica(t, db)
	f.org = f.newOrg()
	p, admin := f.project()
	robot := f.robot()
	if _, err := f.members.Add(t.Context(), admin, member.InProject(p.ID), robot.ID, has("member")); err != nil {
		t.Fatal(err)
	}
	deny := &[]access.Rule{{Subject: access.SubjectSecrets, Actions: access.Actions{access.Create}, Inverted: true}}
	for _, step := range []struct {
		name   string
		change func() error
		may    bool
	}{
		{"a member", func() error { return nil }, true},
		{"denied", func() error {
			_, err := f.members.AddPrivilege(t.Context(), admin, p.ID, robot.ID, member.PrivilegeChanges{Slug: ptr("deny"), Rules: deny})
			return err
		}, false},
		{"taken out", func() error {
			_, err := f.members.Remove(t.Context(), admin, member.InProject(p.ID), robot.ID)
			return err
		}, false},
		{"back", func() error {
			_, err := f.members.Add(t.Context(), admin, member.InProject(p.ID), robot.ID, has("member"))
			return err
		}, true},
		{"lowered", func() error {
			_, err := f.members.SetRoles(t.Context(), admin, member.InProject(p.ID), robot.ID, has("viewer"))
			return err
		}, false},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		if got := other.may(p, robot, access.Create, access.SubjectSecrets); got != step.may {
			t.Errorf("%s: may create %v; want %v", step.name, got, step.may)
		}
	}
}
