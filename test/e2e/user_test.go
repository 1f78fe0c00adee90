package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

const (
	loginPath    = "/api/v3/auth/login"
	selectPath   = "/api/v3/auth/select-organization"
	refreshPath  = "/api/v1/auth/token"
	logoutPath   = "/api/v1/auth/logout"
	checkPath    = "/api/v1/auth/checkAuth"
	sessionsPath = "/api/v2/users/me/sessions"

	adminEmail    = "admin@example.com" // of the user that the harness's bootstrap makes
	adminPassword = "correct horse"
)

// session is a user who is logged in and has chosen the organization.
type session struct {
	harness.Client
	ID, UserID string
	Plain      harness.Client // with the token from before the choice
	Cookie     string         // the refresh token
}

// login logs a user in and chooses the first organization.
func login(t *testing.T, s *harness.Server, email string) session {
	t.Helper()
	a := s.As("").Call(t, http.MethodPost, loginPath, object{"email": email, "password": adminPassword}).Want(200)
	x := session{Plain: s.As(a.Text("accessToken")), Cookie: cookieOf(t, a).Value}
	x.Client = s.As(x.Plain.Call(t, http.MethodPost, selectPath, object{"organizationId": s.OrgID}).Want(200).Text("token"))
	claims := harness.Claims(t, x.Token)
	x.ID, x.UserID = claims["tokenVersionId"].(string), claims["userId"].(string)
	return x
}

// cookieOf returns the one cookie of an answer.
func cookieOf(t *testing.T, a *harness.Answer) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: a.Header}).Cookies()
	if len(cookies) != 1 {
		t.Fatalf("there are the cookies %v, want one", cookies)
	}
	return cookies[0]
}

// newUser makes a user with a role in the first organization and the administrator's password: no route does.
func newUser(t *testing.T, s *harness.Server, role string) (userID, email string) {
	t.Helper()
	name := id.New()
	userID, email = id.New(), "n-"+name+"@example.com"
	s.Exec(t, `INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
		SELECT ?, ?, 'Grace', 'Hopper', password_hash, FALSE, 0, 0 FROM users WHERE email = ?`, userID, email, adminEmail)
	s.Exec(t, `INSERT INTO memberships (id, scope, org_id, user_id, active, created_at, updated_at) VALUES (?, 'organization', ?, ?, TRUE, 0, 0)`,
		name, s.OrgID, userID)
	s.Exec(t, `INSERT INTO membership_roles (id, membership_id, role, temporary, created_at, updated_at) VALUES (?, ?, ?, FALSE, 0, 0)`, name, name, role)
	return userID, email
}

// orgMembershipOf returns the id of the organization membership that newUser made.
func orgMembershipOf(email string) string {
	return strings.TrimPrefix(strings.TrimSuffix(email, "@example.com"), "n-")
}

// memberRequest is a request about the membership of a user.
func memberRequest(body any) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		_, email := newUser(t, s, "no-access")
		return request{membershipsOf(s) + "/" + orgMembershipOf(email), body}
	}
}

func membershipsOf(s *harness.Server) string {
	return "/api/v2/organizations/" + s.OrgID + "/memberships"
}

// invite invites somebody, and returns the code of the link and the id of the membership.
func invite(t *testing.T, s *harness.Server) (code, membershipID string) {
	t.Helper()
	email := harness.RandomName() + "@example.com"
	link := s.Admin.Call(t, http.MethodPost, invitePath, object{"inviteeEmails": []string{email}, "organizationId": s.OrgID}).Want(200).Text("completeInviteLinks.0.link")
	_, code, _ = strings.Cut(link, "?code=")
	for _, m := range s.Admin.Call(t, http.MethodGet, membershipsOf(s), nil).Want(200).At("users").([]any) {
		if m.(map[string]any)["user"].(map[string]any)["email"] == email {
			membershipID = m.(map[string]any)["id"].(string)
		}
	}
	return code, membershipID
}

const invitePath = "/api/v1/invite-org/signup"

