package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// prey is an identity, and a user, from which a responder takes something away. Both administer a project, and the
// identity owns another one that the responder is not a member of.
type prey struct {
	*subject
	orgID             string
	owned, privilege  string // an identity that the project owns; an additional privilege of the identity
	userID, email, at string // the user, and its membership of the project
}

// newTarget makes a target with a role in the organization. Who responds may end things in the project.
func newTarget(t *testing.T, s *harness.Server, role string, responder harness.Actor) *prey {
	t.Helper()
	x := &prey{subject: newSubject(t, s, false), orgID: s.OrgID}
	in := projectsPath + "/" + x.project
	admin := object{"roles": []any{object{"role": "admin"}}}
	s.Admin.Call(t, http.MethodPatch, in+"/memberships/identities/"+x.id, admin).Want(200)
	x.privilege = s.Admin.Call(t, http.MethodGet, "/api/v2/identity-project-additional-privilege?projectId="+x.project+"&identityId="+x.id, nil).Want(200).Text("privileges.0.id")
	x.owned = s.Admin.Call(t, http.MethodPost, in+"/identities", object{"name": harness.RandomName(), "roles": []any{object{"role": "admin"}}}).Want(200).Text("identity.id")
	x.userID, x.email = newUser(t, s, role)
	x.at = s.Admin.Call(t, http.MethodPost, in+"/memberships", object{"usernames": []string{x.email}, "roleSlugs": []string{"admin"}}).Want(200).Text("memberships.0.id")
	s.As(x.tokens["token-auth"]).Call(t, http.MethodPost, projectsPath, projectBody()).Want(200)
	for _, id := range []string{x.id, x.owned} {
		if role != "member" {
			s.Admin.Call(t, http.MethodPatch, identityPath(id), object{"role": role}).Want(200)
		}
	}
	s.Admin.Call(t, http.MethodPost, in+"/roles", object{"slug": "ender", "name": "ender", "permissions": []any{
		object{"subject": "identity", "action": []string{"read", "edit", "delete"}}, object{"subject": "member", "action": []string{"delete"}}}}).Want(200)
	s.Admin.Call(t, http.MethodPost, in+"/memberships/identities/"+responder.ID, object{"role": "ender"}).Want(200)
	return x
}

// newResponder makes an identity that may do what a member may, and take away.
func newResponder(t *testing.T, s *harness.Server) harness.Actor {
	t.Helper()
	rules, _ := s.Admin.Call(t, http.MethodGet, rolesPath+"/slug/member", nil).Want(200).At("role.permissions").([]any)
	rules = append(rules, object{"subject": "identity", "action": []string{"delete-token", "revoke-auth"}}, object{"subject": "member", "action": []string{"edit", "delete"}})
	slug := harness.RandomName()
	s.Admin.Call(t, http.MethodPost, rolesPath, object{"slug": slug, "name": slug, "permissions": rules}).Want(200)
	return s.NewActor(t, slug, nil)
}

// takes are the routes that only take something away from an identity or a user, with the body that they need.
var takes = map[string]func(x *prey) any{
	"revoke-token-auth-token": nil, "revoke-any-token": nil, "revoke-identity-tokens": nil, "revoke-client-secret": nil, "revoke-client-secret-tokens": nil,
	"detach-token-auth": nil, "detach-universal-auth": nil, "detach-jwt-auth": nil, "detach-oidc-auth": nil, "detach-kubernetes-auth": nil,
	"delete-identity": nil, "delete-org-identity": nil, "delete-identity-membership": nil, "delete-owned-identity": nil, "revoke-user-sessions": nil,
	"remove-organization-user": nil, "remove-organization-users": func(x *prey) any { return object{"membershipIds": []string{orgMembershipOf(x.email)}} },
}

// ends are those that end what somebody holds in a project: the permission there is all that they ask for.
var ends = map[string]func(x *prey) any{
	"remove-project-identity": nil, "remove-project-identity-alias": nil, "remove-project-identity-old": nil, "delete-privilege": nil,
	"remove-project-user": nil, "remove-project-user-old": nil, "remove-project-users": emails, "remove-project-users-old": emails,
	"delete-privilege-old": func(x *prey) any {
		return object{"projectSlug": x.slug, "identityId": x.id, "privilegeSlug": "extra"}
	},
}

func emails(x *prey) any { return object{"usernames": []string{x.email}} }

// others are the routes that take away something else: one's own, of the whole organization, or things.
var others = []string{"revoke-own-token", "oauth-revoke", "revoke-own-session", "revoke-own-sessions", "revoke-organization-tokens", "delete-org-role",
	"delete-folder", "delete-folder-old", "delete-project", "delete-workspace", "delete-workspace-v2", "delete-environment", "delete-environment-old",
	"delete-project-role", "delete-project-role-old", "delete-project-role-oldest", "delete-tag", "delete-tag-old", "delete-secret-import", "delete-secret-import-old",
	"delete-secrets-v3", "delete-secret-v3", "detach-secret-tags", "delete-secrets-v4", "delete-secret-v4"}

