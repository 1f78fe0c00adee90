package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// open are the routes that anybody may call. A new one is a decision: it is made here too.
var open = []string{"get-status", "get-health", "get-readiness", "get-jwks", "bootstrap", "renew-token", "revoke-own-token", "login-universal-auth",
	"login-jwt-auth", "login-oidc-auth", "login-kubernetes-auth", "oauth-revoke", "oauth-metadata", "login-user", "login-code", "accept-invitation", "reset-password", "refresh-user-token", "get-instance-config",
	"srp-login-1", "srp-login-2", "get-service-token", "post-service-token"}

// anyActor are the routes that ask for a live token and for no permission.
var anyActor = []string{"check-auth", "list-organizations", "list-organizations-with-sub-orgs", "get-organization", "get-own-details", "list-own-permissions", "oauth-introspect", "list-projects", "list-workspaces"}

// instanceAdmin are the routes that no role opens: only an administrator of the whole instance may call them.
var instanceAdmin = []string{"list-instance-identities", "revoke-identity-instance-admin", "list-instance-users", "delete-user",
	"grant-user-instance-admin", "revoke-user-instance-admin", "create-password-reset-link", "deactivate-user", "activate-user", "rotate-signing-keys", "list-replicas", "read-root-key", "rotate-root-key"}

func TestEveryRouteDeclaresWhoMayCallIt(t *testing.T) {
	t.Parallel()
	for _, r := range shared.App.API().Routes() {
		permission := r.Permission != httpapi.Permission{}
		forAny := slices.Contains(anyActor, r.ID) || slices.Contains(instanceAdmin, r.ID) || r.UserOnly || slices.Contains(anyMember, r.ID)
		if r.Open != slices.Contains(open, r.ID) || r.AnyActor != forAny || permission == (r.Open || r.AnyActor) {
			t.Errorf("%s: open %v, for any actor %v, permission %+v", r.ID, r.Open, r.AnyActor, r.Permission)
		}
	}
}

// TestGuard calls every route with targets that live, so that only the check under test can refuse, and sees to it that
// nothing was done for anybody who was refused.
func TestGuard(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	s.Watch(t)
	dead := s.DeadTokens(t)
	nobody := s.NewActor(t, "no-access", nil)
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if r.Open {
			return
		}
		good := requestOf(t, s, r)
		before := s.Changes(t)
		t.Run("refused/without a token", func(t *testing.T) {
			s.As("").Call(t, r.Method, good.path, good.body).WantError(401, "UnauthorizedError")
		})
		for _, d := range dead {
			t.Run("refused/with a token "+d.Name, func(t *testing.T) {
				s.As(d.JWT).Call(t, r.Method, good.path, good.body).WantError(401, "TokenError")
			})
		}
		if inProject(r) {
			t.Run("refused/no member of the project", func(t *testing.T) {
				nobody.Call(t, r.Method, good.path, good.body).WantError(403, "ForbiddenError")
			})
		} else if r.Permission != (httpapi.Permission{}) {
			t.Run("refused/without rights", func(t *testing.T) {
				a := nobody.Call(t, r.Method, good.path, good.body).WantError(403, "PermissionDenied")
				if rules, ok := a.At("details").([]any); !ok || len(rules) != 0 {
					t.Errorf("the details are %v, want the actor's rules: none", a.At("details"))
				}
			})
		}
		if diff := cmp.Diff(before, s.Changes(t)); diff != "" {
			t.Errorf("a refused call changed the database: %s", diff)
		}
		t.Run("accepted/with all rights", func(t *testing.T) { s.Admin.Call(t, r.Method, good.path, good.body).Want(200) })
	})
}

