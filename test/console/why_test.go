package console

import (
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestWhy(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	s.Admin.Call(t, http.MethodPost, "/api/v1/organization/roles", object{"slug": "keeper", "name": "Keepers", "permissions": []any{
		object{"subject": "identity", "action": []string{"read"}}, object{"subject": "role", "action": []string{"read"}}, object{"subject": "role", "action": []string{"read"}, "inverted": true}}}).Want(200)
	identity := s.NewIdentity(t, "keeper")
	b := signIn(t, s)
	b.goTo(b.inOrg("/identities/" + identity)).click(".title a").inspect("why-asked")
	ask := b.inOrg("/why?actor=" + identity + "&ask=")
	b.goTo(ask+"identity+read").shows("allowed", "The role Keepers allows it").inspect("why")
	b.goTo(ask+"role+read").shows("refused", "a denial always wins").inspect("why-denied")
	b.goTo(ask+"identity+delete").shows("refused", "No rule of its roles names this action")
	b.expect("404 (Not Found)")
	b.goTo(b.inOrg("/why?ask=role+read&actor=" + id.New())).shows("There is no identity or user")
}
