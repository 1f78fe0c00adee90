package app

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// places are where in a project someone may be asked for a permission on secrets; the empty one asks about any place.
var places = map[string]access.Fields{
	"anywhere": nil,
	"in dev":   {access.Environment("dev"), access.SecretPath("/"), access.SecretName("x"), access.SecretTags(nil)},
	"in prod":  {access.Environment("prod"), access.SecretPath("/"), access.SecretName("x"), access.SecretTags(nil)},
	"of red":   {access.Environment("prod"), access.SecretPath("/red"), access.SecretName("x"), access.SecretTags(nil)},
}

// insideUniverse returns all that there is to be had in a project.
func insideUniverse() (all []permission) {
	rules, _ := access.ProjectRole("admin")
	for _, r := range rules {
		for _, action := range r.Actions {
			all = append(all, permission{action, r.Subject, "anywhere"})
			if r.Subject == access.SubjectSecrets {
				for place := range places {
					all = append(all, permission{action, r.Subject, place})
				}
			}
		}
	}
	return all
}

// heldInside adds what someone may do in the project now. Who may enter all projects may do everything there.
func (w *world) heldInside(t *rapid.T, who person, held map[permission]bool) map[permission]bool {
	if w.project == "" {
		return held
	}
	kind := access.ActorIdentity
	if who.email != "" {
		kind = access.ActorUser
	}
	grants, err := w.app.members.InProject(t.Context(), kind, who.id, w.project)
	if err != nil {
		t.Fatal(err)
	}
	everything := held[permission{access.AccessAllProjects, access.SubjectAdminConsole, ""}]
	actor := &access.Actor{Rights: grants.Rights}
	for _, p := range w.inside {
		allowed, err := actor.Allows(p.action, p.subject, places[p.at])
		if err != nil {
			t.Fatal(err)
		}
		if everything || allowed {
			held[p] = true
		}
	}
	return held
}

// populate makes a project with roles, in which some people have some of them. It returns the slugs of the roles.
func (w *world) populate(t *rapid.T, people []person) []string {
	w.project = text(w.call(w.admin, http.MethodPost, "/api/v1/projects", map[string]any{"projectName": "x"}), "project", "id")
	keeper := w.roleOf(t, []map[string]any{{"subject": "member", "action": []string{"read", "create", "edit", "delete"}}})
	roles := []string{"member", "viewer", "no-access", keeper, w.projectRole(t), w.projectRole(t)}
	for _, p := range people {
		if p.email != "" {
			if rapid.Bool().Draw(t, "in from the start") {
				w.call(w.admin, http.MethodPost, w.members(), map[string]any{"usernames": []string{p.email}, "roleSlugs": []string{rapid.SampledFrom(roles).Draw(t, "role")}})
			}
			continue
		}
		first, second := rapid.SampledFrom(roles).Draw(t, "first role"), rapid.SampledFrom(roles).Draw(t, "second role")
		w.call(w.admin, http.MethodPost, w.member(p), map[string]any{"roles": []any{map[string]any{"role": first}, map[string]any{"role": second}}})
		w.give(p, map[string]any{"subject": "secrets", "action": "readValue", "conditions": map[string]any{"secretPath": map[string]any{"$eq": "/{{identity.metadata.team}}"}}})
		w.give(p, map[string]any{"subject": "secrets", "action": "delete", "inverted": true})
	}
	return roles
}

// give has the administrator give someone one additional privilege.
func (w *world) give(p person, rule map[string]any) {
	w.call(w.admin, http.MethodPost, "/api/v2/identity-project-additional-privilege",
		map[string]any{"identityId": p.id, "projectId": w.project, "permissions": []any{rule}})
}

func (w *world) member(p person) string {
	return "/api/v1/projects/" + w.project + "/memberships/identities/" + p.id
}

// members is the path of the memberships of users.
func (w *world) members() string { return "/api/v1/projects/" + w.project + "/memberships" }

