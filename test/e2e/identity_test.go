package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func identityPath(id string) string { return harness.Identities + "/" + id }

// create makes an identity with the given fields beside those that are needed.
func create(t *testing.T, s *harness.Server, fields object) *harness.Answer {
	t.Helper()
	body := object{"name": "worker", "organizationId": s.OrgID}
	for name, value := range fields {
		body[name] = value
	}
	return s.Admin.Call(t, http.MethodPost, harness.Identities, body)
}

func TestCreateIdentity(t *testing.T) {
	t.Parallel()
	t.Run("defaults to no-access without protection", func(t *testing.T) {
		a := create(t, shared, object{"name": "  spaced  "}).Want(200)
		if a.Text("identity.name") != "spaced" || a.Flag("identity.hasDeleteProtection") || a.Text("identity.orgId") != shared.OrgID {
			t.Errorf("made %s", a.Body)
		}
		read := shared.Admin.Call(t, http.MethodGet, identityPath(a.Text("identity.id")), nil).Want(200)
		if read.Text("identity.role") != "no-access" || read.Text("identity.identity.name") != "spaced" {
			t.Errorf("reads as %s", read.Body)
		}
	})
	t.Run("keeps role, protection and metadata", func(t *testing.T) {
		a := create(t, shared, object{"role": "member", "hasDeleteProtection": true,
			"metadata": []object{{"key": "team", "value": "core"}, {"key": "team", "value": "web"}}}).Want(200)
		read := shared.Admin.Call(t, http.MethodGet, identityPath(a.Text("identity.id")), nil).Want(200)
		if read.Text("identity.role") != "member" || !read.Flag("identity.identity.hasDeleteProtection") {
			t.Errorf("reads as %s", read.Body)
		}
		if got := read.List("identity.metadata", "value"); !cmp.Equal(got, []string{"core", "web"}) {
			t.Errorf("the metadata reads %v", got)
		}
	})
	t.Run("allows two of one name", func(t *testing.T) {
		create(t, shared, nil).Want(200)
		create(t, shared, nil).Want(200)
	})
	t.Run("refused/empty name", func(t *testing.T) { create(t, shared, object{"name": " "}).WantError(422, "ValidationFailure") })
	t.Run("refused/unknown role", func(t *testing.T) { create(t, shared, object{"role": "king"}).WantError(404, "NotFound") })
	t.Run("refused/another organization", func(t *testing.T) {
		create(t, shared, object{"organizationId": "01890000-0000-7000-8000-000000000000"}).WantError(403, "ForbiddenError")
	})
	t.Run("refused/metadata without a value", func(t *testing.T) {
		a := create(t, shared, object{"metadata": []object{{"key": "a", "value": "b"}, {"key": "c", "value": ""}}}).Want(422)
		if got := a.List("message.0.path", ""); len(got) != 3 {
			t.Errorf("the place of the mistake is %v in %s", got, a.Body)
		}
	})
}

func TestUpdateIdentity(t *testing.T) {
	t.Parallel()
	patch := func(t *testing.T, id string, body object) *harness.Answer {
		return shared.Admin.Call(t, http.MethodPatch, identityPath(id), body)
	}
	t.Run("changes only what is named", func(t *testing.T) {
		id := create(t, shared, object{"role": "member", "hasDeleteProtection": true, "metadata": []object{{"key": "a", "value": "1"}}}).Text("identity.id")
		a := patch(t, id, object{"name": "renamed"}).Want(200)
		if a.Text("identity.name") != "renamed" || !a.Flag("identity.hasDeleteProtection") || len(a.List("identity.metadata", "key")) != 1 {
			t.Errorf("became %s", a.Body)
		}
		if role := shared.Admin.Call(t, http.MethodGet, identityPath(id), nil).Text("identity.role"); role != "member" {
			t.Errorf("the role became %s", role)
		}
	})
	t.Run("replaces metadata whole", func(t *testing.T) {
		id := create(t, shared, object{"metadata": []object{{"key": "a", "value": "1"}, {"key": "b", "value": "2"}}}).Text("identity.id")
		a := patch(t, id, object{"metadata": []object{{"key": "c", "value": "3"}}}).Want(200)
		if got := a.List("identity.metadata", "key"); !cmp.Equal(got, []string{"c"}) {
			t.Errorf("the metadata became %v", got)
		}
		if got := patch(t, id, object{"metadata": []object{}}).Want(200).List("identity.metadata", "key"); len(got) != 0 {
			t.Errorf("the metadata became %v, want none", got)
		}
	})
	t.Run("a new role counts for the very next request", func(t *testing.T) {
		a := shared.NewActor(t, "no-access", nil)
		a.Call(t, http.MethodGet, harness.Identities, nil).WantError(403, "PermissionDenied")
		patch(t, a.ID, object{"role": "member"}).Want(200)
		a.Call(t, http.MethodGet, harness.Identities, nil).Want(200)
		patch(t, a.ID, object{"role": "no-access"}).Want(200)
		a.Call(t, http.MethodGet, harness.Identities, nil).WantError(403, "PermissionDenied")
	})
	t.Run("refused/unknown role", func(t *testing.T) {
		patch(t, shared.NewIdentity(t, "no-access"), object{"role": "king"}).WantError(404, "NotFound")
	})
}

