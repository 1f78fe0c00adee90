package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestInstanceIdentities(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	_, stranger := s.OtherOrg(t)
	list := func(query string) *harness.Answer {
		t.Helper()
		return s.Admin.Call(t, http.MethodGet, adminIdentitiesPath+query, nil).Want(200)
	}
	all := list("?searchTerm=instance%20ADMIN")
	if all.Number("totalCount") != 2 { // one of each organization
		t.Fatalf("the list is %s", all.Body)
	}
	for i, identityID := range all.List("identities", "id") {
		if flag := all.Flag("identities." + string(rune('0'+i)) + ".isInstanceAdmin"); flag != (identityID == s.AdminID) {
			t.Errorf("%s administers the instance: %v", identityID, flag)
		}
	}
	if page := list("?limit=1&offset=1"); len(page.List("identities", "id")) != 1 || page.Number("totalCount") != 2 {
		t.Errorf("a page is %s", page.Body)
	}
	if none := list("?searchTerm=%25"); none.Number("totalCount") != 0 { // a percent sign is no wild card
		t.Errorf("the search found %s", none.Body)
	}
	stranger.Call(t, http.MethodGet, adminIdentitiesPath, nil).WantError(403, "ForbiddenError")
}

func TestInstanceAdministrationIsTakenFromAnIdentity(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	path := func(identityID string) string { return adminIdentitiesPath + "/" + identityID + "/super-admin-access" }
	other := s.NewActor(t, "admin", nil)
	s.Admin.Call(t, http.MethodDelete, path(other.ID), nil).WantError(400, "BadRequest")
	s.Admin.Call(t, http.MethodDelete, path(id.New()), nil).WantError(404, "NotFound")
	other.Call(t, http.MethodDelete, path(s.AdminID), nil).WantError(403, "ForbiddenError")

	user := login(t, s, adminEmail)
	gone := user.Call(t, http.MethodDelete, path(s.AdminID), nil).Want(200)
	if gone.Text("identity.id") != s.AdminID || gone.Text("identity.name") == "" {
		t.Errorf("the answer is %s", gone.Body)
	}
	s.Admin.Call(t, http.MethodGet, adminIdentitiesPath, nil).WantError(403, "ForbiddenError")
	if !s.Admin.Works(t) {
		t.Error("the identity's token does not work any more for what its role allows")
	}
	user.Call(t, http.MethodDelete, path(s.AdminID), nil).WantError(400, "BadRequest")
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	user := login(t, s, adminEmail)
	s.Admin.Call(t, http.MethodDelete, adminUsersPath+"/"+user.UserID+"/admin-access", nil).WantError(400, "BadRequest")
	s.Admin.Call(t, http.MethodDelete, adminUsersPath+"/"+user.UserID, nil).WantError(400, "BadRequest")
	if !user.Works(t) {
		t.Error("a refused deletion ended a session")
	}
	s.Exec(t, `UPDATE users SET super_admin = FALSE`) // no route gets there
	s.Admin.Call(t, http.MethodDelete, adminIdentitiesPath+"/"+s.AdminID+"/super-admin-access", nil).WantError(400, "BadRequest")
	s.Admin.Call(t, http.MethodGet, adminIdentitiesPath, nil).Want(200)
}

func TestInstanceUsers(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	userID, email := newUser(t, s, "member")
	user := login(t, s, email)
	list := func(query string) *harness.Answer {
		t.Helper()
		return s.Admin.Call(t, http.MethodGet, adminUsersPath+query, nil).Want(200)
	}
	for query, want := range map[string][]string{
		"": {adminEmail, email}, "?adminsOnly=true": {adminEmail}, "?adminsOnly=false": {adminEmail, email}, "?searchTerm=HOPPER": {email},
		"?searchTerm=" + strings.ToUpper(email[:6]): {email}, "?limit=1": {adminEmail}, "?offset=1": {email}, "?searchTerm=_": {},
	} {
		if diff := cmp.Diff(want, list(query).List("users", "email")); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	user.Call(t, http.MethodGet, adminUsersPath, nil).WantError(403, "ForbiddenError")
	made := s.Admin.Call(t, http.MethodPatch, adminUsersPath+"/"+userID+"/admin-access", nil).Want(200)
	if !made.Flag("user.superAdmin") || made.Text("user.id") != userID {
		t.Errorf("the answer is %s", made.Body)
	}
	user.Call(t, http.MethodGet, adminUsersPath, nil).Want(200) // from now on, with the token that they have
	admin := login(t, s, adminEmail)
	user.Call(t, http.MethodDelete, adminUsersPath+"/"+admin.UserID+"/admin-access", nil).Want(200)
	admin.Call(t, http.MethodGet, adminUsersPath, nil).WantError(403, "ForbiddenError")
	if me := admin.Call(t, http.MethodGet, "/api/v1/user", nil).Want(200); me.Flag("user.superAdmin") {
		t.Error("the user still reads as an administrator")
	}
}

func TestDeletedUsersAreGoneAtOnce(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	userID, email := newUser(t, s, "admin")
	user := login(t, s, email)
	gone := s.Admin.Call(t, http.MethodDelete, adminUsersPath+"/"+userID, nil).Want(200)
	if gone.Text("users.email") != email {
		t.Errorf("the answer is %s", gone.Body)
	}
	if user.Works(t) {
		t.Error("a token outlived its user")
	}
	refresh(t, s, user.Cookie).WantError(401, "TokenError")
	s.As("").Call(t, http.MethodPost, loginPath, object{"email": email, "password": adminPassword}).WantError(400, "BadRequest")
	s.Admin.Call(t, http.MethodDelete, adminUsersPath+"/"+userID, nil).WantError(404, "NotFound")
	if s.Count(t, `SELECT count(*) FROM memberships WHERE user_id = ?`, userID) != 0 {
		t.Error("the user is still a member")
	}
	auditOf(t, s, "delete-user", userID)
}
