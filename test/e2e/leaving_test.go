package e2e

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// eachEngine runs do on a server of its own on each engine.
func eachEngine(t *testing.T, do func(t *testing.T, s *harness.Server)) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			do(t, harness.StartReady(t, harness.Database(sqldbtest.URL(t, engine))))
		})
	}
}

// subject is an identity with every login method, a token of each, and rights in a project.
type subject struct {
	id, project, slug, tokenID string             // slug is the project's
	logins                     map[string]request // by method
	tokens                     map[string]string  // JWTs, by method
	secretID                   string
}

// newSubject makes a subject that is a viewer, with an additional privilege, in a project; one that the project owns, or
// one of the organization.
func newSubject(t *testing.T, s *harness.Server, owned bool) *subject {
	t.Helper()
	in := newProject(t, s)
	x := &subject{project: in.ID, slug: in.Slug, logins: map[string]request{}, tokens: map[string]string{}}
	at := projectsPath + "/" + x.project
	if owned {
		x.id = s.Admin.Call(t, http.MethodPost, at+"/identities", object{"name": harness.RandomName(), "roles": []any{object{"role": "viewer"}}}).Want(200).Text("identity.id")
	} else {
		x.id = s.NewIdentity(t, "member")
		s.Admin.Call(t, http.MethodPost, at+"/memberships/identities/"+x.id, object{"role": "viewer"}).Want(200)
	}
	s.Admin.Call(t, http.MethodPost, "/api/v2/identity-project-additional-privilege", object{"identityId": x.id, "projectId": x.project,
		"slug": "extra", "permissions": []any{object{"subject": "secrets", "action": []string{"create"}}}, "type": object{"isTemporary": false}}).Want(200)
	x.attach(t, s)
	for method, login := range x.logins {
		x.tokens[method] = s.As("").Call(t, http.MethodPost, login.path, login.body).Want(200).Text("accessToken")
	}
	x.tokens["token-auth"], x.tokenID = s.NewToken(t, x.id)
	return x
}

// attach gives the subject every login method.
func (x *subject) attach(t *testing.T, s *harness.Server) {
	t.Helper()
	s.Attach(t, x.id, nil)
	client := s.Admin.Call(t, http.MethodPost, universalPath+x.id, universalSettings()).Want(200).Text("identityUniversalAuth.clientId")
	made := s.Admin.Call(t, http.MethodPost, universalPath+x.id+"/client-secrets", object{}).Want(200)
	x.secretID = made.Text("clientSecretData.id")
	x.logins["universal-auth"] = request{"/api/v1/auth/universal-auth/login", object{"clientId": client, "clientSecret": made.Text("clientSecret")}}
	for slug, prepare := range map[string]func(*testing.T, *harness.Server) (object, string){
		"jwt-auth": prepareJWT, "oidc-auth": prepareOIDC, "kubernetes-auth": prepareKubernetes} {
		own, jwt := prepare(t, s)
		all := maps.Clone(settings)
		maps.Copy(all, own)
		s.Admin.Call(t, http.MethodPost, "/api/v1/auth/"+slug+"/identities/"+x.id, all).Want(200)
		x.logins[slug] = request{"/api/v1/auth/" + slug + "/login", object{"identityId": x.id, "jwt": jwt}}
	}
}

// standing is what is left of a subject: how its operations are answered.
type standing struct {
	use, secret, login             int // of tokens that it had; with its client secret; by the other methods
	newToken, newSecret, revoke    int // made for it, and its token revoked by id
	revokeAll, listTokens, project int // the last: the list of the projects that it is in
	inProject, inOrg, liveToken    bool
}

