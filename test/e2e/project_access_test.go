package e2e

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

const privilegesPath = "/api/v2/identity-project-additional-privilege"

// under are the paths at which routes about a project stand that have several names, by the end of their ids.
var under = map[string]func(p project) string{
	"":        func(p project) string { return projectsPath + "/" + p.ID },
	"-old":    func(p project) string { return "/api/v1/workspace/" + p.ID },
	"-oldv2":  func(p project) string { return "/api/v2/workspace/" + p.ID },
	"-oldest": func(p project) string { return "/api/v1/workspace/" + p.Slug },
}

// inside builds a request from a new project.
func inside(build func(t *testing.T, s *harness.Server, p project) request) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request { return build(t, s, newProject(t, s)) }
}

// join makes a new identity a member with no-access.
func join(t *testing.T, s *harness.Server, p project) (identityID, membershipID string) {
	t.Helper()
	id := s.NewIdentity(t, "no-access")
	return id, s.Admin.Call(t, http.MethodPost, projectsPath+"/"+p.ID+"/memberships/identities/"+id, object{"role": "no-access"}).Want(200).Text("identityMembership.id")
}

func projectRoleBody() object {
	return object{"slug": harness.RandomName(), "name": "Reader", "description": "reads",
		"permissions": []any{object{"subject": "secrets", "action": []string{"readValue"}, "conditions": object{"environment": "dev"}, "inverted": false}}}
}

func newProjectRole(t *testing.T, s *harness.Server, p project) (roleID, slug string) {
	t.Helper()
	made := s.Admin.Call(t, http.MethodPost, projectsPath+"/"+p.ID+"/roles", projectRoleBody()).Want(200)
	return made.Text("role.id"), made.Text("role.slug")
}

func privilegeBody(p project, identityID string) object {
	return object{"identityId": identityID, "projectId": p.ID, "slug": "extra",
		"permissions": []any{object{"subject": "secrets", "action": "readValue", "conditions": object{"environment": "dev"}, "inverted": false}},
		"type":        object{"isTemporary": false, "temporaryMode": "relative", "temporaryRange": "1h", "temporaryAccessStartTime": "2026-01-01T00:00:00Z"}}
}

const oldPrivilegesPath = "/api/v1/additional-privilege/identity"

// The words of version 1 for what a privilege allows, and for how long.
var (
	oldRules   = []any{object{"subject": "secrets", "action": "readValue", "conditions": object{"environment": "dev"}, "inverted": false}}
	oldSecrets = object{"actions": []string{"read"}, "subject": "secrets", "conditions": object{"environment": "dev", "secretPath": object{"$glob": "/app/*"}}}
	oldSpan    = object{"temporaryMode": "relative", "temporaryRange": "1h", "temporaryAccessStartTime": "2026-01-01T00:00:00Z"}
)

func oldPrivilegeBody(p project, identityID string) object {
	return object{"identityId": identityID, "projectSlug": p.Slug, "slug": "extra", "permissions": oldRules, "privilegePermission": oldSecrets}
}

func newPrivilege(t *testing.T, s *harness.Server, p project) (privilegeID, identityID string) {
	t.Helper()
	id, _ := join(t, s, p)
	return s.Admin.Call(t, http.MethodPost, privilegesPath, privilegeBody(p, id)).Want(200).Text("privilege.id"), id
}

func privilegeRequest(body func(p project, identityID string) object) func(*testing.T, *harness.Server) request {
	return inside(func(t *testing.T, s *harness.Server, p project) request {
		v, identityID := newPrivilege(t, s, p)
		if body == nil {
			return request{privilegesPath + "/" + v, nil}
		}
		return request{privilegesPath + "/" + v, body(p, identityID)}
	})
}

func ownedBody() object {
	return object{"name": "worker", "hasDeleteProtection": false, "metadata": []any{object{"key": "team", "value": "core"}}, "roles": assignments["roles"]}
}

func ownedRequest(body func() object) func(*testing.T, *harness.Server) request {
	return inside(func(t *testing.T, s *harness.Server, p project) request {
		path := under[""](p) + "/identities"
		r := request{path: path + "/" + s.Admin.Call(t, http.MethodPost, path, ownedBody()).Want(200).Text("identity.id")}
		if body != nil {
			r.body = body()
		}
		return r
	})
}

