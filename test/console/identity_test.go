package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// inOrg returns the path of a page of the organization.
func (b *tab) inOrg(path string) string {
	b.t.Helper()
	return value[string](b, `document.body.dataset.base`) + path
}

// hostile are names that pages must show as they are.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `{{.Token}}`, `'; DROP TABLE identities; --`, "émoji 🚀 名前", "\u202eright to left", strings.Repeat("w", 255)}

// TestThreeMinutes walks the way of a new user: an identity with a token, its snippet, its use in the timeline, and the end.
func TestThreeMinutes(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := signIn(t, s)
	b.click("nav.main a[href$='/identities']").inspect("identities-first").click(".head a.primary").inspect("identity-new")
	b.fill("[name=name]", "ci-deploy").fill("[name=label]", "github-main").click("button.primary").shows("Your new token", "It is not shown again").inspect("credential")
	token := b.text("#once")
	if snippet := b.text("#s-curl"); !strings.Contains(snippet, s.URL+"/api/v1/identities/details") || !strings.Contains(snippet, token) {
		t.Errorf("the snippet is %s", snippet)
	}
	use := s.As(token).With("User-Agent", "infisical-go/0.8.0")
	use.Call(t, http.MethodGet, "/api/v1/identities/details", nil).Want(200)
	use.Call(t, http.MethodGet, "/api/v1/identities", nil).WantError(403, "PermissionDenied")
	b.click(".head .actions a").shows("ci-deploy", "github-main", "permission denied", "create identity", "infisical-go/0.8.0", "1 request refused").hides(token).inspect("identity")
	b.click("a.danger").shows("Revoke everything of ci-deploy").inspect("identity-revoke")
	b.expect("422 (Unprocessable Entity)")
	if !value[bool](b, `document.querySelector('.destroy').disabled`) {
		t.Error("the button does not wait for the name")
	}
	value[bool](b, `document.querySelector('.destroy').disabled = false, true`)
	b.fill("[name=confirm]", "ci")
	value[bool](b, `document.querySelector('.destroy').disabled = false, true`)
	b.click(".destroy").shows("Nothing was changed")
	use.Call(t, http.MethodGet, "/api/v1/identities/details", nil).Want(200)
	b.fill("[name=confirm]", "ci-deploy").click(".destroy").shows("No replica accepts a token of ci-deploy", "1 of 1 replica confirmed").inspect("identity-revoked")
	use.Call(t, http.MethodGet, "/api/v1/identities/details", nil).WantError(401, "TokenError")
	b.click("a.primary").shows("revoked", "revoke identity access tokens")
}

func TestCredentialsOfAnIdentity(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	identity := s.NewIdentity(t, "admin")
	b := signIn(t, s)
	page := b.inOrg("/identities/" + identity)
	b.goTo(page).shows("cannot log in").inspect("identity-bare")
	b.goTo(page+"/new/client-secrets").shows("universal-auth is attached").fill("[name=label]", "laptop")
	b.expect("422 (Unprocessable Entity)")
	b.fill("[name=ttl]", "soon").click("button.primary").shows("Enter a whole number").fill("[name=ttl]", "30").fill("[name=uses]", "50").inspect("credential-new")
	b.click("button.primary").shows("Your new client secret", "Client ID").inspect("client-secret")
	secret, clientID := b.text("#once"), b.text(".facts code")
	login := object{"clientId": clientID, "clientSecret": secret}
	token := s.As("").Call(t, http.MethodPost, "/api/v1/auth/universal-auth/login", login).Want(200).Text("accessToken")
	b.goTo(page).shows("laptop", "of 50", "login identity universal auth").hides(secret, token)
	b.click("td.act button").shows("with every token that was issued for it")
	s.As(token).Call(t, http.MethodGet, "/api/v1/identities/details", nil).WantError(401, "TokenError")
	b.goTo(page+"/new/tokens").fill("[name=label]", "one").click("button.primary")
	token = b.text("#once")
	s.Clock.Advance(28 * 24 * time.Hour)
	b.fillSignIn()
	b.goTo(page).shows("one", "expires in").click("td.act button").shows("The token is revoked").shows("revoked")
	s.As(token).Call(t, http.MethodGet, "/api/v1/identities/details", nil).WantError(401, "TokenError")
	b.goTo(page + "/delete").inspect("identity-delete")
	b.fill("[name=confirm]", b.text("label strong")).click(".destroy").shows("The identity is deleted")
	b.expect("404 (Not Found)")
	b.goTo(page).shows("404")
}

// fillSignIn signs in again, when the clock has ended the session.
func (b *tab) fillSignIn() {
	b.t.Helper()
	b.goTo("/login").fill("[name=email]", email).fill("[name=password]", password).click("button.primary")
}