// userRequests are good requests of the routes of users. For those that only users may call they also make a user the
// administrator of s, which is a copy.
var userRequests = map[string]func(t *testing.T, s *harness.Server) request{
	"login-user":  plain(loginPath, object{"email": adminEmail, "password": adminPassword}),
	"srp-login-1": plain(loginPath+"1", object{"email": adminEmail, "clientPublicKey": "ab"}),
	"srp-login-2": plain(loginPath+"2", object{"email": adminEmail, "clientProof": "cd", "password": adminPassword}),
	"login-code": func(t *testing.T, s *harness.Server) request {
		code, _, err := s.App.SignInCode(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return request{"/api/v1/auth/code", object{"code": code}}
	},
	"create-own-session": asUser(func(session, *harness.Server) request {
		return request{sessionsPath, object{"label": "a program"}}
	}),
	"refresh-user-token": plain(refreshPath, nil),
	"check-auth":         plain(checkPath, nil),
	"select-organization": asUser(func(_ session, s *harness.Server) request {
		return request{selectPath, object{"organizationId": s.OrgID}}
	}),
	"logout-user":         asUser(func(session, *harness.Server) request { return request{logoutPath, nil} }),
	"get-user":            asUser(func(session, *harness.Server) request { return request{"/api/v1/user", nil} }),
	"get-me":              asUser(func(session, *harness.Server) request { return request{"/api/v2/users/me", nil} }),
	"list-own-sessions":   asUser(func(session, *harness.Server) request { return request{sessionsPath, nil} }),
	"revoke-own-sessions": asUser(func(session, *harness.Server) request { return request{sessionsPath, nil} }),
	"revoke-own-session":  asUser(func(x session, _ *harness.Server) request { return request{sessionsPath + "/" + x.ID, nil} }),
	"revoke-user-sessions": func(t *testing.T, s *harness.Server) request {
		userID, _ := newUser(t, s, "no-access")
		return request{"/api/v1/users/" + userID + "/revoke-sessions", nil}
	},

	"invite-users": func(_ *testing.T, s *harness.Server) request {
		return request{invitePath, object{"inviteeEmails": []string{harness.RandomName() + "@example.com"}, "organizationId": s.OrgID, "organizationRoleSlug": "no-access"}}
	},
	"renew-invitation": func(t *testing.T, s *harness.Server) request {
		_, membershipID := invite(t, s)
		return request{invitePath + "-resend", object{"membershipId": membershipID}}
	},
	"accept-invitation": func(t *testing.T, s *harness.Server) request {
		code, _ := invite(t, s)
		return request{"/api/v1/account/accept-invitation", object{"code": code, "password": "seven purple otters sing", "firstName": "Grace", "lastName": "Hopper"}}
	},
	"reset-password": func(t *testing.T, s *harness.Server) request {
		userID, _ := newUser(t, s, "no-access")
		link := s.Admin.Call(t, http.MethodPost, adminUsersPath+"/"+userID+"/password-reset-link", nil).Want(200).Text("link")
		_, code, _ := strings.Cut(link, "?code=")
		return request{"/api/v1/account/reset-password", object{"code": code, "password": "seven purple otters sing"}}
	},
	"change-password": asUser(func(session, *harness.Server) request {
		return request{"/api/v2/password/user/password-reset", object{"oldPassword": adminPassword, "newPassword": adminPassword}}
	}),
	"create-password-reset-link": adminUser("/password-reset-link"),
	"deactivate-user":            adminUser("/deactivate"),
	"activate-user":              adminUser("/activate"),
	"list-organization-users":    func(_ *testing.T, s *harness.Server) request { return request{membershipsOf(s), nil} },
	"remove-organization-users": func(t *testing.T, s *harness.Server) request {
		_, email := newUser(t, s, "no-access")
		return request{membershipsOf(s), object{"membershipIds": []string{orgMembershipOf(email)}}}
	},
	"get-organization-user":    memberRequest(nil),
	"remove-organization-user": memberRequest(nil),
	"update-organization-user": memberRequest(object{"role": "no-access", "isActive": true}),

	"list-instance-identities": plain(adminIdentitiesPath, nil),
	"list-instance-users":      plain(adminUsersPath, nil),
	"revoke-identity-instance-admin": func(t *testing.T, s *harness.Server) request {
		return request{adminIdentitiesPath + "/" + newInstanceAdmin(t, s) + "/super-admin-access", nil}
	},
	"delete-user":                adminUser(""),
	"grant-user-instance-admin":  adminUser("/admin-access"),
	"revoke-user-instance-admin": adminUser("/admin-access"),
}

const (
	adminIdentitiesPath = "/api/v1/admin/identity-management/identities"
	adminUsersPath      = "/api/v1/admin/user-management/users"
)

// adminUser is a request about a user.
func adminUser(after string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		userID, _ := newUser(t, s, "no-access")
		return request{adminUsersPath + "/" + userID + after, nil}
	}
}

