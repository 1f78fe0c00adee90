package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// forAnHour is a role from now on, in a request.
func forAnHour(s *harness.Server, slug string, begins time.Duration) object {
	return object{"role": slug, "isTemporary": true, "temporaryMode": "relative", "temporaryRange": "1h",
		"temporaryAccessStartTime": s.Clock.Now().Add(begins).UTC().Format("2006-01-02T15:04:05.000Z")}
}

func membershipPath(identityID string) string {
	return "/api/v1/organization/identity-memberships/" + identityID
}

// A boundary looks at what a target may come to do: a credential that is taken early would be good later.
func TestNobodyTakesCredentialsOfATemporaryAdministratorEarly(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	s.Admin.Call(t, http.MethodPost, "/api/v1/organization/roles", object{"slug": "helpdesk", "name": "h", "permissions": []any{
		object{"subject": "identity", "action": []string{"read", "create", "edit", "delete", "create-token", "edit-auth"}}}}).Want(200)
	helper := s.NewActor(t, "helpdesk", nil)
	oncall, deploy := s.NewActor(t, "no-access", nil), s.NewActor(t, "no-access", nil)
	s.Admin.Call(t, http.MethodPatch, membershipPath(oncall.ID), object{"roles": []any{object{"role": "no-access"}, forAnHour(s, "admin", time.Hour)}}).Want(200)
	p := newProject(t, s)
	s.Admin.Call(t, http.MethodPost, projectsPath+"/"+p.ID+"/memberships/identities/"+deploy.ID,
		object{"roles": []any{object{"role": "no-access"}, forAnHour(s, "admin", time.Hour)}}).Want(200)
	for name, id := range map[string]string{"an administrator to come": oncall.ID, "an administrator of a project to come": deploy.ID} {
		t.Run("refused/"+name, func(t *testing.T) {
			helper.Call(t, http.MethodPost, "/api/v1/auth/token-auth/identities/"+id+"/tokens", object{}).WantError(403, "PermissionBoundaryError")
		})
	}
	s.Clock.Advance(3 * time.Hour)
	t.Run("allowed/once it is over", func(t *testing.T) {
		late := s.As(tokenAfter(t, s, helper.ID))
		for _, id := range []string{oncall.ID, deploy.ID} {
			late.Call(t, http.MethodPost, "/api/v1/auth/token-auth/identities/"+id+"/tokens", object{}).Want(200)
		}
	})
}

func tokenAfter(t *testing.T, s *harness.Server, identityID string) string {
	t.Helper()
	jwt, _ := s.NewToken(t, identityID)
	return jwt
}

