package console

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// commandLine waits for a session as the Infisical CLI does (docs/reference/clients.md).
func commandLine(t *testing.T, origin string) (port string, got *atomic.Value) {
	t.Helper()
	got = &atomic.Value{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		if r.Method == http.MethodPost {
			text, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			got.Store(text)
		}
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, got
}

// payload is what a command line is handed.
type payload struct {
	Email      string `json:"email"`
	PrivateKey string `json:"privateKey"`
	Token      string `json:"JTWToken"`
}

// works tells whether the payload is good for a command line: it decodes, is for the organization, and is accepted.
func (p payload) works(t *testing.T, s *harness.Server) {
	t.Helper()
	if claims := harness.Claims(t, p.Token); p.Email != email || p.PrivateKey != "" || claims["organizationId"] != s.OrgID {
		t.Errorf("the command line gets %+v with %v", p, claims)
	}
	s.As(p.Token).Call(t, http.MethodPost, "/api/v1/auth/checkAuth", nil).Want(200)
	s.As(p.Token).Call(t, http.MethodGet, "/api/v1/projects", nil).Want(200)
}

func TestCommandLineIsSignedInByCallback(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	port, got := commandLine(t, s.URL)
	b := open(t, s.URL)
	b.expect("http://127.0.0.1:" + port)
	b.goTo("/login?callback_port="+port).inspect("login-cli").fill("[name=email]", email).fill("[name=password]", password).click("button.primary")
	b.at("/cli-redirect").shows("127.0.0.1:"+port, email, "First").inspect("cli")
	if got.Load() != nil {
		t.Fatal("a session was handed over without a click")
	}
	b.click("button.primary").waits("[data-when=sent]").inspect("cli-done")
	var p payload
	text, _ := got.Load().([]byte)
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	p.works(t, s)
	b.goTo("/account").shows("Command line, signed in from a browser").click("td.act button").shows("The session has ended")
	s.As(p.Token).Call(t, http.MethodPost, "/api/v1/auth/checkAuth", nil).WantError(401, "TokenError")
}

func TestCommandLineIsSignedInByPasting(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := signIn(t, s)
	b.expect("127.0.0.1:1025")
	b.goTo("/login?callback_port=1025").at("/cli-redirect").click("button.primary").waits("[data-when=paste]").inspect("cli-paste")
	text, err := base64.StdEncoding.DecodeString(b.text("#once"))
	if err != nil {
		t.Fatal(err)
	}
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	p.works(t, s)
}

func TestPortsThatNoCommandLineHas(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	b := signIn(t, s)
	b.expect("400 (Bad Request)")
	for _, port := range []string{"80", "0", "70000", "-1", "x", "1024.evil.example", "8080/path", ""} {
		b.goTo("/cli-redirect?callback_port=" + port).shows("names no port")
	}
	if strings.Contains(b.text("body"), "Sign in the command line") {
		t.Error("it offers to go on")
	}
}