// newInstanceAdmin makes an identity that administers the instance: no route does.
func newInstanceAdmin(t *testing.T, s *harness.Server) (identityID string) {
	t.Helper()
	identityID = s.NewIdentity(t, "no-access")
	s.Exec(t, `INSERT INTO instance_admins (identity_id) VALUES (?)`, identityID)
	return identityID
}

func asUser(do func(session, *harness.Server) request) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		x := login(t, s, adminEmail)
		s.Admin = x.Client
		return do(x, s)
	}
}

// eachUserRoute runs do for every route that only users may call, with a server whose administrator is a user as soon
// as a request was made.
func eachUserRoute(t *testing.T, s *harness.Server, do func(t *testing.T, s *harness.Server, r httpapi.Route)) {
	t.Helper()
	for _, r := range s.App.API().Routes() {
		if r.UserOnly {
			mine := *s
			t.Run(r.ID, func(t *testing.T) { do(t, &mine, r) })
		}
	}
}

// orgless are the routes that a user may call before an organization is chosen.
var orgless = []string{"select-organization", "logout-user", "get-user", "get-me", "list-own-sessions", "revoke-own-sessions", "revoke-own-session", "check-auth", "change-password",
	"list-organizations", "list-organizations-with-sub-orgs", "get-organization"}

func TestEveryRouteSaysWhetherItNeedsAnOrganization(t *testing.T) {
	t.Parallel()
	for _, r := range shared.App.API().Routes() {
		if r.NoOrg != slices.Contains(orgless, r.ID) {
			t.Errorf("%s: answers without an organization: %v", r.ID, r.NoOrg)
		}
	}
	plain := login(t, shared, adminEmail).Plain
	plain.Call(t, http.MethodGet, detailsPath, nil).WantError(401, "UnauthorizedError")
	plain.Call(t, http.MethodGet, harness.Identities+"?orgId="+shared.OrgID, nil).WantError(401, "UnauthorizedError")
}

// TestUserRoutesGuard does for the routes of users what TestGuard does for all others.
func TestUserRoutesGuard(t *testing.T) {
	s := harness.StartReady(t)
	ended := login(t, s, adminEmail)
	ended.Call(t, http.MethodPost, logoutPath, nil).Want(200)
	dead := append(s.DeadTokens(t), harness.NamedToken{Name: "of a session that ended", JWT: ended.Token},
		harness.NamedToken{Name: "of a session that ended, before the choice", JWT: ended.Plain.Token},
		harness.NamedToken{Name: "that only refreshes", JWT: login(t, s, adminEmail).Cookie})
	identity := s.Admin
	eachUserRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		good := requestOf(t, s, r)
		before := s.Snapshot(t)
		s.As("").Call(t, r.Method, good.path, good.body).WantError(401, "UnauthorizedError")
		for _, d := range dead {
			t.Run("refused/with a token "+d.Name, func(t *testing.T) {
				s.As(d.JWT).Call(t, r.Method, good.path, good.body).WantError(401, "TokenError")
			})
		}
		t.Run("refused/a machine identity", func(t *testing.T) {
			identity.Call(t, r.Method, good.path, good.body).WantError(403, "ForbiddenError")
		})
		if diff := cmp.Diff(before, s.Snapshot(t)); diff != "" {
			t.Errorf("a refused call changed the database: %s", diff)
		}
		t.Run("accepted/a user", func(t *testing.T) { s.Admin.Call(t, r.Method, good.path, good.body).Want(200) })
	})
}

// TestUserRoutesBadInput does for the routes of users what TestBadInput does for all others.
func TestUserRoutesBadInput(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.MaxBody(most))
	s.Watch(t)
	d := published(t)
	eachUserRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		p := &prober{t: t, s: s, r: r, known: map[string]bool{}}
		p.methods()
		p.paths()
		p.queries(d)
		if d.Paths[r.Path][strings.ToLower(r.Method)].RequestBody.Content != nil {
			p.bodies(d)
			p.fields(d.bodyFields(r))
		}
	})
}

