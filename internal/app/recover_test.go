package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// status tells how the site answers the holder of a token.
func (s *site) status(jwt string) int {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/auth/checkAuth", nil)
	r.Header.Set("Authorization", "Bearer "+jwt)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code
}

// change changes the database behind the site's back.
func (s *site) change(query string) {
	s.t.Helper()
	err := s.db.Write(s.t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(s.t.Context(), query)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

const firstUser = `{"email":"a@example.com","password":"correct horse"}`

// TestRecoverKillsEverything: what identities hold, and what users hold.
func TestRecoverKillsEverything(t *testing.T) {
	s := newSite(t)
	_, _, worker := s.tokenWith(`{}`)
	person := textAt(s.call(200, http.MethodPost, "/api/v3/auth/login", firstUser), "accessToken")
	fresh, err := s.Recover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, jwt := range map[string]string{"administrator": s.admin, "identity": worker, "user": person} {
		if got := s.status(jwt); got != 401 {
			t.Errorf("the token of the %s is answered %d after the recovery", name, got)
		}
	}
	if s.status(fresh) != 200 {
		t.Error("the new token does not work")
	}
	again := textAt(s.call(200, http.MethodPost, "/api/v3/auth/login", firstUser), "accessToken")
	if s.status(again) != 200 {
		t.Error("a user cannot log in after the recovery")
	}
	var sessions int
	if err := s.db.Get(t.Context(), &sessions, `SELECT count(*) FROM user_sessions`); err != nil || sessions != 1 {
		t.Errorf("there are %d sessions, %v; want the new one", sessions, err)
	}
}

func TestRecoverWhereOnlyUsersAdminister(t *testing.T) {
	s := newSite(t)
	user := textAt(s.call(200, http.MethodPost, "/api/v3/auth/login", firstUser), "accessToken")
	list := s.call(200, http.MethodGet, "/api/v1/admin/identity-management/identities", "")
	identityID := textAt(list["identities"].([]any)[0], "id")
	s.call(200, http.MethodDelete, "/api/v1/admin/identity-management/identities/"+identityID+"/super-admin-access", "")
	jwt, err := s.Recover(t.Context())
	if err != nil || jwt != "" {
		t.Fatalf("recovered with the token %q, %v; want none", jwt, err)
	}
	if s.status(s.admin) != 401 || s.status(user) != 401 {
		t.Error("a token outlived the recovery")
	}
	s.call(200, http.MethodPost, "/api/v3/auth/login", firstUser)
}

func TestRecoverRefusesAnEmptyInstance(t *testing.T) {
	s := newSite(t)
	for _, query := range []string{`DELETE FROM instance_admins`, `UPDATE users SET super_admin = FALSE`} {
		s.change(query)
	}
	if _, err := s.Recover(t.Context()); err == nil || !strings.Contains(err.Error(), "never set up") {
		t.Errorf("got %v", err)
	}
	if s.status(s.admin) != 200 {
		t.Error("a refused recovery killed a token")
	}
}
