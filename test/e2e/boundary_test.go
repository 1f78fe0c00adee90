package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// touching are the routes that use, hand out or take away the credentials or the rights of an identity.
func touching(victim harness.Actor) map[string]request {
	return map[string]request{
		"attach-token-auth":       {harness.TokenAuth + victim.ID, object{}},
		"update-token-auth":       {harness.TokenAuth + victim.ID, object{"accessTokenTTL": 1}},
		"detach-token-auth":       {harness.TokenAuth + victim.ID, nil},
		"create-token-auth-token": {tokensOf(victim.ID), nil},
		"update-token-auth-token": {harness.Tokens + victim.TokenID, object{"name": "x"}},
		"revoke-token-auth-token": {revokePath(victim.TokenID), nil},
		"delete-identity":         {identityPath(victim.ID), nil},
		"update-identity":         {identityPath(victim.ID), object{"role": "no-access"}},
	}
}

func TestNoRouteLetsAMemberTouchAnAdministratorsCredentials(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	attacker, victim := s.NewActor(t, "member", nil), s.NewActor(t, "admin", nil)
	calls := touching(victim)
	before := s.Snapshot(t)
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		call, ok := calls[r.ID]
		if !ok {
			return
		}
		answer := attacker.Call(t, r.Method, call.path, call.body).Want(403)
		if name := answer.Text("error"); name != "PermissionDenied" && name != "PermissionBoundaryError" {
			t.Errorf("refused as %s", answer.Body)
		}
		if diff := cmp.Diff(before, s.Snapshot(t)); diff != "" {
			t.Errorf("it was refused, and done: %s", diff)
		}
	})
	if !victim.Works(t) {
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
	victim := harness.Actor{ID: s.AdminID, TokenID: harness.Claims(t, s.Admin.Token)["jti"].(string)}
	attacker := s.NewActor(t, "admin", nil)
	calls := touching(victim)
	calls["update-identity"] = request{identityPath(victim.ID), object{"name": "mine"}}
	calls["list-token-auth-tokens"] = request{tokensOf(victim.ID), nil}
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if call, ok := calls[r.ID]; ok {
			attacker.Call(t, r.Method, call.path, call.body).WantError(403, "ForbiddenError")
		}
	})
	t.Run("accepted/by itself", func(t *testing.T) {
		_, spare := s.NewToken(t, s.AdminID)
		s.Admin.Call(t, http.MethodPatch, harness.Tokens+spare, object{"name": "spare"}).Want(200)
		s.Admin.Call(t, http.MethodPost, revokePath(spare), nil).Want(200)
		s.Admin.Call(t, http.MethodPatch, identityPath(s.AdminID), object{"name": "root"}).Want(200)
	})
}
