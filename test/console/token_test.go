package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestTokensPage(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	identity := s.NewIdentity(t, "no-access")
	s.Attach(t, identity, nil)
	jwts := map[string]string{}
	for n := range 60 {
		answer := s.Admin.Call(t, http.MethodPost, harness.TokenAuth+identity+"/tokens", object{"name": fmt.Sprintf("token-%02d", n)}).Want(200)
		jwts[answer.Text("tokenData.id")] = answer.Text("accessToken")
	}
	b := signIn(t, s)
	b.goTo(b.inOrg("/tokens")).shows("token-59").hides("eyJ").inspect("tokens")
	b.click("[rel=next]").shows("token-00").click(".pages a.button").shows("token-59")
	b.expect("422 (Unprocessable Entity)")
	b.click(".pages .danger").shows("Select at least one token")
	b.goTo(b.inOrg("/tokens"))
	chosen := value[[]string](b, `[...document.querySelectorAll('input[name=token]')].slice(0, 3).map((box) => (box.click(), box.value))`)
	b.click(".pages .danger").shows("3 tokens revoked").inspect("tokens-revoked")
	for _, one := range chosen {
		_, tokenID, _ := strings.Cut(one, " ")
		s.As(jwts[tokenID]).Call(t, http.MethodGet, "/api/v1/identities/details", nil).WantError(401, "TokenError")
	}
	b.goTo(b.inOrg("/tokens?state=revoked&identity="+identity)).shows("token-59", "token-57").hides("token-56")
	b.goTo(b.inOrg("/tokens?state=live&use=idle")).shows("No token matches")
}

// TestPasteALeak finds tokens in a text full of other things, and revokes them without showing them again.
func TestPasteALeak(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	a, dead := s.NewActor(t, "no-access", nil), s.NewActor(t, "no-access", nil)
	s.Admin.Call(t, http.MethodPost, "/api/v1/auth/token-auth/tokens/"+dead.TokenID+"/revoke", nil).Want(200)
	b := signIn(t, s)
	b.goTo(b.inOrg("/tokens/leak")).inspect("leak")
	text := "2026-01-01 GET / Authorization: Bearer " + a.Token + "\nTOKEN='" + dead.Token + "'; eyJhbGciOi <b>x</b> " + a.Token + " eyJub25zZW5zZQ.eyJub25zZW5zZQ.bm9uc2Vuc2U"
	value[bool](b, fmt.Sprintf(`document.querySelector('textarea').value = %q, true`, text))
	b.click("button.primary").shows("1 live token found", "not accepted anyway").hides(a.Token, dead.Token).inspect("leak-found")
	b.click(".destroy").shows("1 token revoked")
	s.As(a.Token).Call(t, http.MethodGet, "/api/v1/identities/details", nil).WantError(401, "TokenError")
	b.fill("textarea", "nothing").click("button.primary").shows("No live token")
}
