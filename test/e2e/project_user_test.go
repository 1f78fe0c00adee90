package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// addUserRequests adds the requests about users in projects, under the names of all versions.
func addUserRequests(all map[string]func(*testing.T, *harness.Server) request) {
	for suffix, base := range map[string]string{"": "", "-old": "-oldv2"} {
		all["add-project-users"+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
			_, email := newUser(t, s, "no-access")
			return request{under[base](p) + "/memberships", object{"usernames": []string{email}, "emails": []string{}, "roleSlugs": []string{"no-access"}}}
		})
		all["remove-project-users"+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
			_, email := joinUser(t, s, p, "no-access")
			return request{under[base](p) + "/memberships", object{"usernames": []string{email}, "emails": []string{}}}
		})
	}
	for _, suffix := range []string{"", "-old"} {
		all["list-project-users"+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
			joinUser(t, s, p, "no-access")
			return request{under[suffix](p) + "/memberships", nil}
		})
		all["find-project-user"+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
			_, email := joinUser(t, s, p, "no-access")
			return request{under[suffix](p) + "/memberships/details", object{"username": email}}
		})
		for id, body := range map[string]object{"get-project-user": nil, "update-project-user": assignments, "remove-project-user": nil} {
			all[id+suffix] = inside(func(t *testing.T, s *harness.Server, p project) request {
				membership, _ := joinUser(t, s, p, "no-access")
				r := request{path: under[suffix](p) + "/memberships/" + membership}
				if body != nil {
					r.body = body
				}
				return r
			})
		}
	}
}

// joinUser makes a new user of the organization a member of a project.
func joinUser(t *testing.T, s *harness.Server, p project, role string) (membershipID, email string) {
	t.Helper()
	_, email = newUser(t, s, "no-access")
	made := s.Admin.Call(t, http.MethodPost, under[""](p)+"/memberships", object{"usernames": []string{email}, "roleSlugs": []string{role}}).Want(200)
	return made.Text("memberships.0.id"), email
}

// shadowed reports whether, for another method, the path of a route is that of a thing with a strange id.
func (p *prober) shadowed(method string) bool {
	own := strings.Split(p.r.Path, "/")
	for _, r := range p.s.App.API().Routes() {
		if r.Method == method && r.Path != p.r.Path && covers(strings.Split(r.Path, "/"), own) {
			return true
		}
	}
	return false
}

// covers reports whether a pattern fits all that another one fits.
func covers(pattern, other []string) bool {
	if len(pattern) != len(other) {
		return false
	}
	for i := range pattern {
		if pattern[i] != other[i] && !strings.HasPrefix(pattern[i], "{") {
			return false
		}
	}
	return true
}

// TestUsersInProjects: a user works in a project with the roles that they have there, and is out at once.
func TestUsersInProjects(t *testing.T) {
	t.Parallel()
	p := newProject(t, shared)
	at := under[""](p) + "/memberships"
	shared.Admin.Call(t, http.MethodPost, secretsV4+"/DB", object{"projectId": p.ID, "environment": "dev", "secretValue": "shared"}).Want(200)
	_, email := newUser(t, shared, "no-access")
	user := login(t, shared, email)
	read := secretsV4 + "/DB?projectId=" + p.ID + "&environment=dev&type=personal"
	user.Call(t, http.MethodGet, read, nil).WantError(403, "ForbiddenError")
	added := shared.Admin.Call(t, http.MethodPost, at, object{"emails": []string{strings.ToUpper(email)}}).Want(200)
	if added.Text("memberships.0.role") != "member" || added.Text("memberships.0.user.username") != email {
		t.Errorf("added %s; want a member, which is the default", added.Body)
	}

	t.Run("accepted/a personal override of theirs", func(t *testing.T) {
		body := object{"projectId": p.ID, "environment": "dev", "secretValue": "mine", "type": "personal"}
		user.Call(t, http.MethodPost, secretsV4+"/DB", body).Want(200)
		if got := user.Call(t, http.MethodGet, read, nil).Want(200).Text("secret.secretValue"); got != "mine" {
			t.Errorf("read %q; want the override", got)
		}
		list := secretsV4 + "?projectId=" + p.ID + "&environment=dev&includePersonalOverrides=true"
		for who, c := range map[string]harness.Client{"mine": user.Client, "shared": shared.Admin} {
			if got := c.Call(t, http.MethodGet, list, nil).Want(200).List("secrets", "secretValue"); !cmp.Equal(got, []string{who}) {
				t.Errorf("the list has %v; want %s", got, who)
			}
		}
	})
	t.Run("refused/what the role does not allow", func(t *testing.T) {
		user.Call(t, http.MethodPatch, at+"/"+added.Text("memberships.0.id"), object{"roles": []object{{"role": "admin"}}}).WantError(403, "PermissionDenied")
		user.Call(t, http.MethodDelete, under[""](p), nil).WantError(403, "PermissionDenied")
	})
	t.Run("refused/after a change of roles", func(t *testing.T) {
		tf := object{"projectId": p.ID, "roles": []object{{"role": "no-access", "isTemporary": false, "temporaryMode": "", "temporaryRange": "",
			"temporaryAccessStartTime": "0001-01-01T00:00:00Z"}}}
		shared.Admin.Call(t, http.MethodPatch, at+"/"+added.Text("memberships.0.id"), tf).Want(200)
		user.Call(t, http.MethodGet, strings.Replace(read, "personal", "shared", 1), nil).WantError(403, "PermissionDenied")
	})
	t.Run("refused/after they were taken out", func(t *testing.T) {
		shared.Admin.Call(t, http.MethodDelete, at, object{"usernames": []string{email}}).Want(200)
		user.Call(t, http.MethodGet, read, nil).WantError(403, "ForbiddenError")
	})
}

// TestNoMemberTouchesAUserWhoAdministersTheProject by any route that names users and does more than take away.
func TestNoMemberTouchesAUserWhoAdministersTheProject(t *testing.T) {
	s := harness.StartReady(t)
	p, keeper := newProject(t, s), s.NewActor(t, "no-access", nil)
	at := under[""](p)
	rules := object{"slug": "keeper", "name": "Keeper", "permissions": []object{{"subject": "member", "action": []string{"read", "create", "edit", "delete"}}}}
	s.Admin.Call(t, http.MethodPost, at+"/roles", rules).Want(200)
	s.Admin.Call(t, http.MethodPost, at+"/memberships/identities/"+keeper.ID, object{"role": "keeper"}).Want(200)
	membership, email := joinUser(t, s, p, "admin")
	_, other := newUser(t, s, "no-access")
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if r.Tag != "Project Users" || r.Method == http.MethodGet || r.Method == http.MethodDelete || strings.HasPrefix(r.ID, "find-") {
			return
		}
		body := object{"usernames": []string{email}, "roles": []object{{"role": "no-access"}}}
		if strings.HasPrefix(r.ID, "add-") {
			body = object{"usernames": []string{other}, "roleSlugs": []string{"admin"}}
		}
		before := s.Snapshot(t)
		path := strings.NewReplacer("{projectId}", p.ID, "{membershipId}", membership).Replace(r.Path)
		keeper.Call(t, r.Method, path, body).WantError(403, "PermissionBoundaryError")
		if diff := cmp.Diff(before, s.Snapshot(t)); diff != "" {
			t.Errorf("it was refused, and done: %s", diff)
		}
	})
}
