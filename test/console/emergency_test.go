package console

import (
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestEmergency(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	a := s.NewActor(t, "admin", nil)
	b := signIn(t, s)
	b.goTo(b.inOrg("/emergency")).inspect("emergency")
	slug := b.text("label strong")
	b.expect("400 (Bad Request)")
	b.fill("[name=confirm]", "another")
	value[bool](b, `document.querySelector('.destroy').disabled = false, true`)
	b.click(".destroy").shows("confirm it by its slug")
	a.Call(t, http.MethodGet, "/api/v1/identities/details", nil).Want(200)
	b.fill("[name=confirm]", slug).click(".destroy").shows("Everything is revoked").inspect("emergency-done")
	a.Call(t, http.MethodGet, "/api/v1/identities/details", nil).WantError(401, "TokenError")
	b.goTo("/account").at("/login")
}