// standings are the table: what each operation answers in each state of an identity.
var standings = map[string]struct {
	owned  bool
	reach  func(t *testing.T, s *harness.Server, x *subject)
	wanted standing
}{
	"member": {wanted: standing{use: 200, secret: 200, login: 200, newToken: 200, newSecret: 200, revoke: 200, revokeAll: 200, listTokens: 200,
		project: 200, inProject: true, inOrg: true, liveToken: true}},
	"former member": {reach: leave, wanted: standing{use: 401, secret: 401, login: 401, newToken: 404, newSecret: 404, revoke: 404, revokeAll: 200,
		listTokens: 200, project: 404}},
	"joined again": {reach: leaveAndJoin, wanted: standing{use: 401, secret: 401, login: 200, newToken: 200, newSecret: 200, revoke: 404, revokeAll: 200,
		listTokens: 200, project: 200, inOrg: true}},
	"out of the project": {reach: leaveProject, wanted: standing{use: 200, secret: 200, login: 200, newToken: 200, newSecret: 200, revoke: 200, revokeAll: 200,
		listTokens: 200, project: 200, inOrg: true, liveToken: true}},
	"methods detached": {reach: detachAll, wanted: standing{use: 401, secret: 401, login: 401, newToken: 400, newSecret: 400, revoke: 404, revokeAll: 200,
		listTokens: 400, project: 200, inProject: true, inOrg: true}},
	"methods attached again": {reach: func(t *testing.T, s *harness.Server, x *subject) {
		detachAll(t, s, x)
		old := x.logins["universal-auth"]
		x.attach(t, s)
		x.logins["universal-auth"] = old
	}, wanted: standing{use: 401, secret: 401, login: 200, newToken: 200, newSecret: 200, revoke: 404, revokeAll: 200, listTokens: 200,
		project: 200, inProject: true, inOrg: true}},
	"identity deleted": {reach: func(t *testing.T, s *harness.Server, x *subject) {
		s.Admin.Call(t, http.MethodDelete, identityPath(x.id), nil).Want(200)
	}, wanted: standing{use: 401, secret: 401, login: 401, newToken: 404, newSecret: 404, revoke: 404, revokeAll: 404, listTokens: 404, project: 404}},
	"project gone": {reach: deleteProject, wanted: standing{use: 200, secret: 200, login: 200, newToken: 200, newSecret: 200, revoke: 200, revokeAll: 200,
		listTokens: 200, project: 200, inOrg: true, liveToken: true}},
	"owned, member": {owned: true, wanted: standing{use: 200, secret: 200, login: 200, newToken: 200, newSecret: 200, revoke: 200, revokeAll: 200,
		listTokens: 200, project: 200, inProject: true, liveToken: true}},
	"owned, project gone": {owned: true, reach: deleteProject, wanted: standing{use: 401, secret: 401, login: 401, newToken: 404, newSecret: 404, revoke: 404,
		revokeAll: 404, listTokens: 404, project: 404}},
}

func leave(t *testing.T, s *harness.Server, x *subject) {
	t.Helper()
	s.Admin.Call(t, http.MethodDelete, membershipsPath+"/"+x.id, nil).Want(200)
}

func leaveAndJoin(t *testing.T, s *harness.Server, x *subject) {
	t.Helper()
	leave(t, s, x)
	s.Admin.Call(t, http.MethodPost, membershipsPath+"/"+x.id, assignments).Want(200)
}

func leaveProject(t *testing.T, s *harness.Server, x *subject) {
	t.Helper()
	s.Admin.Call(t, http.MethodDelete, projectsPath+"/"+x.project+"/memberships/identities/"+x.id, nil).Want(200)
}

func deleteProject(t *testing.T, s *harness.Server, x *subject) {
	t.Helper()
	s.Admin.Call(t, http.MethodDelete, projectsPath+"/"+x.project, nil).Want(200)
}

func detachAll(t *testing.T, s *harness.Server, x *subject) {
	t.Helper()
	for method := range x.tokens {
		s.Admin.Call(t, http.MethodDelete, "/api/v1/auth/"+method+"/identities/"+x.id, nil).Want(200)
	}
}

// TestWhatIsLeftOfAMember is the table of states and operations, on both engines: what was taken stays taken, by whichever
// way somebody tries to use it.
func TestWhatIsLeftOfAMember(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, s *harness.Server) {
		for name, state := range standings {
			t.Run(name, func(t *testing.T) {
				x := newSubject(t, s, state.owned)
				if state.reach != nil {
					state.reach(t, s, x)
				}
				x.mustUse(t, s, state.wanted)
				x.mustShow(t, s, state.wanted)
				x.mustLogIn(t, s, state.wanted)
				x.mustRevoke(t, s, state.wanted)
			})
		}
	})
}

// mustUse uses, introspects and renews every token that the subject had.
func (x *subject) mustUse(t *testing.T, s *harness.Server, want standing) {
	t.Helper()
	for method, jwt := range x.tokens {
		if got := s.As(jwt).Call(t, http.MethodGet, detailsPath, nil).Status; got != want.use {
			t.Errorf("using the token of %s answered %d, want %d", method, got, want.use)
		}
		if active := s.Admin.Call(t, http.MethodPost, "/api/v1/oauth/introspect", object{"token": jwt}).Want(200).Flag("active"); active != (want.use == 200) {
			t.Errorf("introspection calls the token of %s active: %v", method, active)
		}
		if got := s.As("").Call(t, http.MethodPost, renewPath, object{"accessToken": jwt}).Status; got != want.use {
			t.Errorf("renewing the token of %s answered %d, want %d", method, got, want.use)
		}
	}
}

