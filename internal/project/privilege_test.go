package project

import (
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/role"
)

func TestPrivileges(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		robot := f.member(p, "no-access")
		creates := func(inverted bool) *[]access.Rule {
			return &[]access.Rule{{Subject: access.SubjectSecrets, Actions: access.Actions{access.Create}, Inverted: inverted}}
		}
		v, err := f.AddPrivilege(t.Context(), admin, p.ID, robot.ID, PrivilegeChanges{Slug: ptr("extra"), Rules: creates(false)})
		if err != nil {
			t.Fatal(err)
		}
		if !f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("the privilege does not count at once")
		}
		_, err = f.AddPrivilege(t.Context(), admin, p.ID, robot.ID, PrivilegeChanges{Slug: ptr("extra"), Rules: creates(false)})
		want(t, err, fault.BadRequest)
		_, err = f.AddPrivilege(t.Context(), admin, p.ID, f.robot().ID, PrivilegeChanges{Slug: ptr("extra"), Rules: creates(false)})
		want(t, err, fault.NotFound)
		deletes := &[]access.Rule{{Subject: access.SubjectWorkspace, Actions: access.Actions{access.Delete}}}
		_, err = f.AddPrivilege(t.Context(), f.member(p, "member"), p.ID, robot.ID, PrivilegeChanges{Slug: ptr("more"), Rules: deletes})
		want(t, err, fault.Boundary)
		_, err = f.AddPrivilege(t.Context(), f.member(p, "viewer"), p.ID, robot.ID, PrivilegeChanges{Slug: ptr("more"), Rules: creates(false)})
		want(t, err, fault.PermissionDenied)
		_, err = f.ReadPrivilege(t.Context(), f.actor(f.newOrg(), "admin"), v.ID)
		want(t, err, fault.NotFound)
		if found, err := f.ReadPrivilegeNamed(t.Context(), admin, PrivilegeName{p.Slug, robot.ID, "extra"}); err != nil || found.ID != v.ID {
			t.Errorf("by its slug: %+v, %v", found, err)
		}
		now := f.ms.Load()
		span := &role.Assignment{Temporary: true, Range: "1s", Start: now, End: now + 1000}
		if _, err := f.UpdatePrivilege(t.Context(), admin, v.ID, PrivilegeChanges{Span: span}); err != nil {
			t.Fatal(err)
		}
		if f.ms.Add(999); !f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("the privilege ended too early")
		}
		if f.ms.Add(1); f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("the privilege did not end")
		}
		if list, err := f.Privileges(t.Context(), admin, p.ID, robot.ID); err != nil || len(list) != 1 || !list[0].Temporary {
			t.Errorf("listed %+v, %v", list, err)
		}
		if _, err := f.UpdatePrivilege(t.Context(), admin, v.ID, PrivilegeChanges{Rules: creates(true), Span: &role.Assignment{}}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.SetMemberRoles(t.Context(), admin, p.ID, robot.ID, has("member")); err != nil {
			t.Fatal(err)
		}
		if f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("a privilege that denies does not come after the roles")
		}
		if _, err := f.DeletePrivilege(t.Context(), admin, v.ID); err != nil {
			t.Fatal(err)
		}
		if !f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("a denial outlives its privilege")
		}
		_, err = f.DeletePrivilege(t.Context(), admin, v.ID)
		want(t, err, fault.NotFound)
	})
}

func TestATakenBackPrivilegeMustBeHeld(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		robot := f.member(p, "no-access")
		denial := &[]access.Rule{{Subject: access.SubjectWorkspace, Actions: access.Actions{access.Delete}, Inverted: true}}
		v, err := f.AddPrivilege(t.Context(), admin, p.ID, robot.ID, PrivilegeChanges{Slug: ptr("denial"), Rules: denial})
		if err != nil {
			t.Fatal(err)
		}
		member := f.member(p, "member") // who may not delete the project
		_, err = f.DeletePrivilege(t.Context(), member, v.ID)
		want(t, err, fault.Boundary)
		_, err = f.UpdatePrivilege(t.Context(), member, v.ID, PrivilegeChanges{Rules: &[]access.Rule{}})
		want(t, err, fault.Boundary)
		more := &[]access.Rule{{Subject: access.SubjectWorkspace, Actions: access.Actions{access.Delete}}}
		v, err = f.AddPrivilege(t.Context(), admin, p.ID, robot.ID, PrivilegeChanges{Slug: ptr("more"), Rules: more})
		if err == nil {
			_, err = f.DeletePrivilege(t.Context(), member, v.ID)
		}
		if err != nil {
			t.Errorf("a privilege that only allows is out of reach of who holds less: %v", err)
		}
	})
}

