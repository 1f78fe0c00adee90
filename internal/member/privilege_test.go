package member_test

import (
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/member"
)

func TestPrivileges(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		robot := f.member(p, "no-access")
		creates := func(inverted bool) *[]access.Rule {
			return &[]access.Rule{{Subject: access.SubjectSecrets, Actions: access.Actions{access.Create}, Inverted: inverted}}
		}
		v, err := f.members.AddPrivilege(t.Context(), admin, p.ID, robot.ID, member.PrivilegeChanges{Slug: ptr("extra"), Rules: creates(false)})
		if err != nil {
			t.Fatal(err)
		}
		if !f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("the privilege does not count at once")
		}
		_, err = f.members.AddPrivilege(t.Context(), admin, p.ID, robot.ID, member.PrivilegeChanges{Slug: ptr("extra"), Rules: creates(false)})
		want(t, err, fault.BadRequest)
		_, err = f.members.AddPrivilege(t.Context(), admin, p.ID, f.robot().ID, member.PrivilegeChanges{Slug: ptr("extra"), Rules: creates(false)})
		want(t, err, fault.NotFound)
		deletes := &[]access.Rule{{Subject: access.SubjectWorkspace, Actions: access.Actions{access.Delete}}}
		_, err = f.members.AddPrivilege(t.Context(), f.member(p, "member"), p.ID, robot.ID, member.PrivilegeChanges{Slug: ptr("more"), Rules: deletes})
		want(t, err, fault.Boundary)
		_, err = f.members.AddPrivilege(t.Context(), f.member(p, "viewer"), p.ID, robot.ID, member.PrivilegeChanges{Slug: ptr("more"), Rules: creates(false)})
		want(t, err, fault.PermissionDenied)
		_, err = f.members.ReadPrivilege(t.Context(), f.actor(f.newOrg(), "admin"), v.ID)
		want(t, err, fault.NotFound)
		if found, err := f.members.ReadPrivilegeNamed(t.Context(), admin, member.PrivilegeName{p.Slug, robot.ID, "extra"}); err != nil || found.ID != v.ID {
			t.Errorf("by its slug: %+v, %v", found, err)
		}
		now := f.ms.Load()
		span := &member.Assignment{Temporary: true, Range: "1s", Start: now, End: now + 1000}
		if _, err := f.members.UpdatePrivilege(t.Context(), admin, v.ID, member.PrivilegeChanges{Span: span}); err != nil {
			t.Fatal(err)
		}
		if f.ms.Add(999); !f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("the privilege ended too early")
		}
		if f.ms.Add(1); f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("the privilege did not end")
		}
		if list, err := f.members.Privileges(t.Context(), admin, p.ID, robot.ID); err != nil || len(list) != 1 || !list[0].Temporary {
			t.Errorf("listed %+v, %v", list, err)
		}
		if _, err := f.members.UpdatePrivilege(t.Context(), admin, v.ID, member.PrivilegeChanges{Rules: creates(true), Span: &member.Assignment{}}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.members.SetRoles(t.Context(), admin, member.InProject(p.ID), robot.ID, has("member")); err != nil {
			t.Fatal(err)
		}
		if f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("a privilege that denies does not come after the roles")
		}
		if _, err := f.members.DeletePrivilege(t.Context(), admin, v.ID); err != nil {
			t.Fatal(err)
		}
		if !f.may(p, robot, access.Create, access.SubjectSecrets) {
			t.Error("a denial outlives its privilege")
		}
		_, err = f.members.DeletePrivilege(t.Context(), admin, v.ID)
		want(t, err, fault.NotFound)
	})
}

func TestATakenBackPrivilegeMustBeHeld(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		robot := f.member(p, "no-access")
		denial := &[]access.Rule{{Subject: access.SubjectWorkspace, Actions: access.Actions{access.Delete}, Inverted: true}}
		v, err := f.members.AddPrivilege(t.Context(), admin, p.ID, robot.ID, member.PrivilegeChanges{Slug: ptr("denial"), Rules: denial})
		if err != nil {
			t.Fatal(err)
		}
		someone := f.member(p, "member") // who may not delete the project
		_, err = f.members.DeletePrivilege(t.Context(), someone, v.ID)
		want(t, err, fault.Boundary)
		_, err = f.members.UpdatePrivilege(t.Context(), someone, v.ID, member.PrivilegeChanges{Rules: &[]access.Rule{}})
		want(t, err, fault.Boundary)
		more := &[]access.Rule{{Subject: access.SubjectWorkspace, Actions: access.Actions{access.Delete}}}
		v, err = f.members.AddPrivilege(t.Context(), admin, p.ID, robot.ID, member.PrivilegeChanges{Slug: ptr("more"), Rules: more})
		if err == nil {
			_, err = f.members.DeletePrivilege(t.Context(), someone, v.ID)
		}
		if err != nil {
			t.Errorf("a privilege that only allows is out of reach of who holds less: %v", err)
		}
	})
}