func TestUserLogsInAndWorks(t *testing.T) {
	t.Parallel()
	x := login(t, shared, adminEmail)
	claims := harness.Claims(t, x.Token)
	if claims["authTokenType"] != "accessToken" || claims["organizationId"] != shared.OrgID || claims["authMethod"] != "email" ||
		claims["accessVersion"] != 1.0 || claims["exp"].(float64)-claims["iat"].(float64) != 10*24*3600 {
		t.Errorf("the token says %v", claims)
	}
	if _, chosen := harness.Claims(t, x.Plain.Token)["organizationId"]; chosen {
		t.Error("the first token is for an organization that nobody chose")
	}
	x.Call(t, http.MethodPost, checkPath, nil).Want(200)
	shared.Admin.Call(t, http.MethodPost, checkPath, nil).Want(200)
	if !x.Works(t) {
		t.Error("the user's token does not work on a route for every actor")
	}
	made := x.Call(t, http.MethodPost, harness.Identities, object{"name": harness.RandomName(), "organizationId": shared.OrgID, "role": "member"}).Want(200)
	event := auditOf(t, shared, "create-identity", made.Text("identity.id"))
	actor := event["actor"].(map[string]any)
	want := object{"userId": x.UserID, "email": adminEmail, "username": adminEmail, "authMethod": "email", "tokenId": x.ID}
	if diff := cmp.Diff(want, actor["metadata"]); diff != "" || actor["type"] != "user" {
		t.Errorf("the audit log names the actor as %v: %s", actor, diff)
	}
	for _, path := range []string{"/api/v1/user", "/api/v2/users/me"} {
		if me := x.Plain.Call(t, http.MethodGet, path, nil).Want(200); me.Text("user.id") != x.UserID || me.Text("user.username") != adminEmail || !me.Flag("user.superAdmin") {
			t.Errorf("%s answered %s", path, me.Body)
		}
	}
}

// auditOf returns the newest event of a type that names an id.
func auditOf(t *testing.T, s *harness.Server, kind, named string) map[string]any {
	t.Helper()
	logs, _ := s.Admin.Call(t, http.MethodGet, auditPath+"?limit=1000&eventType="+kind, nil).Want(200).At("auditLogs").([]any)
	for _, e := range logs {
		event, _ := e.(map[string]any)
		if text, err := json.Marshal(event["event"]); err == nil && strings.Contains(string(text), named) {
			return event
		}
	}
	t.Fatalf("there is no event %s that names %s", kind, named)
	return nil
}

// TestUserHasTheRightsOfItsRole and no others: of a user who is no administrator.
func TestUserHasTheRightsOfItsRole(t *testing.T) {
	t.Parallel()
	_, email := newUser(t, shared, "member")
	member := login(t, shared, email)
	made := member.Call(t, http.MethodPost, harness.Identities, object{"name": harness.RandomName(), "organizationId": shared.OrgID, "role": "no-access"}).Want(200)
	member.Call(t, http.MethodPost, harness.TokenAuth+made.Text("identity.id"), object{}).WantError(403, "PermissionDenied")
	member.Call(t, http.MethodPost, harness.Identities, object{"name": "x", "organizationId": shared.OrgID, "role": "admin"}).WantError(403, "PermissionBoundaryError")
	member.Call(t, http.MethodPost, "/api/v1/admin/signing-keys/rotate", nil).WantError(403, "ForbiddenError")
	_, email = newUser(t, shared, "no-access")
	login(t, shared, email).Call(t, http.MethodGet, harness.Identities+"?orgId="+shared.OrgID, nil).WantError(403, "PermissionDenied")
}

