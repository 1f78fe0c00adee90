package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// newProject makes a project through the console and returns its path.
func newProject(b *tab, name string) string {
	b.t.Helper()
	b.goTo(b.inOrg("/projects")).fill("[name=name]", name).click("form.panel button.primary")
	return value[string](b, `location.pathname`)
}

// reads counts the events of values that were read.
func reads(t *testing.T, s *harness.Server) int {
	t.Helper()
	s.App.API() // the log is written before the answer
	return len(s.Admin.Call(t, http.MethodGet, "/api/v1/organization/audit-logs?limit=1000&eventType=get-secret,get-secrets", nil).Want(200).List("auditLogs", "id"))
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := signIn(t, s)
	b.goTo(b.inOrg("/projects")).shows("not a member of a project").inspect("projects-first")
	page := newProject(b, "shop")
	b.shows("There are no secrets here yet").inspect("secrets-first")

	b.click(".head a.primary").fill("[name=key]", "DB_URL").fill("[name=value]", "postgres://live-value").fill("[name=comment]", "the main database")
	b.expect("422 (Unprocessable Entity)")
	b.click("button.primary").shows("Choose at least one environment")
	b.press("[value=dev]").press("[value=prod]").inspect("secret-new").click("button.primary").shows("Saved", "DB_URL", "1 missing", "the main database").hides("live-value")

	b.goTo(page + "/paste").inspect("paste")
	text := "# of the shop\nDB_URL=other\nSENTRY_DSN='https://sentry'\nMULTI=\"a\\nb\""
	value[bool](b, fmt.Sprintf(`document.querySelector('textarea').value = %q, true`, text))
	b.click("button.primary").shows("2 new, 1 with a new version in dev").inspect("paste-preview")
	b.click("button.primary").shows("All secrets were saved", "SENTRY_DSN").hides("https://sentry").inspect("secrets")

	before := reads(t, s)
	b.press("[aria-label='Reveal DB_URL in dev']").waits(".cell.shown")
	if got := b.text(".cell.shown .value"); got != "other" || reads(t, s) != before+1 {
		t.Errorf("revealing shows %q and leaves %d events", got, reads(t, s)-before)
	}
	b.inspect("secrets-revealed").press("[aria-label='Reveal DB_URL in dev']").hides(">other<")

	b.goTo(page+"/one?env=dev&key=DB_URL").shows("version 2").hides("other", "live-value").inspect("secret")
	b.click("[aria-label='Restore version 1']").shows("Restored as a new version")
	b.goTo(page+"/one?env=dev&key=DB_URL").shows("version 3").click(".head button").shows("postgres://live-value", "version 3").inspect("reveal")
	b.goTo(page + "/one?env=prod&key=DB_URL")
	value[bool](b, `document.querySelector('textarea').value = 'changed', true`)
	b.click("[value=save]").shows("Saved")

	b.goTo(page+"/compare").inspect("compare").click("button.primary").shows("DB_URL", "differs", "only in dev").hides("changed").inspect("compared")
	b.goTo(page+"/one?env=prod&key=DB_URL").fill("[name=confirm]", "DB_URL").click(".destroy").shows("Deleted", "2 missing")
	b.fill(".pages [name=name]", "api").click(".pages button").shows("at /api", "There are no secrets here yet")
	b.click(".crumbs a:nth-child(2)").shows("api").inspect("secrets-folder")
	b.goTo(page + "?q=sentry").shows("SENTRY_DSN").hides(">DB_URL<")
}

// TestNoValueIsInAPageBeforeItsReveal looks through the sources of all pages about a secret, also of hostile ones.
func TestNoValueIsInAPageBeforeItsReveal(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := signIn(t, s)
	page := newProject(b, "quiet")
	project := s.As(userToken(t, s)).Call(t, http.MethodGet, "/api/v1/projects", nil).Want(200).Text("projects.0.id")
	as := s.As(userToken(t, s))
	const value = "the-live-value <script>alert(1)</script>"
	names := []string{"PLAIN", "a.b-c", "<b>x<b>", "ключ", strings.Repeat("W", 200)}
	for _, name := range names {
		as.Call(t, http.MethodPost, "/api/v4/secrets/"+url.PathEscape(name), object{"projectId": project, "environment": "dev", "secretPath": "/", "secretValue": value}).Want(200)
	}
	b.goTo(page).shows("PLAIN", "<b>x<b>").hides("the-live-value").inspect("secrets-hostile")
	for _, name := range names {
		one := page + "/one?" + url.Values{"env": {"dev"}, "key": {name}}.Encode()
		b.goTo(one).shows(name).hides("the-live-value").click(".head button").shows(value)
	}
	b.expect("404 (Not Found)")
	b.goTo(page + "?path=/nothing").shows("404")
	b.goTo(page + "/one?env=dev&key=nothing").shows("404")
	b.goTo(b.inOrg("/projects/nothing/secrets")).shows("404")
}

// userToken is an access token of the administrator.
func userToken(t *testing.T, s *harness.Server) string {
	t.Helper()
	token := s.As("").Call(t, http.MethodPost, "/api/v3/auth/login", object{"email": email, "password": password}).Want(200).Text("accessToken")
	return s.As(token).Call(t, http.MethodPost, "/api/v3/auth/select-organization", object{"organizationId": s.OrgID}).Want(200).Text("token")
}
