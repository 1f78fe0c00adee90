package console

import (
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

const (
	email    = "admin@example.com"
	password = "correct horse"
)

// signIn signs the administrator in.
func signIn(t *testing.T, s *harness.Server) *tab {
	t.Helper()
	b := open(t, s.URL)
	b.goTo("/login").fill("[name=email]", email).fill("[name=password]", password).click("button.primary")
	return b
}

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := open(t, s.URL)
	b.goTo("/").at("/login").inspect("login")
	b.expect("400 (Bad Request)")
	b.fill("[name=email]", email).fill("[name=password]", "wrong horse").click("button.primary").at("/login").shows("e-mail address or the password is wrong")
	b.inspect("login-refused")
	b.fill("[name=password]", password).click("button.primary").shows("First")
	b.goTo("/account").shows("this one").inspect("account")
	b.press("summary[aria-label='Your account']").click("form[action='/logout'] button").at("/login")
	b.goTo("/account").at("/login")
}
