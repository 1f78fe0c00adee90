package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestSetUpOnThisMachine(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	b := open(t, s.URL)
	b.goTo("/").at("/setup").inspect("setup").hides("Setup code")
	b.expect("422 (Unprocessable Entity)")
	fill := func(password string) {
		b.fill("[name=organization]", "Acme").fill("[name=email]", "ada@example.com").fill("[name=password]", password).fill("[name=again]", password).click("button.primary")
	}
	fill("short")
	b.shows("12").inspect("setup-refused")
	fill("tulip mantle gravel")
	b.shows("The server is set up", "Instance Admin Identity").inspect("setup-done")
	s.As(b.text("#once")).Call(t, http.MethodGet, "/api/v1/identities/details", nil).Want(200)
	b.click("a.button").shows("Acme", "Replicas").inspect("overview")
	b.goTo("/setup").hides("Set up this server")
}

func TestSetUpFromAnotherMachineNeedsTheCode(t *testing.T) {
	t.Parallel()
	form := url.Values{"organization": {"Acme"}, "email": {"ada@example.com"}, "password": {"tulip mantle gravel"}, "again": {"tulip mantle gravel"}}
	passed := []string{"X-Forwarded-For", "203.0.113.9"}
	s := harness.Start(t)
	c := visitor(t)
	if _, text := send(t, c, http.MethodGet, s.URL+"/setup", http.NoBody, passed...); !strings.Contains(text, "Setup code") {
		t.Error("the page does not ask for the code")
	}
	if answer, _ := post(t, c, s.URL+"/setup", form, passed...); answer.StatusCode != http.StatusForbidden {
		t.Errorf("without the code: %d", answer.StatusCode)
	}
	form.Set("code", "AAAA-AAAA-AAAA-AAAA")
	if answer, _ := post(t, c, s.URL+"/setup", form, passed...); answer.StatusCode != http.StatusForbidden {
		t.Errorf("with a wrong code: %d", answer.StatusCode)
	}
	code, err := s.App.SetupCode(t.Context())
	if err != nil || code == "" {
		t.Fatal(code, err)
	}
	form.Set("code", strings.ToLower(code))
	if answer, text := post(t, c, s.URL+"/setup", form, passed...); answer.StatusCode != http.StatusOK {
		t.Errorf("with the code: %d %s", answer.StatusCode, text)
	}
	closed := harness.Start(t, func(o *app.Options) { o.Config.SetupCode = "none" })
	if answer, _ := post(t, c, closed.URL+"/setup", form, passed...); answer.StatusCode != http.StatusOK {
		t.Errorf("a server that asks nobody for it: %d", answer.StatusCode)
	}
}

func TestLinksWorkOnce(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	make := func() string {
		code, _, err := s.App.SignInCode(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return "/link/" + code
	}
	b := open(t, s.URL)
	link := make()
	b.goTo(link).goTo(link).inspect("link").click("button.primary").shows("First")
	other := open(t, s.URL)
	other.expect("400 (Bad Request)")
	other.goTo(link).click("button.primary").shows("was used before").inspect("link-used")
	late := make()
	s.Clock.Advance(10 * time.Minute)
	other.goTo(late).click("button.primary").shows("has expired")
}

func TestConsoleCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, func(o *app.Options) { o.Config.Console = false })
	if answer, text := send(t, visitor(t), http.MethodGet, s.URL+"/", http.NoBody); answer.StatusCode != http.StatusOK || !strings.Contains(text, "/api/docs") {
		t.Errorf("/ answers %d %s", answer.StatusCode, text)
	}
	if answer, _ := send(t, visitor(t), http.MethodGet, s.URL+"/login", http.NoBody); answer.StatusCode != http.StatusNotFound {
		t.Errorf("/login answers %d", answer.StatusCode)
	}
}
