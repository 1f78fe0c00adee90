package ledger

import (
	"net/http"
	"time"
)

// The user that SetUp makes.
const (
	email    = "a@example.com"
	password = "tulip mantle gravel"
)

// session is the session of the first user, which one worker alone uses.
type session struct {
	jwt     string
	refresh []string // its refresh tokens, the newest last
	doubtAt time.Time
}

// graceLeft is how long a refresh token surely stays good after its successor was made, which the caller may not have
// got: 30 seconds, less some for a machine that is busy.
const graceLeft = 20 * time.Second

// visit does one thing as the first user. Logins are rare, since they hash a password.
func (w *worker) visit() bool {
	s := w.ledger.session
	switch n := w.random.IntN(40); {
	case s == nil:
		return w.signIn()
	case n < 22:
		return w.look(s)
	case n < 38 || len(s.refresh) < 3:
		return w.refresh(s)
	case n < 39:
		return w.reuse(s)
	default:
		return w.signOut(s)
	}
}

func (w *worker) signIn() bool {
	return w.ask(http.MethodPost, "/api/v3/auth/login", "", map[string]any{"email": email, "password": password}, func(a answer) {
		var made struct {
			AccessToken string `json:"accessToken"`
		}
		if err := a.read(&made); err != nil || a.status != http.StatusOK || a.cookie == "" {
			w.ledger.contradict("a user's login was answered with %v", a)
			return
		}
		w.ledger.session = &session{jwt: made.AccessToken, refresh: []string{a.cookie}}
	})
}

// look uses the session.
func (w *worker) look(s *session) bool {
	return w.ask(http.MethodGet, "/api/v1/user", s.jwt, nil, func(a answer) {
		if a.status != http.StatusOK {
			w.ledger.contradict("a user with a session was answered with %v", a)
		}
	})
}

func (w *worker) refresh(s *session) bool {
	l, doubtAt := w.ledger, s.doubtAt
	l.do(func() {
		if doubtAt.IsZero() {
			s.doubtAt = time.Now()
		}
	})
	return w.show(s.refresh[len(s.refresh)-1], func(a answer) {
		var made struct {
			Token string `json:"token"`
		}
		switch {
		case a.status == http.StatusUnauthorized && !doubtAt.IsZero() && time.Since(doubtAt) > graceLeft:
			l.session = nil // it came too late to tell
		case a.status != http.StatusOK || a.read(&made) != nil || a.cookie == "":
			l.contradict("the newest refresh token was answered with %v, in doubt since %v", a, doubtAt)
			l.session = nil
		default:
			s.jwt, s.refresh, s.doubtAt = made.Token, append(s.refresh, a.cookie), time.Time{}
		}
	})
}

// show sends a refresh token.
func (w *worker) show(token string, judge func(answer)) bool {
	w.cookie = token
	defer func() { w.cookie = "" }()
	return w.ask(http.MethodPost, "/api/v1/auth/token", "", nil, judge)
}

// reuse shows a refresh token that was spent long ago: it gets nothing, and the session ends.
func (w *worker) reuse(s *session) bool {
	l := w.ledger
	l.do(func() { l.session = nil })
	refused := false
	there := w.show(s.refresh[0], func(a answer) {
		if refused = a.status == http.StatusUnauthorized; !refused {
			l.contradict("a refresh token that was spent was answered with %v", a)
		}
		l.end(s.jwt)
	})
	return there && (!refused || w.ended(s.jwt))
}

func (w *worker) signOut(s *session) bool {
	l := w.ledger
	l.do(func() { l.session = nil })
	out := false
	there := w.ask(http.MethodPost, "/api/v1/auth/logout", s.jwt, nil, func(a answer) {
		if out = a.status == http.StatusOK; !out {
			l.contradict("a logout was answered with %v", a)
		}
		l.end(s.jwt)
	})
	return there && (!out || w.ended(s.jwt))
}

// end notes a token that is dead from now on. The newest are tried again after each restart.
func (l *Ledger) end(jwt string) {
	const kept = 12
	if jwt != "" {
		l.endedJWTs = append(l.endedJWTs[max(0, len(l.endedJWTs)-kept):], jwt)
	}
}

// ended uses a token that must be dead.
func (w *worker) ended(jwt string) bool {
	if jwt == "" {
		return true
	}
	return w.ask(http.MethodPost, "/api/v1/auth/checkAuth", jwt, nil, func(a answer) {
		if a.status != http.StatusUnauthorized || a.reason != "revoked" {
			w.ledger.contradict("a token whose secret was revoked, or whose session has ended, was answered with %v", a)
		}
	})
}