func tagBody() object { return object{"slug": "blue", "color": "#0000ff"} }

// projectRequests are the requests of routes about projects. Each makes a project of its own.
var projectRequests = func() map[string]func(*testing.T, *harness.Server) request {
	all := accessRequests()
	maps.Copy(all, placeRequests)
	return all
}()

// accessRequests are the requests about who may do what in a project, under all their names.
func accessRequests() map[string]func(*testing.T, *harness.Server) request {
	all := map[string]func(*testing.T, *harness.Server) request{
		"get-project-identity-membership": inside(func(t *testing.T, s *harness.Server, p project) request {
			_, membership := join(t, s, p)
			return request{"/api/v2/workspace/identity-memberships/" + membership, nil}
		}),
		"get-any-project-role": inside(func(t *testing.T, s *harness.Server, p project) request {
			id, _ := newProjectRole(t, s, p)
			return request{projectsPath + "/roles/" + id, nil}
		}),
		"create-privilege": inside(func(t *testing.T, s *harness.Server, p project) request {
			id, _ := join(t, s, p)
			return request{privilegesPath, privilegeBody(p, id)}
		}),
		"list-privileges": inside(func(t *testing.T, s *harness.Server, p project) request {
			_, id := newPrivilege(t, s, p)
			return request{privilegesPath + "?identityId=" + id + "&projectId=" + p.ID, nil}
		}),
		"get-privilege-by-slug": inside(func(t *testing.T, s *harness.Server, p project) request {
			_, id := newPrivilege(t, s, p)
			return request{privilegesPath + "/slug/extra?identityId=" + id + "&projectSlug=" + p.Slug, nil}
		}),
		"list-privileges-old": inside(func(t *testing.T, s *harness.Server, p project) request {
			_, id := newPrivilege(t, s, p)
			return request{oldPrivilegesPath + "?identityId=" + id + "&projectSlug=" + p.Slug, nil}
		}),
		"get-privilege-old": inside(func(t *testing.T, s *harness.Server, p project) request {
			_, id := newPrivilege(t, s, p)
			return request{oldPrivilegesPath + "/extra?identityId=" + id + "&projectSlug=" + p.Slug, nil}
		}),
		"create-privilege-old": inside(func(t *testing.T, s *harness.Server, p project) request {
			id, _ := join(t, s, p)
			return request{oldPrivilegesPath + "/permanent", oldPrivilegeBody(p, id)}
		}),
		"create-temporary-privilege-old": inside(func(t *testing.T, s *harness.Server, p project) request {
			id, _ := join(t, s, p)
			body := oldPrivilegeBody(p, id)
			maps.Copy(body, oldSpan)
			return request{oldPrivilegesPath + "/temporary", body}
		}),
		"update-privilege-old": inside(func(t *testing.T, s *harness.Server, p project) request {
			_, id := newPrivilege(t, s, p)
			details := object{"slug": "extra", "isTemporary": false, "permissions": oldRules, "privilegePermission": oldSecrets}
			maps.Copy(details, oldSpan)
			return request{oldPrivilegesPath, object{"projectSlug": p.Slug, "identityId": id, "privilegeSlug": "extra", "privilegeDetails": details}}
		}),
		"delete-privilege-old": inside(func(t *testing.T, s *harness.Server, p project) request {
			_, id := newPrivilege(t, s, p)
			return request{oldPrivilegesPath, object{"projectSlug": p.Slug, "identityId": id, "privilegeSlug": "extra"}}
		}),
		"get-project-user-by-id": inside(func(t *testing.T, s *harness.Server, p project) request {
			userID, email := newUser(t, s, "no-access")
			s.Admin.Call(t, http.MethodPost, projectsPath+"/"+p.ID+"/memberships", object{"usernames": []string{email}}).Want(200)
			return request{projectsPath + "/" + p.ID + "/user/" + userID + "/membership", nil}
		}),
		"get-privilege": privilegeRequest(nil), "update-privilege": privilegeRequest(privilegeBody), "delete-privilege": privilegeRequest(nil),

		"create-owned-identity": inside(func(_ *testing.T, _ *harness.Server, p project) request {
			return request{under[""](p) + "/identities", ownedBody()}
		}),
		"list-owned-identities": inside(func(_ *testing.T, _ *harness.Server, p project) request {
			return request{under[""](p) + "/identities?search=w", nil}
		}),
		"get-owned-identity": ownedRequest(nil), "update-owned-identity": ownedRequest(ownedBody), "delete-owned-identity": ownedRequest(nil),
	}
	for suffix, base := range map[string]string{"": "", "-old": "-oldv2", "-oldest": "-oldest"} {
		addRoleRequests(all, suffix, under[base])
	}
	for suffix, at := range map[string]func(project) string{
		"":       func(p project) string { return under[""](p) + "/memberships/identities" },
		"-alias": func(p project) string { return under[""](p) + "/identity-memberships" },
		"-old":   func(p project) string { return under["-oldv2"](p) + "/identity-memberships" },
	} {
		addMemberRequests(all, suffix, at)
	}
	for _, suffix := range []string{"", "-old"} {
		addTagRequests(all, suffix, under[suffix])
	}
	addUserRequests(all)
	return all
}

