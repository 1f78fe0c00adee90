package project

import (
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
)

// asked asks for roles without an end.
func asked(slugs ...httpapi.Text) (roles []member.AssignmentInput) {
	for _, slug := range slugs {
		roles = append(roles, member.AssignmentInput{Role: slug})
	}
	return roles
}

// may reports whether an actor may do something in a project; false too for one who is not let in.
func (f *fixture) may(p *Project, actor *access.Actor, action access.Action, subject access.Subject) bool {
	f.t.Helper()
	a, err := f.Enter(f.t.Context(), actor, p.ID)
	if fault.Is(err, fault.Forbidden) {
		return false
	}
	if err != nil {
		f.t.Fatal(err)
	}
	allowed, err := a.Allows(action, subject, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return allowed
}

func TestOwnedIdentitiesDieWithTheProject(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		made, err := f.CreateOwned(t.Context(), admin, p.ID, identity.Changes{Name: ptr("worker"), DeleteProtection: ptr(true),
			Metadata: &[]identity.Metadata{{Key: "k", Value: "v"}}}, asked("viewer"))
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
		_, err = f.UpdateOwned(t.Context(), f.member(p, "member"), p.ID, worker.ID, identity.Changes{}, asked("admin"))
		want(t, err, fault.Boundary)
		_, err = f.CreateOwned(t.Context(), f.member(p, "member"), p.ID, identity.Changes{Name: ptr("x")}, asked("admin"))
		want(t, err, fault.Boundary)
		changed, err := f.UpdateOwned(t.Context(), admin, p.ID, worker.ID, identity.Changes{Name: ptr("new")}, asked("member"))
		if err != nil || changed.Identity.Name != "new" || changed.Roles[0].Role != "member" {
			t.Errorf("changed to %+v, %v", changed, err)
		}
		other, otherAdmin := f.project()
		_, err = f.ReadOwned(t.Context(), otherAdmin, other.ID, worker.ID)
		want(t, err, fault.NotFound)
		if found, total, err := f.Owned(t.Context(), admin, p.ID, member.Search{Limit: 5}); err != nil || total != 1 || found[0].Identity.ID != worker.ID {
			t.Errorf("owned: %+v, %v", found, err)
		}
		if _, err := f.Delete(t.Context(), admin, p.ID); err != nil {
			t.Fatal(err)
		}
		_, err = f.identities.ByID(t.Context(), worker.ID)
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
