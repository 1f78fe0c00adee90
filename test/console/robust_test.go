package console

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestWithoutScripts signs in, makes a credential and reveals a secret in a browser that runs no script.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := open(t, s.URL)
	b.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
	b.goTo("/login").fill("[name=email]", email).fill("[name=password]", password).click("button.primary")
	b.goTo(b.inOrg("/identities/new")).fill("[name=name]", "plain").click("button.primary").shows("Your new token")
	page := newProject(b, "plain")
	b.goTo(page+"/new").fill("[name=key]", "KEY").fill("[name=value]", "the value").press("[value=dev]").click("button.primary").shows("Saved")
	b.click("[aria-label='Reveal KEY in dev']").shows("the value", "this reading is in the audit log")
	b.goTo(b.inOrg("/identities?q=plain")).click("td a.name").click("a.danger").fill("[name=confirm]", "plain").click(".destroy").shows("No replica accepts")
	b.press("summary[aria-label='Your account']").click("form[action='/logout'] button").at("/login")
}

// TestKeyboard signs in and moves by keys alone.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := open(t, s.URL)
	b.goTo("/login")
	b.waits("[name=email]:focus").keys(email + "\t" + password)
	b.call(func(ctx context.Context) error {
		_, err := chromedp.RunResponse(ctx, chromedp.KeyEvent("\r"))
		return err
	})
	b.shows("First")
	b.keys("?")
	b.waits("#keys[open]")
	b.keys("\u001b")
	for keys, path := range map[string]string{"gi": "/identities", "gt": "/tokens", "gs": "/projects", "ga": "/audit"} {
		want := b.inOrg(path)
		b.call(func(ctx context.Context) error {
			_, err := chromedp.RunResponse(ctx, chromedp.Steps(chromedp.KeyEvent(keys[:1]), chromedp.KeyEvent(keys[1:])))
			return err
		})
		b.at(want)
	}
	b.goTo(b.inOrg("/identities")).keys("/")
	if !value[bool](b, `document.activeElement.type === 'search'`) {
		t.Error("/ does not go to the search")
	}
}

// keys presses keys, wherever the focus is.
func (b *tab) keys(text string) *tab {
	b.t.Helper()
	b.run(chromedp.KeyEvent(text))
	return b
}

// TestARoleThatIsLostBetweenPageAndClick: the API decides at the click, and what was typed stays.
func TestARoleThatIsLostBetweenPageAndClick(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	user := newUser(t, s, "admin")
	b := open(t, s.URL)
	b.goTo("/login").fill("[name=email]", user).fill("[name=password]", password).click("button.primary")
	b.goTo(b.inOrg("/identities/new")).fill("[name=name]", "too late")
	as := s.As(userToken(t, s))
	list := as.Call(t, http.MethodGet, "/api/v2/organizations/"+s.OrgID+"/memberships", nil).Want(200)
	for i, address := range list.List("users", "user") {
		_ = address
		if place := "users." + string('0'+rune(i)); list.Text(place+".user.email") == user {
			as.Call(t, http.MethodPatch, "/api/v2/organizations/"+s.OrgID+"/memberships/"+list.Text(place+".id"), object{"role": "no-access"}).Want(200)
		}
	}
	b.expect("403 (Forbidden)")
	b.click("button.primary").shows("not")
	if got := value[string](b, `document.querySelector('[name=name]')?.value ?? ''`); got != "too late" {
		t.Errorf("the form has %q", got)
	}
}

// TestTwoTabs: what one tab has changed, the other one is told.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", nil)
	b := signIn(t, s)
	page := b.inOrg("/identities/" + a.ID)
	b.goTo(page)
	s.Admin.Call(t, http.MethodDelete, harness.Identities+"/"+a.ID, nil).Want(200)
	b.expect("404 (Not Found)")
	b.click("td.act button").shows("404")
	b.goTo(b.inOrg("/identities")).hides(a.ID)
}

// TestHostileRequests sends what no page sends.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	c := signedIn(t, s)
	b := signIn(t, s)
	base := s.URL + b.inOrg("")
	for path, want := range map[string]int{
		"/identities/..%2F..%2Fadmin": 404, "/identities/%00": 404, "/identities/" + strings.Repeat("a", 5000): 404, "/identities/%FF": 404,
		"/identities?offset=99999999999999999999": 200, "/identities?sort=%27;--": 200, "/tokens?after=%00&state=live": 422, "/projects/%2e%2e/secrets": 404, "/nothing": 404,
	} {
		answer, text := send(t, c, http.MethodGet, base+path, http.NoBody)
		if answer.StatusCode != want && (want != 404 || answer.StatusCode != 422) {
			t.Errorf("%.60s answers %d, want %d", path, answer.StatusCode, want)
		}
		if strings.Contains(text, "panic") || strings.Contains(text, "goroutine") || answer.StatusCode >= 500 {
			t.Errorf("%.60s: %d %.200s", path, answer.StatusCode, text)
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
		if answer, _ := send(t, c, method, base+"/identities", http.NoBody); answer.StatusCode != 405 {
			t.Errorf("%s answers %d", method, answer.StatusCode)
		}
	}
}