// What somebody holds only for a time ends with it, whoever they give it to, and the answer says so.
func TestWhatIsHeldForATimeIsGivenForATime(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	giver := s.NewActor(t, "no-access", nil)
	answer := s.Admin.Call(t, http.MethodPatch, membershipPath(giver.ID), object{"roles": []any{object{"role": "no-access"}, forAnHour(s, "admin", 0)}}).Want(200)
	end := answer.Text("roles.1.temporaryAccessEndTime")
	ends := func(t *testing.T, a *harness.Answer, at string) {
		t.Helper()
		if a.Want(200); a.At(at+".isTemporary") != true || a.At(at+".temporaryAccessEndTime") != end {
			t.Errorf("%s: want it to end at %s: %s", at, end, a.Body)
		}
	}
	t.Run("roles", func(t *testing.T) {
		target := s.NewIdentity(t, "no-access")
		ends(t, giver.Call(t, http.MethodPatch, membershipPath(target), object{"roles": []any{object{"role": "admin"}}}), "roles.0")
		ends(t, giver.Call(t, http.MethodPatch, membershipPath(target), object{"roles": []any{object{"role": "no-access"}, forAnHour(s, "member", 30*time.Minute)}}), "roles.1")
		giver.Call(t, http.MethodPatch, membershipPath(target), object{"roles": []any{object{"role": "no-access"}, forAnHour(s, "member", 2*time.Hour)}}).
			WantError(403, "PermissionBoundaryError")
	})
	t.Run("a new identity", func(t *testing.T) {
		made := giver.Call(t, http.MethodPost, harness.Identities, object{"name": "x", "organizationId": s.OrgID, "role": "admin"}).Want(200).Text("identity.id")
		ends(t, giver.Call(t, http.MethodGet, membershipPath(made), nil), "identityMembership.roles.0")
	})
	t.Run("the role of an identity", func(t *testing.T) {
		target := s.NewIdentity(t, "no-access")
		giver.Call(t, http.MethodPatch, identityPath(target), object{"role": "admin"}).Want(200)
		ends(t, giver.Call(t, http.MethodGet, membershipPath(target), nil), "identityMembership.roles.0")
	})
	t.Run("what is held for good is given for good", func(t *testing.T) {
		target := s.NewIdentity(t, "no-access")
		a := giver.Call(t, http.MethodPatch, membershipPath(target), object{"roles": []any{object{"role": "no-access"}}}).Want(200)
		if a.Flag("roles.0.isTemporary") {
			t.Errorf("%s", a.Body)
		}
	})
	t.Run("refused/the rules of a role, which do not end", func(t *testing.T) {
		made := s.Admin.Call(t, http.MethodPost, "/api/v1/organization/roles", object{"slug": "held", "name": "h", "permissions": []any{}}).Want(200).Text("role.id")
		giver.Call(t, http.MethodPatch, "/api/v1/organization/roles/"+made, object{"permissions": []any{object{"subject": "kms", "action": "read"}}}).
			WantError(403, "PermissionBoundaryError")
	})
	t.Run("in a project", func(t *testing.T) {
		p := newProject(t, s)
		members := projectsPath + "/" + p.ID + "/memberships/identities/"
		answer := s.Admin.Call(t, http.MethodPost, members+giver.ID, object{"roles": []any{object{"role": "no-access"}, forAnHour(s, "admin", 0)}})
		if end := answer.Want(200).Text("identityMembership.roles.1.temporaryAccessEndTime"); end == "" {
			t.Errorf("%s", answer.Body)
		}
		target := s.NewIdentity(t, "no-access")
		ends(t, giver.Call(t, http.MethodPost, members+target, object{"role": "admin"}), "identityMembership.roles.0")
		ends(t, giver.Call(t, http.MethodPatch, members+target, object{"roles": []any{object{"role": "viewer"}}}), "roles.0")
		privilege := privilegeBody(p, target)
		ends(t, giver.Call(t, http.MethodPost, privilegesPath, privilege), "privilege")
	})
}