func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	userID, email := newUser(t, s, "no-access")
	var bodies []string
	for name, body := range map[string]object{
		"refused/wrong password":           {"email": email, "password": "wrong"},
		"refused/unknown user":             {"email": "nobody@example.com", "password": adminPassword},
		"refused/no e-mail at all":         {"email": "nobody", "password": adminPassword},
		"refused/password of another case": {"email": email, "password": strings.ToUpper(adminPassword)},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.As("").Call(t, http.MethodPost, loginPath, body).WantError(400, "BadRequest")
			bodies = append(bodies, a.Text("message"))
			if a.Header.Get("Set-Cookie") != "" {
				t.Error("it sets a cookie")
			}
		})
	}
	if slices.Sort(bodies); len(slices.Compact(bodies)) != 1 {
		t.Errorf("refusals can be told apart: %q", bodies)
	}
	s.As("").Call(t, http.MethodPost, loginPath, object{"email": " " + strings.ToUpper(email) + " ", "password": " " + adminPassword + " "}).Want(200)
	s.As("").Without("User-Agent").Call(t, http.MethodPost, loginPath, object{"email": email, "password": adminPassword}).Want(200)
	s.As("").Call(t, http.MethodPost, loginPath, object{"email": email, "password": strings.Repeat("x", 1<<20)}).Want(413)
	auditOf(t, s, "user-login", userID)
	s.Restart(t) // a clean stop writes what was noted
	auditOf(t, s, "user-login-failed", userID)
}

func TestSelectOrganizationRefusesThoseOfOthers(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	other, _ := s.OtherOrg(t)
	x := login(t, s, adminEmail)
	for name, orgID := range map[string]string{"of others": other, "unknown": id.New(), "of no form": "x"} {
		t.Run("refused/"+name, func(t *testing.T) {
			x.Plain.Call(t, http.MethodPost, selectPath, object{"organizationId": orgID}).WantError(404, "NotFound")
			x.Call(t, http.MethodPost, selectPath, object{"organizationId": orgID}).WantError(404, "NotFound")
		})
	}
	if s.Count(t, `SELECT count(*) FROM user_sessions WHERE org_id <> ?`, s.OrgID) != 0 {
		t.Error("a refused choice was kept")
	}
}

func TestOrganizationsOfAnActor(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	other, stranger := s.OtherOrg(t)
	x, path := login(t, s, adminEmail), "/api/v1/organization"
	for name, c := range map[string]struct {
		client harness.Client
		org    string
	}{
		"a user who has not chosen": {x.Plain, s.OrgID}, "a user who has chosen": {x.Client, s.OrgID},
		"an identity": {s.Admin, s.OrgID}, "an identity without rights": {s.NewActor(t, "no-access", nil).Client, s.OrgID}, "a stranger": {stranger, other},
	} {
		t.Run(name, func(t *testing.T) {
			list := c.client.Call(t, http.MethodGet, path, nil).Want(200)
			if diff := cmp.Diff([]string{c.org}, list.List("organizations", "id")); diff != "" {
				t.Error(diff)
			}
			one := c.client.Call(t, http.MethodGet, path+"/"+c.org, nil).Want(200)
			if diff := cmp.Diff(list.At("organizations.0"), one.At("organization")); diff != "" {
				t.Error(diff)
			}
			for _, unknown := range []string{s.OrgID, other, id.New()} {
				if unknown != c.org {
					c.client.Call(t, http.MethodGet, path+"/"+unknown, nil).WantError(404, "NotFound")
				}
			}
		})
	}
}

func TestConfigTellsWhetherTheInstanceIsSetUp(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	initialized := func() bool {
		return s.As("").Call(t, http.MethodGet, "/api/v1/admin/config", nil).Want(200).Flag("config.initialized")
	}
	if initialized() {
		t.Error("an empty instance says that it is set up")
	}
	if err := s.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	if !initialized() {
		t.Error("an instance that is set up says that it is not")
	}
}

func TestPanicButtonEndsUsersTokens(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	x := login(t, s, adminEmail)
	slug := s.Admin.Call(t, "GET", detailsPath, nil).Text("identityDetails.organization.slug")
	x.Call(t, http.MethodPost, "/api/v1/organization/revoke-tokens", object{"organizationSlug": slug}).Want(200)
	if x.Works(t) {
		t.Error("the user's token outlived the cut-off")
	}
	x.Plain.Call(t, http.MethodPost, selectPath, object{"organizationId": s.OrgID}).WantError(401, "TokenError")
	if !login(t, s, adminEmail).Works(t) {
		t.Error("a login after the cut-off does not work")
	}
}