// user makes a user of the organization who may do nothing there, and logs them in. No route does that.
func (w *world) user(t *testing.T, email string) person {
	t.Helper()
	p := person{id: id.New(), email: email}
	err := w.app.db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
			SELECT $1, $2, '', '', password_hash, FALSE, 0, 0 FROM users WHERE super_admin`, p.id, email)
		if err == nil {
			_, err = member.Join(t.Context(), tx, member.Draft{OrgID: w.org, UserID: p.id, Roles: member.Permanent(role.BuiltIn(role.NoAccess))})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	login := w.call("", http.MethodPost, "/api/v3/auth/login", map[string]any{"email": email, "password": "a long password"})
	p.token = text(w.call(text(login, "accessToken"), http.MethodPost, "/api/v3/auth/select-organization", map[string]any{"organizationId": w.org}), "token")
	if p.token == "" {
		t.Fatalf("no token for the user %s", email)
	}
	return p
}

// changeUser makes one random change of a user's place in the project and returns what it was.
func (w *world) changeUser(t *rapid.T, by, on person, role string) string {
	found := w.call(w.admin, http.MethodPost, w.members()+"/details", map[string]any{"username": on.email})
	at := w.members() + "/" + text(found, "membership", "id")
	switch rapid.IntRange(0, 3).Draw(t, "change of a user") {
	case 0:
		w.call(by.token, http.MethodPatch, at, map[string]any{"roles": []any{map[string]any{"role": role}}})
		return "PATCH user " + role
	case 1:
		w.call(by.token, http.MethodDelete, at, nil)
		return "DELETE user"
	case 2:
		w.call(by.token, http.MethodDelete, w.members(), map[string]any{"usernames": []string{on.email}})
		return "DELETE users"
	default:
		w.call(by.token, http.MethodPost, w.members(), map[string]any{"usernames": []string{on.email}, "roleSlugs": []string{role}})
		return "POST users " + role
	}
}

func (w *world) projectRole(t *rapid.T) string { return w.roleOf(t, w.projectRules(t)) }

// roleOf makes a role of the project and returns its slug.
func (w *world) roleOf(t *rapid.T, rules []map[string]any) string {
	w.serial++
	slug := fmt.Sprintf("role-%d", w.serial)
	made := w.call(w.admin, http.MethodPost, "/api/v1/projects/"+w.project+"/roles",
		map[string]any{"slug": slug, "name": slug, "permissions": rules})
	if text(made, "role", "id") == "" {
		t.Fatalf("no role: %v", made)
	}
	return slug
}

// projectRules leans towards the rules that matter here: those on identities, roles and secrets, some with conditions.
func (w *world) projectRules(t *rapid.T) []map[string]any {
	near := rapid.SampledFrom([]permission{{action: "read", subject: "identity"}, {action: "create", subject: "identity"}, {action: "edit", subject: "identity"},
		{action: "delete", subject: "identity"}, {action: "create", subject: "role"}, {action: "edit", subject: "role"}, {action: "delete", subject: "role"},
		{action: "readValue", subject: "secrets"}, {action: "readValue", subject: "secrets"}, {action: "readValue", subject: "secrets"},
		{action: "create", subject: "member"}, {action: "edit", subject: "member"}, {action: "delete", subject: "member"},
		{action: "create", subject: "secrets"}, {action: "delete", subject: "workspace"}})
	conditions := rapid.SampledFrom([]map[string]any{nil, {"environment": "dev"}, {"environment": map[string]any{"$ne": "dev"}},
		{"secretPath": map[string]any{"$eq": "/{{identity.metadata.team}}"}}, {"secretPath": map[string]any{"$glob": "/{{identity.username}}"}}})
	rule := rapid.Custom(func(t *rapid.T) map[string]any {
		p := near.Draw(t, "near")
		r := map[string]any{"subject": p.subject, "action": p.action, "inverted": rapid.IntRange(0, 3).Draw(t, "inverted") == 0}
		if p.subject == access.SubjectSecrets {
			r["conditions"] = conditions.Draw(t, "conditions")
		}
		return r
	})
	return rapid.SliceOfN(rule, 1, 6).Draw(t, "rules")
}

// changeInProject makes one random change in the project and returns what it was.
func (w *world) changeInProject(t *rapid.T, by, on person, roles []string) string {
	role := rapid.SampledFrom(roles).Draw(t, "role")
	if on.email != "" {
		return w.changeUser(t, by, on, role)
	}
	privileges := "/api/v2/identity-project-additional-privilege"
	span := map[string]any{"isTemporary": rapid.Bool().Draw(t, "for a time"), "temporaryMode": "relative", "temporaryRange": "1h",
		"temporaryAccessStartTime": time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)}
	switch rapid.IntRange(0, 10).Draw(t, "change") {
	case 0:
		w.call(by.token, http.MethodPatch, w.member(on), map[string]any{"roles": []any{map[string]any{"role": role}}})
		return "PATCH project membership " + role
	case 1:
		w.call(by.token, http.MethodDelete, w.member(on), nil)
		return "DELETE project membership"
	case 2:
		w.call(by.token, http.MethodPost, w.member(on), map[string]any{"role": role})
		return "POST project membership " + role
	case 3:
		found := w.call(w.admin, http.MethodGet, "/api/v1/projects/"+w.project+"/roles/slug/"+role, nil)
		w.call(by.token, http.MethodPatch, "/api/v1/projects/"+w.project+"/roles/"+text(found, "role", "id"), map[string]any{"permissions": w.projectRules(t)})
		return "PATCH project role " + role
	case 4, 5:
		made := w.call(by.token, http.MethodPost, privileges, map[string]any{"identityId": on.id, "projectId": w.project, "permissions": w.projectRules(t), "type": span})
		return "POST privilege " + text(made, "privilege", "slug")
	case 6:
		w.call(by.token, http.MethodPatch, privileges+"/"+w.privilege(t, on), map[string]any{"permissions": w.projectRules(t), "type": span})
		return "PATCH privilege"
	case 7:
		w.call(by.token, http.MethodDelete, privileges+"/"+w.privilege(t, on), nil)
		return "DELETE privilege"
	default:
		w.call(by.token, http.MethodPatch, "/api/v1/identities/"+on.id, map[string]any{"name": "red", "metadata": []any{map[string]any{"key": "team", "value": "red"}}})
		return "PATCH name and metadata"
	}
}

// privilege returns the id of one of someone's privileges, which the administrator gives if there is none.
func (w *world) privilege(t *rapid.T, on person) string {
	found := w.call(w.admin, http.MethodGet, "/api/v2/identity-project-additional-privilege?identityId="+on.id+"&projectId="+w.project, nil)
	list, _ := found["privileges"].([]any)
	if len(list) == 0 {
		return "none"
	}
	first, _ := rapid.SampledFrom(list).Draw(t, "privilege").(map[string]any)
	return text(first, "id")
}
