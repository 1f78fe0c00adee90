package console

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// pathOf returns a link without its host, which is that of --listen.
func pathOf(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

func TestPeople(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := signIn(t, s)
	b.goTo(b.inOrg("/members")).shows(email, "active").inspect("members")
	b.fill("[name=email]", "grace@example.com").click(".form button.primary").shows("This is an invitation", "invited").inspect("member-invited")
	link := pathOf(t, b.text("#once"))

	grace := open(t, s.URL)
	grace.goTo(link).inspect("invitation")
	grace.expect("422 (Unprocessable Entity)")
	grace.fill("[name=first]", "Grace").fill("[name=password]", "short").click("button.primary").shows("12")
	grace.fill("[name=password]", "seven purple otters").click("button.primary").shows("First")
	other := open(t, s.URL)
	other.expect("400 (Bad Request)")
	other.goTo(link).fill("[name=first]", "Eve").fill("[name=password]", "seven purple otters").click("button.primary").shows("was used before")

	grace.expect("400 (Bad Request)")
	grace.goTo("/account").fill("[name=old]", "wrong horse").fill("[name=new]", "eight purple otters").click(".form button.primary").shows("password")
	grace.fill("[name=old]", "seven purple otters").fill("[name=new]", "eight purple otters").click(".form button.primary").at("/login")

	b.goTo(b.inOrg("/members")).click("[aria-label^='Link for a new password']").shows("valid for an hour")
	reset := pathOf(t, b.text("#once"))
	grace.goTo(reset).inspect("password-reset").fill("[name=password]", "nine purple otters").click("button.primary").at("/login")
	grace.fill("[name=email]", "grace@example.com").fill("[name=password]", "nine purple otters").click("button.primary").shows("First")
	if strings.Contains(value[string](grace, `document.body.innerText`), "Invite a user") {
		t.Error("a member may invite")
	}
	b.goTo(b.inOrg("/members")).click("[aria-label^='Remove']").shows("not a member any more")
	grace.expect("401 (Unauthorized)")
	grace.goTo("/account").at("/login")
}
