package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

const permissionsPath = "/api/v1/access/permissions"

func actorPermissions(actorID string) string {
	return "/api/v1/access/actors/" + actorID + "/permissions"
}

func TestPermissionsTellWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	custom := s.Admin.Call(t, http.MethodPost, "/api/v1/organization/roles", object{"slug": "deployer", "name": "Deployers",
		"permissions": []any{object{"subject": "identity", "action": []string{"read"}}}}).Want(200).Text("role.id")
	a := s.NewActor(t, "no-access", nil)
	s.Admin.Call(t, http.MethodPatch, "/api/v1/organization/identity-memberships/"+a.ID, object{"roles": []any{
		object{"role": "no-access"}, object{"role": "deployer", "isTemporary": true, "temporaryMode": "relative", "temporaryRange": "1h",
			"temporaryAccessStartTime": s.Clock.Now().Format(time.RFC3339)}}}).Want(200)
	for name, answer := range map[string]*harness.Answer{"its own": a.Call(t, http.MethodGet, permissionsPath, nil).Want(200),
		"those of another": s.Admin.Call(t, http.MethodGet, actorPermissions(a.ID), nil).Want(200)} {
		roles := answer.List("origins", "role")
		at := slices.Index(roles, "deployer")
		if len(roles) != 2 || at < 0 || answer.Flag("isInstanceAdmin") {
			t.Fatalf("%s: the answer is %s", name, answer.Body)
		}
		place := "origins." + string('0'+rune(at))
		if answer.Text(place+".customRoleId") != custom || answer.Text(place+".name") != "Deployers" || !answer.Flag(place+".inForce") ||
			answer.Text(place+".permissions.0.subject") != "identity" {
			t.Errorf("%s: the answer is %s", name, answer.Body)
		}
	}
	s.Clock.Advance(time.Hour)
	ended := s.Admin.Call(t, http.MethodGet, actorPermissions(a.ID), nil).Want(200)
	if at := slices.Index(ended.List("origins", "role"), "deployer"); ended.Flag("origins." + string('0'+rune(at)) + ".inForce") {
		t.Errorf("a role that has ended counts: %s", ended.Body)
	}
}

func TestPermissionsOfOthersAreForThoseWhoMayReadThem(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	_, stranger := s.OtherOrg(t)
	_, userID := s.AdminID, login(t, s, adminEmail).UserID
	s.Admin.Call(t, http.MethodGet, actorPermissions(id.New()), nil).WantError(404, "NotFound")
	stranger.Call(t, http.MethodGet, actorPermissions(s.AdminID), nil).WantError(404, "NotFound")
	s.Admin.Call(t, http.MethodGet, actorPermissions(userID), nil).Want(200)
	s.Admin.Call(t, http.MethodPost, "/api/v1/organization/roles", object{"slug": "reader", "name": "Readers",
		"permissions": []any{object{"subject": "identity", "action": []string{"read"}}}}).Want(200)
	reader := s.NewActor(t, "reader", nil)
	reader.Call(t, http.MethodGet, actorPermissions(s.AdminID), nil).Want(200)
	reader.Call(t, http.MethodGet, actorPermissions(userID), nil).WantError(403, "PermissionDenied")
}

// TestDecisionsTellTheRule: the answer is that of the check itself, with the rule that made it.
func TestDecisionsTellTheRule(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	s.Admin.Call(t, http.MethodPost, "/api/v1/organization/roles", object{"slug": "keeper", "name": "Keepers", "permissions": []any{
		object{"subject": "identity", "action": []string{"read", "edit"}},
		object{"subject": "role", "action": []string{"read"}},
		object{"subject": "role", "action": []string{"read"}, "inverted": true}}}).Want(200)
	a := s.NewActor(t, "keeper", nil)
	for name, c := range map[string]struct {
		query   string
		allowed bool
		denial  any // of the rule; nil for no rule
	}{
		"allowed":                    {"action=read&subject=identity", true, false},
		"allowed/another action":     {"action=edit&subject=identity", true, false},
		"refused/by a denial":        {"action=read&subject=role", false, true},
		"refused/no rule":            {"action=delete&subject=identity", false, nil},
		"refused/no such subject":    {"action=read&subject=moon", false, nil},
		"refused/no such permission": {"action=fly&subject=identity", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := s.Admin.Call(t, http.MethodGet, "/api/v1/access/actors/"+a.ID+"/decision?"+c.query, nil).Want(200)
			if answer.Flag("allowed") != c.allowed {
				t.Errorf("the answer is %s", answer.Body)
			}
			if c.denial == nil {
				if answer.At("rule") != nil || answer.At("role") != nil {
					t.Errorf("a rule decided: %s", answer.Body)
				}
			} else if answer.At("rule.inverted") != c.denial || answer.Text("roleName") != "Keepers" {
				t.Errorf("the answer is %s", answer.Body)
			}
		})
	}
	s.Admin.Call(t, http.MethodGet, "/api/v1/access/actors/"+id.New()+"/decision?action=read&subject=role", nil).WantError(404, "NotFound")
}