// Who may not hand out roles does not learn which there are.
func TestRefusalsDoNotTellWhichRolesThereAre(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	p := newProject(t, s)
	_, slug := newProjectRole(t, s, p)
	s.Admin.Call(t, http.MethodPost, "/api/v1/organization/roles", object{"slug": slug, "name": "h", "permissions": []any{}}).Want(200)
	nobody := s.NewActor(t, "no-access", nil)
	s.Admin.Call(t, http.MethodPost, projectsPath+"/"+p.ID+"/memberships/identities/"+nobody.ID, object{"role": "no-access"}).Want(200)
	target, membership := join(t, s, p)
	privilege := privilegeBody(p, target)
	made := s.Admin.Call(t, http.MethodPost, privilegesPath, privilege).Want(200)
	members, users := projectsPath+"/"+p.ID+"/memberships/identities/", projectsPath+"/"+p.ID+"/memberships"
	roles := func(slug string) object { return object{"roles": []any{object{"role": slug}}} }
	for name, call := range map[string]func(slug string) *harness.Answer{
		"join the organization": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodPost, membershipPath(target), roles(slug))
		},
		"roles in the organization": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodPatch, membershipPath(target), roles(slug))
		},
		"a new identity": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodPost, harness.Identities, object{"name": "x", "organizationId": s.OrgID, "role": slug})
		},
		"the role of an identity": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodPatch, identityPath(target), object{"role": slug})
		},
		"join a project": func(slug string) *harness.Answer { return nobody.Call(t, http.MethodPost, members+target, roles(slug)) },
		"roles in a project": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodPatch, members+target, roles(slug))
		},
		"a user joins a project": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodPost, users, object{"usernames": []string{"a@example.com"}, "roleSlugs": []string{slug}})
		},
		"roles of a user in a project": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodPatch, users+"/"+membership, roles(slug))
		},
		"a role of the organization": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodGet, "/api/v1/organization/roles/slug/"+slug, nil)
		},
		"a role of the project": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodGet, projectsPath+"/"+p.ID+"/roles/slug/"+slug, nil)
		},
		"a new identity of the project": func(slug string) *harness.Answer {
			body := roles(slug)
			body["name"] = "x"
			return nobody.Call(t, http.MethodPost, projectsPath+"/"+p.ID+"/identities", body)
		},
		"a privilege by its slug": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodGet, privilegesPath+"/slug/"+privilegeSlug(slug, made)+"?identityId="+target+"&projectSlug="+p.Slug, nil)
		},
		"a folder in an environment, named": func(slug string) *harness.Answer {
			return nobody.Call(t, http.MethodPatch, "/api/v2/folders/x", object{"projectId": p.ID, "environment": environmentSlug(slug), "path": "/", "name": "y"})
		},
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			there, unknown := call(slug).WantError(403, "PermissionDenied"), call("none-such").WantError(403, "PermissionDenied")
			if there.Text("message") != unknown.Text("message") {
				t.Errorf("told apart: %s and %s", there.Body, unknown.Body)
			}
		})
	}
}

// privilegeSlug and environmentSlug make of the name of a role one of another thing, which is there or not alike.
func privilegeSlug(slug string, made *harness.Answer) string {
	if slug == "none-such" {
		return slug
	}
	return made.Text("privilege.slug")
}

func environmentSlug(slug string) string {
	if slug == "none-such" {
		return slug
	}
	return "dev"
}

func TestSearchByRoleFindsEveryHolder(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	second, was, plain := s.NewIdentity(t, "no-access"), s.NewIdentity(t, "no-access"), s.NewIdentity(t, "no-access")
	s.Admin.Call(t, http.MethodPatch, membershipPath(second), object{"roles": []any{object{"role": "no-access"}, object{"role": "admin"}}}).Want(200)
	s.Admin.Call(t, http.MethodPatch, membershipPath(was), object{"roles": []any{forAnHour(s, "admin", 0), object{"role": "no-access"}}}).Want(200)
	find := func(t *testing.T) map[string]bool {
		found := map[string]bool{}
		for _, a := range []*harness.Answer{
			s.Admin.Call(t, http.MethodPost, harness.Identities+"/search", object{"search": object{"role": "admin"}}).Want(200),
		} {
			for _, id := range a.List("identities", "identity.id") {
				found[id] = true
			}
		}
		for _, id := range s.Admin.Call(t, http.MethodGet, "/api/v1/organization/identity-memberships?roles=admin&limit=100", nil).Want(200).List("identityMemberships", "identity.id") {
			if !found[id] {
				t.Errorf("the list by roles has %s and the search has not", id)
			}
		}
		return found
	}
	if found := find(t); !found[second] || !found[was] || found[plain] {
		t.Errorf("found %v", found)
	}
	s.Clock.Advance(2 * time.Hour)
	if found := find(t); !found[second] || found[was] {
		t.Errorf("after its role has ended: found %v", found)
	}
	a := s.Admin.Call(t, http.MethodGet, identityPath(was), nil).Want(200)
	if a.Text("identity.role") != "no-access" || len(a.List("identity.roles", "role")) != 2 {
		t.Errorf("it shows an ended role as its own, or hides it: %s", a.Body)
	}
}