// mustShow asks the lists.
func (x *subject) mustShow(t *testing.T, s *harness.Server, want standing) {
	t.Helper()
	tokens := s.Admin.Call(t, http.MethodGet, tokensOf(x.id), nil).Want(want.listTokens)
	if revoked := tokens.At("tokens.0.isAccessTokenRevoked"); want.listTokens == 200 && (revoked == false) != want.liveToken {
		t.Errorf("its token is listed with isAccessTokenRevoked %v", revoked)
	}
	if secrets := s.Admin.Call(t, http.MethodGet, universalPath+x.id+"/client-secrets", nil); secrets.Status == 200 && (len(secrets.List("clientSecretData", "id")) > 0) != (want.secret == 200) && want.login != 200 {
		t.Errorf("its client secrets are %s", secrets.Body)
	}
	projects := s.Admin.Call(t, http.MethodGet, identityPath(x.id)+"/identity-memberships", nil).Want(want.project)
	if want.project == 200 && (len(projects.List("identityMemberships", "id")) == 1) != want.inProject {
		t.Errorf("its projects are %s", projects.Body)
	}
	members := s.Admin.Call(t, http.MethodGet, projectsPath+"/"+x.project+"/memberships/identities", nil)
	if members.Status == 200 && slices.Contains(members.List("identityMemberships", "identity.id"), x.id) != want.inProject {
		t.Errorf("the members of the project are %s", members.Body)
	}
	if all := s.Admin.Call(t, http.MethodGet, membershipsPath+"?limit=100", nil).Want(200); slices.Contains(all.List("identityMemberships", "identity.id"), x.id) != want.inOrg {
		t.Errorf("whether it is a member of the organization is not %v", want.inOrg)
	}
}

// mustLogIn logs in by every method and makes credentials. Whatever token comes of it does what the standing allows.
func (x *subject) mustLogIn(t *testing.T, s *harness.Server, want standing) {
	t.Helper()
	fresh := []*harness.Answer{s.Admin.Call(t, http.MethodPost, tokensOf(x.id), object{}).Want(want.newToken)}
	for method, login := range x.logins {
		status := want.login
		if method == "universal-auth" {
			status = want.secret
		}
		fresh = append(fresh, s.As("").Call(t, http.MethodPost, login.path, login.body).Want(status))
	}
	s.Admin.Call(t, http.MethodPost, universalPath+x.id+"/client-secrets", object{}).Want(want.newSecret)
	for _, answer := range fresh {
		if answer.Status != 200 {
			continue
		}
		read := s.As(answer.Text("accessToken")).Call(t, http.MethodGet, "/api/v4/secrets?projectId="+x.project+"&environment=dev&secretPath=/", nil)
		if (read.Status == 200) != want.inProject {
			t.Errorf("a new token reads the secrets of its project with %d", read.Status)
		}
	}
}

func (x *subject) mustRevoke(t *testing.T, s *harness.Server, want standing) {
	t.Helper()
	s.Admin.Call(t, http.MethodPost, revokePath(x.tokenID), nil).Want(want.revoke)
	for _, jwt := range x.tokens { // what is dead already is answered alike
		s.As("").Call(t, http.MethodPost, selfRevokePath, object{"accessToken": jwt}).Want(200)
	}
	s.Admin.Call(t, http.MethodPost, identityPath(x.id)+"/revoke-tokens", nil).Want(want.revokeAll)
}

// TestLeavingTakesTheInstanceToo: whoever left the organization does not administer the instance when it comes back, and
// nobody can take its place while it is out.
func TestLeavingTakesTheInstanceToo(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, s *harness.Server) {
		attacker := s.NewActor(t, "admin", nil)
		owner := login(t, s, adminEmail)
		owner.Call(t, http.MethodDelete, membershipsPath+"/"+s.AdminID, nil).Want(200)
		attacker.Call(t, http.MethodPost, membershipsPath+"/"+s.AdminID, assignments).Want(200)
		jwt := attacker.Call(t, http.MethodPost, tokensOf(s.AdminID), object{}).Want(200).Text("accessToken")
		s.As(jwt).Call(t, http.MethodGet, "/api/v1/admin/user-management/users", nil).WantError(403, "ForbiddenError")
	})
}
