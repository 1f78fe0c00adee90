package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// victim is an identity with all that routes about identities can name.
type victim struct{ identity, token, secret string }

func newVictim(t *testing.T, s *harness.Server, identityID string) victim {
	t.Helper()
	_, token := s.NewToken(t, identityID)
	s.Admin.Call(t, http.MethodPost, universalPath+identityID, object{}).Want(200)
	secret := s.Admin.Call(t, http.MethodPost, universalPath+identityID+"/client-secrets", object{}).Want(200)
	return victim{identityID, token, secret.Text("clientSecretData.id")}
}

// touching returns a request of a route that changes something of an identity, aimed at the victim; not ok where a
// route does no such thing.
func (v victim) touching(t *testing.T, s *harness.Server, r httpapi.Route) (_ request, ok bool) {
	t.Helper()
	path := strings.NewReplacer("{identityId}", v.identity, "{tokenId}", v.token, "{clientSecretId}", v.secret).Replace(r.Path)
	if r.Method == http.MethodGet || path == r.Path || inProject(r) { // who is touched inside a project has a test of its own
		return request{}, false
	}
	if strings.Contains(path, "{") {
		t.Fatalf("%s names something that no victim has: give it one", r.Path)
	}
	return request{path, requestOf(t, s, r).body}, true
}

// harmless are routes that change something of an identity, but neither who it is nor what it may do.
var harmless = []string{"clear-universal-auth-lockouts", "update-org-identity"}

func TestNoRouteLetsAMemberTouchAnAdministratorsCredentials(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	attacker, admin := s.NewActor(t, "member", nil), s.NewActor(t, "admin", nil)
	v := newVictim(t, s, admin.ID)
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		call, ok := v.touching(t, s, r)
		if !ok || slices.Contains(harmless, r.ID) {
			return
		}
		before := s.Snapshot(t)
		answer := attacker.Call(t, r.Method, call.path, call.body).Want(403)
		if name := answer.Text("error"); name != "PermissionDenied" && name != "PermissionBoundaryError" && !slices.Contains(instanceAdmin, r.ID) {
			t.Errorf("refused as %s", answer.Body)
		}
		if diff := cmp.Diff(before, s.Snapshot(t)); diff != "" {
			t.Errorf("it was refused, and done: %s", diff)
		}
	})
	if !admin.Works(t) {
		t.Error("the administrator's token died")
	}
}

func TestNobodyHandsOutMoreThanTheyHold(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "member", nil)
	target := shared.NewIdentity(t, "no-access")
	for name, call := range map[string]struct {
		method, path string
		body         any
	}{
		"refused/create an admin":   {http.MethodPost, harness.Identities, object{"name": "x", "organizationId": shared.OrgID, "role": "admin"}},
		"refused/promote another":   {http.MethodPatch, identityPath(target), object{"role": "admin"}},
		"refused/promote oneself":   {http.MethodPatch, identityPath(a.ID), object{"role": "admin"}},
		"refused/demote the admin":  {http.MethodPatch, identityPath(shared.NewIdentity(t, "admin")), object{"role": "member"}},
		"refused/delete an admin":   {http.MethodDelete, identityPath(shared.NewIdentity(t, "admin")), nil},
		"refused/revoke an admin's": {http.MethodPost, revokePath(shared.NewActor(t, "admin", nil).TokenID), nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := a.Call(t, call.method, call.path, call.body).WantError(403, "PermissionBoundaryError")
			missing, ok := answer.At("details.missingPermissions").([]any)
			if !ok || len(missing) == 0 {
				t.Errorf("the details are %v, want what is missing", answer.At("details"))
			}
		})
	}
	t.Run("accepted/as much as they hold", func(t *testing.T) {
		a.Call(t, http.MethodPost, harness.Identities, object{"name": "x", "organizationId": shared.OrgID, "role": "member"}).Want(200)
		a.Call(t, http.MethodPatch, identityPath(target), object{"role": "member"}).Want(200)
		a.Call(t, http.MethodPost, revokePath(shared.NewActor(t, "member", nil).TokenID), nil).Want(200)
	})
}

func TestOnlyAnInstanceAdministratorTouchesAnInstanceAdministrator(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	attacker, v := s.NewActor(t, "admin", nil), newVictim(t, s, s.AdminID)
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if call, ok := v.touching(t, s, r); ok {
			attacker.Call(t, r.Method, call.path, call.body).WantError(403, "ForbiddenError")
		}
	})
	t.Run("refused/listing its tokens", func(t *testing.T) {
		attacker.Call(t, http.MethodGet, tokensOf(s.AdminID), nil).WantError(403, "ForbiddenError")
	})
	t.Run("accepted/by itself", func(t *testing.T) {
		_, spare := s.NewToken(t, s.AdminID)
		s.Admin.Call(t, http.MethodPatch, harness.Tokens+spare, object{"name": "spare"}).Want(200)
		s.Admin.Call(t, http.MethodPost, revokePath(spare), nil).Want(200)
		s.Admin.Call(t, http.MethodPatch, identityPath(s.AdminID), object{"name": "root"}).Want(200)
	})
}