func TestListOfIdentities(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	for n := range 60 {
		s.Admin.Call(t, http.MethodPost, harness.Identities, object{"name": fmt.Sprintf("worker-%02d", n), "organizationId": s.OrgID, "role": "member"}).Want(200)
	}
	for _, name := range hostile {
		s.Admin.Call(t, http.MethodPost, harness.Identities, object{"name": name, "organizationId": s.OrgID, "role": "no-access"}).Want(200)
	}
	b := signIn(t, s)
	b.goTo(b.inOrg("/identities")).shows("68 identities", "1–50 of 68").inspect("identities")
	b.click("[rel=next]").shows("51–68 of 68").click("[rel=prev]").shows("1–50 of 68")
	b.fill(".filter [name=q]", "worker-3").click(".filter .button").shows("10 identities").hides("worker-40")
	b.goTo(b.inOrg("/identities?role=no-access&sort=-name")).shows("7 identities", hostile[0], hostile[2]).inspect("identities-hostile")
	if value[int](b, `document.querySelectorAll('main script, main img').length`) != 0 {
		t.Error("a name became markup")
	}
	b.goTo(b.inOrg("/identities?q=nothing")).shows("No identity matches")
	b.goTo(b.inOrg("/identities?q=" + url.QueryEscape(hostile[0]))).click("td a.name").shows(hostile[0]).inspect("identity-hostile")
	b.goTo(b.inOrg("/identities?offset=-5&sort=x")).shows("68 identities")
}

// TestNothingTypedIsLost: a session that ends in the middle of a form.
func TestNothingTypedIsLost(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := signIn(t, s)
	b.goTo(b.inOrg("/identities/new")).fill("[name=name]", `long "typed" <name> 🚀`).fill("[name=label]", "first")
	s.As("").Call(t, http.MethodPost, "/api/v3/auth/login", object{"email": email, "password": password}).Want(200)
	end := s.As("").Call(t, http.MethodPost, "/api/v3/auth/login", object{"email": email, "password": password}).Text("accessToken")
	s.As(end).Call(t, http.MethodDelete, "/api/v2/users/me/sessions", nil).Want(200)
	b.expect("401 (Unauthorized)")
	b.click("button.primary").shows("nothing that you typed is lost").inspect("session-ended")
	b.expect("400 (Bad Request)")
	b.fill("[name=email]", email).fill("[name=password]", "wrong horse").click("button.primary").shows("is wrong")
	b.fill("[name=password]", password).click("button.primary").shows("Welcome back").inspect("resume")
	b.click("button.primary").shows("Your new token", `long "typed" <name> 🚀`)
}

// object is a JSON object to send.
type object = map[string]any

func TestButtonsAreForThoseWhoMayPressThem(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	identity := s.NewIdentity(t, "member")
	user := newUser(t, s, "member")
	b := open(t, s.URL)
	b.goTo("/login").fill("[name=email]", user).fill("[name=password]", password).click("button.primary")
	base := b.inOrg("")
	b.goTo(base + "/identities").inspect("identities-member")
	member := strings.Contains(value[string](b, `document.body.innerText`), "New identity")
	b.goTo(base + "/identities/" + identity).hides("Revoke everything").inspect("identity-member")
	if member {
		t.Log("members may create identities")
	}
	nobody := newUser(t, s, "no-access")
	b.press("summary[aria-label='Your account']").click("form[action='/logout'] button")
	b.fill("[name=email]", nobody).fill("[name=password]", password).click("button.primary")
	b.expect("403 (Forbidden)")
	b.goTo(base + "/identities").shows("You are not allowed to do this").inspect("refused")
	b.goTo(base + "/identities/" + identity).shows("You are not allowed to do this")
}

// newUser makes a user with the administrator's password: no route does. It returns the e-mail address.
func newUser(t *testing.T, s *harness.Server, role string) string {
	t.Helper()
	name, userID := harness.RandomName(), id.New()
	s.Exec(t, `INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
		SELECT ?, ?, 'Grace', 'Hopper', password_hash, FALSE, 0, 0 FROM users WHERE email = ?`, userID, name+"@example.com", email)
	s.Exec(t, `INSERT INTO memberships (id, scope, org_id, user_id, active, created_at, updated_at) VALUES (?, 'organization', ?, ?, TRUE, 0, 0)`,
		name, s.OrgID, userID)
	s.Exec(t, `INSERT INTO membership_roles (id, membership_id, role, temporary, created_at, updated_at) VALUES (?, ?, ?, FALSE, 0, 0)`, name, name, role)
	return name + "@example.com"
}