func TestOwnedIdentitiesDieWithTheProject(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		made, err := f.CreateOwned(t.Context(), admin, p.ID, identity.Changes{Name: ptr("worker"), DeleteProtection: ptr(true),
			Metadata: &[]identity.Metadata{{Key: "k", Value: "v"}}}, has("viewer"))
		if err != nil {
			t.Fatal(err)
		}
		if *made.Identity.ProjectID != p.ID || len(made.Metadata) != 1 || made.Roles[0].Role != "viewer" {
			t.Errorf("made %+v", made)
		}
		worker := &access.Actor{Type: access.ActorIdentity, ID: made.Identity.ID, OrgID: f.org}
		if !f.may(p, worker, access.ReadValue, access.SubjectSecrets) {
			t.Error("it does not have its role")
		}
		_, err = f.DeleteOwned(t.Context(), admin, p.ID, worker.ID)
		want(t, err, fault.BadRequest)
		_, err = f.UpdateOwned(t.Context(), f.member(p, "member"), p.ID, worker.ID, identity.Changes{}, has("admin"))
		want(t, err, fault.Boundary)
		_, err = f.CreateOwned(t.Context(), f.member(p, "member"), p.ID, identity.Changes{Name: ptr("x")}, has("admin"))
		want(t, err, fault.Boundary)
		changed, err := f.UpdateOwned(t.Context(), admin, p.ID, worker.ID, identity.Changes{Name: ptr("new")}, has("member"))
		if err != nil || changed.Identity.Name != "new" || changed.Roles[0].Role != "member" {
			t.Errorf("changed to %+v, %v", changed, err)
		}
		other, otherAdmin := f.project()
		_, err = f.ReadOwned(t.Context(), otherAdmin, other.ID, worker.ID)
		want(t, err, fault.NotFound)
		if found, total, err := f.Owned(t.Context(), admin, p.ID, MemberSearch{Limit: 5}); err != nil || total != 1 || found[0].Identity.ID != worker.ID {
			t.Errorf("owned: %+v, %v", found, err)
		}
		if _, err := f.Delete(t.Context(), admin, p.ID); err != nil {
			t.Fatal(err)
		}
		_, err = f.Identities.ByID(t.Context(), worker.ID)
		want(t, err, fault.NotFound)
		if n := f.count(`SELECT count(*) FROM change_log WHERE kind = 'cut-identity' AND key = $1`, worker.ID); n != 1 {
			t.Errorf("%d cut-offs of it", n)
		}
	})
}

func TestTags(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		made, err := f.AddTag(t.Context(), admin, p.ID, "blue", ptr(""))
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.AddTag(t.Context(), admin, p.ID, "blue", nil)
		want(t, err, fault.BadRequest)
		for _, slug := range []string{"", "a b", "a/b", "-a", "\u00e9"} {
			_, err = f.AddTag(t.Context(), admin, p.ID, slug, nil)
			want(t, err, fault.Validation)
		}
		_, err = f.AddTag(t.Context(), f.member(p, "viewer"), p.ID, "red", nil)
		want(t, err, fault.PermissionDenied)
		other, otherAdmin := f.project()
		_, err = f.ReadTag(t.Context(), otherAdmin, other.ID, made.ID, false)
		want(t, err, fault.NotFound)
		_, err = f.DeleteTag(t.Context(), otherAdmin, other.ID, made.ID)
		want(t, err, fault.NotFound)
		changed, err := f.UpdateTag(t.Context(), admin, p.ID, made.ID, ptr("green"), nil)
		if err != nil || changed.Slug != "green" || *changed.Color != "" {
			t.Errorf("changed to %+v, %v", changed, err)
		}
		if found, err := f.ReadTag(t.Context(), admin, p.ID, "green", true); err != nil || found.ID != made.ID {
			t.Errorf("by its slug: %+v, %v", found, err)
		}
		if all, err := f.Tags(t.Context(), admin, p.ID); err != nil || len(all) != 1 {
			t.Errorf("all: %+v, %v", all, err)
		}
		if _, err := f.DeleteTag(t.Context(), admin, p.ID, made.ID); err != nil {
			t.Fatal(err)
		}
		_, err = f.ReadTag(t.Context(), admin, p.ID, made.ID, false)
		want(t, err, fault.NotFound)
	})
}
