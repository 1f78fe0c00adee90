package console

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// handOver is the page that gives a command line a session, and the page after it.
type handOver struct {
	Port    string
	Payload string // once it was handed over: what the program gets, in base64
}

// callbackPort returns the port that the command line waits on; "" for one that it cannot be.
func (v *visit) callbackPort() string {
	n, err := strconv.ParseUint(v.r.FormValue("callback_port"), 10, 16)
	if err != nil || n < 1024 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

var errPort = problem{http.StatusBadRequest, "The address of this page names no port of a command line between 1024 and 65535. Start infisical login again."}

func (v *visit) handOverPage() error {
	port := v.callbackPort()
	if port == "" {
		return errPort
	}
	if v.org == nil {
		return v.redirect("/login/select-organization?" + url.Values{"callback_port": {port}}.Encode())
	}
	return v.show(http.StatusOK, "handover", "Sign in the command line", handOver{Port: port})
}

// handOver begins a session for a command line and shows the page that sends it there. The form of the payload is that of the
// Infisical CLI (docs/reference/clients.md); the program keeps the token of a session of its own.
func (v *visit) handOver() error {
	port := v.callbackPort()
	if port == "" || v.org == nil {
		return errPort
	}
	token, err := v.api.BeginSession(v.ctx, "Command line, signed in from a browser")
	if err != nil {
		return err
	}
	text, err := json.Marshal(struct { //nolint:gosec // what the program is to get; privateKey is always empty
		Email      string `json:"email"`
		PrivateKey string `json:"privateKey"`
		Token      string `json:"JTWToken"`
		Refresh    string `json:"RefreshToken"`
	}{v.me.Email, "", token, ""})
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Security-Policy", strings.Replace(policy, "connect-src 'self'", "connect-src 'self' http://127.0.0.1:"+port, 1))
	return v.show(http.StatusOK, "handedover", "Sign in the command line", handOver{port, base64.StdEncoding.EncodeToString(text)})
}