// take has the responder call such a route for the target.
func (x *prey) take(t *testing.T, responder harness.Actor, r httpapi.Route, body func(*prey) any) *harness.Answer {
	t.Helper()
	identityID := x.id
	if strings.Contains(r.Path, "/projects/{projectId}/identities/") {
		identityID = x.owned
	}
	membershipID := x.at
	if strings.Contains(r.Path, "/organizations/{orgId}") {
		membershipID = orgMembershipOf(x.email)
	}
	path := strings.NewReplacer("{orgId}", x.orgID, "{identityId}", identityID, "{tokenId}", x.tokenID, "{clientSecretId}", x.secretID, "{projectId}", x.project,
		"{membershipId}", membershipID, "{userId}", x.userID, "{privilegeId}", x.privilege).Replace(r.Path)
	var content any
	if body != nil {
		content = body(x)
	}
	return responder.Call(t, r.Method, path, content)
}

// TestNobodyPutsThemselvesOutOfReach: whoever may take away can do so whatever the target holds in projects. More rights in
// the organization protect from acts there, and so does the administration of the instance; from an end in a project nothing.
func TestNobodyPutsThemselvesOutOfReach(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	responder := newResponder(t, s)
	strong, root := newTarget(t, s, "admin", responder), newTarget(t, s, "no-access", responder)
	root.administer(t, s)
	for _, r := range s.App.API().Routes() {
		if body, ok := takes[r.ID]; ok {
			t.Run("refused/more in the organization/"+r.ID, func(t *testing.T) {
				strong.take(t, responder, r, body).WantError(403, "PermissionBoundaryError")
			})
			t.Run("refused/instance administrator/"+r.ID, func(t *testing.T) {
				root.take(t, responder, r, body).WantError(403, "ForbiddenError")
			})
			t.Run("accepted/more in projects/"+r.ID, func(t *testing.T) {
				newTarget(t, s, "member", responder).take(t, responder, r, body).Want(200)
			})
		} else if body, ok := ends[r.ID]; ok {
			t.Run("accepted/more everywhere/"+r.ID, func(t *testing.T) {
				newTarget(t, s, "admin", responder).take(t, responder, r, body).Want(200)
			})
		} else if (r.Method == http.MethodDelete || strings.Contains(r.Path, "revoke")) && !slices.Contains(others, r.ID) && !slices.Contains(instanceAdmin, r.ID) {
			t.Errorf("%s takes something away: say here from whom", r.ID)
		}
	}
}

// administer makes the target's identities and its user administrators of the instance.
func (x *prey) administer(t *testing.T, s *harness.Server) {
	t.Helper()
	s.Exec(t, `INSERT INTO instance_admins (identity_id) VALUES (?), (?)`, x.id, x.owned)
	s.Exec(t, `UPDATE users SET super_admin = TRUE WHERE id = ?`, x.userID)
	for _, id := range []string{x.id, x.owned} { // so that the server looks again
		s.Admin.Call(t, http.MethodPatch, identityPath(id), object{"role": "no-access"}).Want(200)
	}
}

// TestManyRolesPutNobodyOutOfReach: rules that are too many to be compared, or even to be compiled, do not keep anybody from
// being revoked.
func TestManyRolesPutNobodyOutOfReach(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	x, admin := s.NewActor(t, "no-access", nil), s.NewActor(t, "admin", nil)
	revoke := func() { admin.Call(t, http.MethodPost, identityPath(x.ID)+"/revoke-tokens", nil).Want(200) }
	var held []any
	for n := range 10 {
		held = append(held, object{"role": newRoleWith(t, s, manyRules(n)).Text("role.slug")})
	}
	last := newRoleWith(t, s, []any{})
	held = append(held, object{"role": last.Text("role.slug")})
	s.Admin.Call(t, http.MethodPatch, membershipsPath+"/"+x.ID, object{"roles": held}).Want(200)
	revoke()
	s.Admin.Call(t, http.MethodPatch, rolesPath+"/"+last.Text("role.id"), object{"permissions": manyRules(10)}).Want(200)
	revoke()
	s.Admin.Call(t, http.MethodGet, "/api/v1/auth/token-auth/identities/"+x.ID+"/tokens", nil).Want(200)
	admin.Call(t, http.MethodPatch, identityPath(x.ID), object{"hasDeleteProtection": true}).Want(200)
	admin.Call(t, http.MethodPatch, identityPath(x.ID), object{"hasDeleteProtection": false}).Want(200)
	admin.Call(t, http.MethodDelete, identityPath(x.ID), nil).Want(200)
}

func newRoleWith(t *testing.T, s *harness.Server, rules []any) *harness.Answer {
	t.Helper()
	slug := harness.RandomName()
	return s.Admin.Call(t, http.MethodPost, rolesPath, object{"slug": slug, "name": slug, "permissions": rules}).Want(200)
}

// manyRules are as many rules as a role may have, with conditions that are costly to compare.
func manyRules(n int) (rules []any) {
	for i := range 500 {
		var values []string
		for j := range 10 {
			values = append(values, fmt.Sprintf("%d-%d-%d", n, i, j))
		}
		rules = append(rules, object{"subject": "app-connections", "action": []string{"read", "edit", "delete", "create", "connect"}, "inverted": n > 5,
			"conditions": object{"connectionId": object{"$in": values}}})
	}
	return rules
}