func addRoleRequests(all map[string]func(*testing.T, *harness.Server) request, suffix string, at func(project) string) {
	all["create-project-role"+suffix] = inside(func(_ *testing.T, _ *harness.Server, p project) request {
		return request{at(p) + "/roles", projectRoleBody()}
	})
	all["list-project-roles"+suffix] = inside(func(_ *testing.T, _ *harness.Server, p project) request { return request{at(p) + "/roles", nil} })
	all["get-project-role-by-slug"+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
		_, slug := newProjectRole(t, s, p)
		return request{at(p) + "/roles/slug/" + slug, nil}
	})
	for id, body := range map[string]func() object{"update-project-role": projectRoleBody, "delete-project-role": nil} {
		all[id+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
			roleID, _ := newProjectRole(t, s, p)
			r := request{path: at(p) + "/roles/" + roleID}
			if body != nil {
				r.body = body()
			}
			return r
		})
	}
}

func addMemberRequests(all map[string]func(*testing.T, *harness.Server) request, suffix string, at func(project) string) {
	all["list-project-identities"+suffix] = inside(func(_ *testing.T, _ *harness.Server, p project) request { return request{at(p), nil} })
	all["add-project-identity"+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
		return request{at(p) + "/" + s.NewIdentity(t, "no-access"), object{"role": "no-access", "roles": assignments["roles"]}}
	})
	for id, body := range map[string]object{"get-project-identity": nil, "update-project-identity": assignments, "remove-project-identity": nil} {
		all[id+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
			identityID, _ := join(t, s, p)
			r := request{path: at(p) + "/" + identityID}
			if body != nil {
				r.body = body
			}
			return r
		})
	}
}

func addTagRequests(all map[string]func(*testing.T, *harness.Server) request, suffix string, at func(project) string) {
	all["list-tags"+suffix] = inside(func(_ *testing.T, _ *harness.Server, p project) request { return request{at(p) + "/tags", nil} })
	all["create-tag"+suffix] = inside(func(_ *testing.T, _ *harness.Server, p project) request { return request{at(p) + "/tags", tagBody()} })
	all["get-tag-by-slug"+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
		newTag(t, s, p)
		return request{at(p) + "/tags/slug/blue", nil}
	})
	for id, body := range map[string]func() object{"get-tag": nil, "update-tag": tagBody, "delete-tag": nil} {
		all[id+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
			r := request{path: at(p) + "/tags/" + newTag(t, s, p)}
			if body != nil {
				r.body = body()
			}
			return r
		})
	}
}

func newTag(t *testing.T, s *harness.Server, p project) (tagID string) {
	t.Helper()
	return s.Admin.Call(t, http.MethodPost, projectsPath+"/"+p.ID+"/tags", tagBody()).Want(200).Text("tag.id")
}

// walked are the tags of the routes that TestBuiltInProjectRoles walks.
var walked = []string{"Projects", "Environments", "Folders", "Project Identities", "Project Users", "Project Roles", "Additional Privileges", "Secret Tags"}