// TestTheLastRoutes does for the routes that walks leave out what the walks do for all others.
func TestTheLastRoutes(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	slug := s.Admin.Call(t, "GET", detailsPath, nil).Text("identityDetails.organization.slug")
	path, body := "/api/v1/organization/revoke-tokens", object{"organizationSlug": slug}
	_, stranger := s.OtherOrg(t)
	member, nobody, admin := s.NewActor(t, "member", nil), s.NewActor(t, "no-access", nil), s.NewActor(t, "admin", nil)

	s.As("").Call(t, "POST", path, body).WantError(401, "UnauthorizedError")
	for _, d := range s.DeadTokens(t) {
		s.As(d.JWT).Call(t, "POST", path, body).WantError(401, "TokenError")
	}
	nobody.Call(t, "POST", path, body).WantError(403, "PermissionDenied")
	member.Call(t, "POST", path, body).WantError(403, "PermissionDenied")
	stranger.Call(t, "POST", path, body).WantError(400, "BadRequest") // the slug is not that of its organization
	s.Admin.Call(t, "POST", path, object{}).WantError(422, "ValidationFailure")
	s.Admin.Call(t, "POST", path, object{"organizationSlug": "other"}).WantError(400, "BadRequest")
	for name, c := range map[string]harness.Client{"member": member.Client, "nobody": nobody.Client, "stranger": stranger, "admin": admin.Client} {
		if !c.Works(t) {
			t.Fatalf("the token of %s died of a refused call", name)
		}
	}
	admin.Call(t, "POST", path, body).Want(200)
	for name, c := range map[string]harness.Client{"member": member.Client, "nobody": nobody.Client, "admin": admin.Client, "root": s.Admin} {
		if c.Works(t) {
			t.Errorf("the token of %s outlived the cut-off", name)
		}
	}
	if !stranger.Works(t) {
		t.Error("a token of another organization died")
	}
}

// member says what the role member may do (docs/reference/identity.md section 7.2); every other route with a permission
// refuses it.
var member = []string{
	"create-identity", "list-identities", "search-identities", "get-identity", "update-identity", "delete-identity",
	"list-identity-projects", "get-token-auth", "list-token-auth-tokens", "get-token-auth-token",
	"get-token-auth-token-of-identity", "revoke-token-auth-token", "list-audit-logs", "get-own-details",
	"create-org-identity", "list-org-identities", "get-org-identity", "update-org-identity", "delete-org-identity",
	"list-org-roles", "get-org-role", "get-org-role-by-slug",
	"list-identity-memberships", "list-identity-memberships-old", "get-identity-membership", "create-identity-membership", "update-identity-membership", "delete-identity-membership",
	"get-jwt-auth", "get-oidc-auth", "get-kubernetes-auth",
	"get-universal-auth", "list-client-secrets", "get-client-secret", "clear-universal-auth-lockouts",
	"create-project", "create-workspace", "list-organization-users", "get-organization-user",
	"list-actor-permissions", "list-org-tokens", "decide-access",
}

func TestBuiltInRoles(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	actors := map[string]harness.Actor{}
	for _, role := range []string{"admin", "member", "no-access"} {
		actors[role] = s.NewActor(t, role, nil)
	}
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if r.Open {
			return
		}
		refused, good := refusals(r), requestOf(t, s, r)
		for role, actor := range actors {
			if name := refused[role]; name != "" {
				t.Run("refused/"+role, func(t *testing.T) { actor.Call(t, r.Method, good.path, good.body).WantError(403, name) })
				continue
			}
			t.Run("accepted/"+role, func(t *testing.T) { actor.Call(t, r.Method, good.path, good.body).Want(200) })
			if r.Method != http.MethodGet {
				good = requestOf(t, s, r) // what the last one named may be gone
			}
		}
	})
}

// refusals returns which of the built-in roles a route refuses, and as what.
func refusals(r httpapi.Route) map[string]string {
	switch {
	case slices.Contains(instanceAdmin, r.ID) || inProject(r):
		return map[string]string{"admin": "ForbiddenError", "member": "ForbiddenError", "no-access": "ForbiddenError"}
	case r.AnyActor:
		return nil
	case slices.Contains(member, r.ID):
		return map[string]string{"no-access": "PermissionDenied"}
	default:
		return map[string]string{"member": "PermissionDenied", "no-access": "PermissionDenied"}
	}
}
