package console

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

// A session of the console ends idle after a while without a request, and in any case after some days. The session of the API
// behind it would last longer.
const (
	idleLimit     = 12 * time.Hour
	absoluteLimit = 7 * 24 * time.Hour
	touchEvery    = time.Minute // how far behind the time of the last request may be
)

// session is what the cookie holds, sealed: nobody but the server can read or make one, so a browser cannot be given one that
// somebody else knows.
type session struct {
	Token   string `json:"t"` // the access token of the API
	OrgID   string `json:"o,omitempty"`
	Slug    string `json:"s,omitempty"` // of the organization
	Started int64  `json:"b"`           // Unix seconds
	Seen    int64  `json:"n"`           // of about the last request
}

// sealedAs binds a cookie to its purpose.
var sealedAs = []string{"console", "session"}

// cookieName has browsers refuse the cookie from other hosts and over anything but TLS, where there is TLS.
func (c *Console) cookieName() string {
	if c.secure {
		return "__Host-sallyport"
	}
	return "sallyport"
}

func (v *visit) token() string {
	if v.session == nil {
		return ""
	}
	return v.session.Token
}

// readSession returns the session of a browser; nil for none that is good.
func (c *Console) readSession(r *http.Request) *session {
	cookie, err := r.Cookie(c.cookieName())
	if err != nil {
		return nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return nil
	}
	text, err := c.root.Open(sealed, sealedAs...)
	s := &session{}
	if err != nil || json.Unmarshal(text, s) != nil {
		return nil
	}
	now := c.now()
	if now.Sub(time.Unix(s.Seen, 0)) > idleLimit || now.Sub(time.Unix(s.Started, 0)) > absoluteLimit {
		_ = c.api.For(r, s.Token).Logout(r.Context()) // it may have ended
		return nil
	}
	return s
}

// touch notes that the session is in use.
func (v *visit) touch() {
	if now := v.now(); now.Sub(time.Unix(v.session.Seen, 0)) > touchEvery {
		v.session.Seen = now.Unix()
		v.keep(v.session)
	}
}

// begin gives the browser a new session, whatever it had.
func (v *visit) begin(token string) {
	now := v.now().Unix()
	v.keep(&session{Token: token, Started: now, Seen: now})
}

// keep hands a session to the browser, and goes on with it.
func (v *visit) keep(s *session) {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	v.session, v.api = s, v.Console.api.For(v.r, s.Token)
	v.setCookie(base64.RawURLEncoding.EncodeToString(v.root.Seal(text, sealedAs...)), int(idleLimit/time.Second))
}

// forget takes the session from the browser.
func (v *visit) forget() {
	v.session, v.api = nil, v.Console.api.For(v.r, "")
	v.setCookie("", -1)
}

func (v *visit) setCookie(value string, maxAge int) {
	v.w.Header().Del("Set-Cookie")    // there is one cookie, and its last value counts
	http.SetCookie(v.w, &http.Cookie{ //nolint:gosec // not secure only where the site is served without TLS
		Name: v.cookieName(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: v.secure, SameSite: http.SameSiteLaxMode})
}