func TestDeleteIdentity(t *testing.T) {
	t.Parallel()
	t.Run("answers what it was, and it is gone", func(t *testing.T) {
		a := shared.NewActor(t, "no-access", nil)
		deleted := shared.Admin.Call(t, http.MethodDelete, identityPath(a.ID), nil).Want(200)
		if deleted.Text("identity.id") != a.ID || deleted.Text("identity.authMethod") != "token-auth" {
			t.Errorf("answered %s", deleted.Body)
		}
		for _, path := range []string{identityPath(a.ID), harness.TokenAuth + a.ID, harness.TokenAuth + a.ID + "/tokens", harness.Tokens + a.TokenID} {
			shared.Admin.Call(t, http.MethodGet, path, nil).WantError(404, "NotFound")
		}
		shared.Admin.Call(t, http.MethodDelete, identityPath(a.ID), nil).WantError(404, "NotFound")
	})
	t.Run("protection refuses until PATCH hasDeleteProtection false alone takes it away", func(t *testing.T) {
		id := create(t, shared, object{"hasDeleteProtection": true}).Text("identity.id")
		shared.Admin.Call(t, http.MethodDelete, identityPath(id), nil).WantError(400, "BadRequest")
		a := shared.Admin.Call(t, http.MethodPatch, identityPath(id), object{"hasDeleteProtection": false}).Want(200)
		if a.Flag("identity.hasDeleteProtection") {
			t.Fatalf("answered %s", a.Body)
		}
		shared.Admin.Call(t, http.MethodDelete, identityPath(id), nil).Want(200)
	})
}

func TestIdentityDetails(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", nil).Call(t, http.MethodGet, harness.Identities+"/details", nil).Want(200)
	if a.Text("identityDetails.organization.id") != shared.OrgID || a.Text("identityDetails.organization.name") != "First" ||
		!strings.HasPrefix(a.Text("identityDetails.organization.slug"), "first-") {
		t.Errorf("the details are %s", a.Body)
	}
}

func TestListIdentities(t *testing.T) {
	s := harness.StartReady(t)
	for _, name := range []string{"c", "a", "b"} {
		create(t, s, object{"name": name}).Want(200)
	}
	for path, want := range map[string][]string{
		"":                            {"Instance Admin Identity", "a", "b", "c"},
		"?orgId=" + s.OrgID:           {"Instance Admin Identity", "a", "b", "c"},
		"?orgId=":                     {"Instance Admin Identity", "a", "b", "c"},
		"?offset=1&limit=2":           {"a", "b"},
		"?offset=9223372036854775807": {},
	} {
		t.Run("pages"+path, func(t *testing.T) {
			a := s.Admin.Call(t, http.MethodGet, harness.Identities+path, nil).Want(200)
			if got := a.List("identities", "identity.name"); !cmp.Equal(got, want) {
				t.Errorf("listed %v, want %v", got, want)
			}
			if n := a.Number("totalCount"); n != 4 {
				t.Errorf("totalCount is %d", n)
			}
		})
	}
	t.Run("refused/another organization", func(t *testing.T) {
		s.Admin.Call(t, http.MethodGet, harness.Identities+"?orgId=01890000-0000-7000-8000-000000000000", nil).WantError(403, "ForbiddenError")
	})
	t.Run("has nothing of another organization", func(t *testing.T) {
		_, other := s.OtherOrg(t)
		if got := other.Call(t, http.MethodGet, harness.Identities, nil).List("identities", "identity.name"); len(got) != 1 {
			t.Errorf("listed %v", got)
		}
	})
}