// TestBuiltInProjectRoles calls every route inside projects as a member with each built-in role. The permission that the
// route declares decides; a route that declares none is open to every member.
func TestBuiltInProjectRoles(t *testing.T) {
	s := harness.StartReady(t)
	actors := map[string]harness.Actor{}
	abilities := map[string]*access.Ability{}
	for _, role := range []string{"admin", "member", "viewer", "no-access"} {
		actors[role] = s.NewActor(t, "no-access", nil)
		rules, _ := access.ProjectRole(role)
		ability, err := access.CompileProject(rules)
		if err != nil {
			t.Fatal(err)
		}
		abilities[role] = ability
	}
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if !inProject(r) || !strings.Contains(strings.Join(walked, ","), r.Tag) {
			return
		}
		good := requestOf(t, s, r)
		for role, actor := range actors {
			s.Admin.Call(t, http.MethodPost, projectsPath+"/"+newest(t, s)+"/memberships/identities/"+actor.ID, object{"role": role}).Want(200)
			if !r.AnyActor && !abilities[role].AllowsSome(r.Permission.Action, r.Permission.Subject) {
				t.Run("refused/"+role, func(t *testing.T) { actor.Call(t, r.Method, good.path, good.body).WantError(403, "PermissionDenied") })
				continue
			}
			t.Run("accepted/"+role, func(t *testing.T) { actor.Call(t, r.Method, good.path, good.body).Want(200) })
			if r.Method != http.MethodGet {
				good = requestOf(t, s, r) // what the last one named may be gone
			}
		}
	})
}

// TestNoMemberTouchesAnAdministratorOfTheProject by any route that names an identity and does more than take away.
func TestNoMemberTouchesAnAdministratorOfTheProject(t *testing.T) {
	s := harness.StartReady(t)
	p, attacker, victim := newProject(t, s), s.NewActor(t, "member", nil), s.NewIdentity(t, "no-access")
	at := under[""](p)
	s.Admin.Call(t, http.MethodPost, at+"/memberships/identities/"+attacker.ID, object{"role": "member"}).Want(200)
	s.Admin.Call(t, http.MethodPost, at+"/memberships/identities/"+victim, object{"role": "admin"}).Want(200)
	owned := ownedBody()
	owned["roles"] = []any{object{"role": "admin"}}
	ownedID := s.Admin.Call(t, http.MethodPost, at+"/identities", owned).Want(200).Text("identity.id")
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if !inProject(r) || r.Method == http.MethodGet || r.Method == http.MethodDelete || !strings.Contains(r.Path, "{identityId}") || strings.HasPrefix(r.ID, "add-") {
			return
		}
		id := victim
		if strings.Contains(r.ID, "owned") {
			id = ownedID
		}
		body, _ := requestOf(t, s, r).body.(object)
		before := s.Snapshot(t)
		attacker.Call(t, r.Method, strings.NewReplacer("{projectId}", p.ID, "{identityId}", id).Replace(r.Path), body).WantError(403, "PermissionBoundaryError")
		if diff := cmp.Diff(before, s.Snapshot(t)); diff != "" {
			t.Errorf("it was refused, and done: %s", diff)
		}
	})
	for name, path := range map[string]string{"a member": victim, "an owned identity": ownedID} {
		t.Run("refused/a token of "+name, func(t *testing.T) {
			s.Admin.Call(t, http.MethodPost, harness.TokenAuth+path, object{}).Want(200)
			keeper := s.NewActor(t, newKeeper(t, s), nil)
			keeper.Call(t, http.MethodPost, harness.TokenAuth+path+"/tokens", object{}).WantError(403, "PermissionBoundaryError")
		})
	}
}

// newKeeper makes a role that may make tokens of identities in the organization, and returns its slug.
func newKeeper(t *testing.T, s *harness.Server) (slug string) {
	t.Helper()
	body := object{"slug": harness.RandomName(), "name": "Keeper", "permissions": []any{
		object{"subject": "identity", "action": []string{"read", "edit", "create-token"}}}}
	return s.Admin.Call(t, http.MethodPost, rolesPath, body).Want(200).Text("role.slug")
}

// newest returns the id of the project that was made last: the one that a request is about.
func newest(t *testing.T, s *harness.Server) (projectID string) {
	t.Helper()
	if err := s.DB.QueryRow(`SELECT id FROM projects ORDER BY id DESC LIMIT 1`).Scan(&projectID); err != nil {
		t.Fatal(err)
	}
	return projectID
}
