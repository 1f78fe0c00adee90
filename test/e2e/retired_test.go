package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheOtherLoginAnswersAsAFailedOne: after a failed login the command line tries the login by SRP and shows its error
// alone. It answers word for word as the failed login did, for a user that there is as for one that there is not.
func TestTheOtherLoginAnswersAsAFailedOne(t *testing.T) {
	t.Parallel()
	_, email := newUser(t, shared, "no-access")
	anyone := shared.As("")
	failed := anyone.Call(t, http.MethodPost, loginPath, object{"email": email, "password": "wrong"}).WantError(400, "BadRequest").Text("message")
	for _, who := range []string{email, "nobody@example.com"} {
		for step, more := range map[string]string{"1": "clientPublicKey", "2": "clientProof"} {
			a := anyone.Call(t, http.MethodPost, loginPath+step, object{"email": who, more: "ab", "password": adminPassword}).WantError(400, "BadRequest")
			if diff := cmp.Diff(failed, a.Text("message")); diff != "" {
				t.Error(diff)
			}
			if cookies := a.Header["Set-Cookie"]; cookies != nil {
				t.Errorf("it sets %v", cookies)
			}
		}
	}
}

func TestServiceTokens(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "st.a.b.c", shared.Admin.Token} {
		shared.As(token).Call(t, http.MethodGet, "/api/v2/service-token", nil).WantError(401, "UnauthorizedError")
		shared.As(token).Call(t, http.MethodPost, "/api/v2/service-token/", object{"name": "x"}).WantError(401, "UnauthorizedError")
	}
}

func TestOrganizationsHaveNoSubOrganizations(t *testing.T) {
	t.Parallel()
	plain := shared.Admin.Call(t, http.MethodGet, "/api/v1/organization", nil).Want(200)
	nested := shared.Admin.Call(t, http.MethodGet, "/api/v1/organization/accessible-with-sub-orgs", nil).Want(200)
	if diff := cmp.Diff(plain.List("organizations", "id"), nested.List("organizations", "id")); diff != "" {
		t.Error(diff)
	}
	if sub, ok := nested.At("organizations.0.subOrganizations").([]any); !ok || len(sub) != 0 {
		t.Errorf("it answers %s", nested.Body)
	}
}

// TestMembershipsOfAnOrganization is the list as older clients ask for it.
func TestMembershipsOfAnOrganization(t *testing.T) {
	t.Parallel()
	at := func(org string) string { return "/api/v2/organizations/" + org + "/identity-memberships" }
	shared.NewIdentity(t, "no-access")
	a := shared.Admin.Call(t, http.MethodGet, at(shared.OrgID), nil).Want(200)
	if wrong := membershipShape.fits("identityMemberships.0", a.At("identityMemberships.0")); wrong != nil || a.Number("totalCount") < 2 {
		t.Errorf("it answers %v: %s", wrong, a.Body)
	}
	role := shape{"id": "uuid", "role": "string", "isTemporary": "bool", "createdAt": "time", "updatedAt": "time"}
	if wrong := role.fits("role", a.At("identityMemberships.0.roles.0")); wrong != nil {
		t.Errorf("a role lacks %v", wrong)
	}
	other, stranger := shared.OtherOrg(t)
	shared.Admin.Call(t, http.MethodGet, at(other), nil).WantError(404, "NotFound")
	stranger.Call(t, http.MethodGet, at(shared.OrgID), nil).WantError(404, "NotFound")
	nobody := shared.NewActor(t, "no-access", nil)
	nobody.Call(t, http.MethodGet, at(other), nil).WantError(403, "PermissionDenied")
}

func TestFoldersInAListHaveTheirPath(t *testing.T) {
	t.Parallel()
	p := newProject(t, shared)
	newFolder(t, shared, p)
	for _, base := range []string{"/api/v1/folders", "/api/v2/folders"} {
		a := shared.Admin.Call(t, http.MethodGet, base+"?projectId="+p.ID+"&environment=dev", nil).Want(200)
		if got := a.List("folders", "path"); !cmp.Equal(got, []string{"/old"}) {
			t.Errorf("%s answers the paths %v", base, got)
		}
	}
}
