package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestGitHubActions makes an identity that jobs log in as, in both forms of the subject.
func TestGitHubActions(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := signIn(t, s)
	for place, want := range map[string]string{"branch": "repo:acme/shop:ref:refs/heads/main", "environment": "repo:acme/shop:environment:main"} {
		b.goTo(b.inOrg("/identities/new")).fill("[name=name]", "jobs of "+place).press("[value=github]").fill("[name=which]", "main")
		value[bool](b, `document.querySelector("[name=place]").value = "`+place+`", true`)
		b.expect("422 (Unprocessable Entity)")
		b.fill("[name=repository]", "acme").click("button.primary").shows("Write the repository as owner/name")
		b.fill("[name=repository]", "acme/shop").inspect("identity-github-"+place).click("button.primary").shows("Log in from GitHub Actions", want)
		_, id, _ := strings.Cut(value[string](b, `document.querySelector(".head .actions a").pathname`), "/identities/")
		got := s.Admin.Call(t, http.MethodGet, "/api/v1/auth/oidc-auth/identities/"+id, nil).Want(200)
		if got.Text("identityOidcAuth.boundSubject") != want || got.Text("identityOidcAuth.boundAudiences") != "https://github.com/acme" {
			t.Errorf("the login method is %s", got.Body)
		}
	}
	b.goTo(b.inOrg("/identities/new")).fill("[name=name]", "any").press("[value=github]").fill("[name=repository]", "acme/shop").fill("[name=which]", "*").click("button.primary").shows("without wildcards")
	b.goTo(b.inOrg("/identities?q=any")).shows("No identity matches")
}
