package ledger

import (
	"fmt"
	"net/http"
)

const (
	universalPath = "/api/v1/auth/universal-auth/identities/"
	loginPath     = "/api/v1/auth/universal-auth/login"
	locksAfter    = 3 // wrong secrets, as is the default
	secretLimit   = 3 // uses of a limited client secret
)

// logins is the Universal Auth of an identity. Its worker alone logs in with it, one login after the other, so that it is
// known what each must be answered with, but for what went without an answer before.
type logins struct {
	clientID string
	secrets  map[string]*clientSecret // all that were acknowledged, by their ids
	inVain   int                      // secrets that were asked for without an answer
	free     *clientSecret            // without a limit; nil: there is none now
	limited  *clientSecret

	// Wrong secrets one after the other, up to locksAfter: those that were answered, and with those that were not.
	failed, mayHaveFailed int
}

type clientSecret struct {
	id, plain string
	limit     int64
	began     int64 // logins that were asked for
	passed    int64 // and answered with a token
	jwt       string
	doubt     bool // its revoke was asked for
	dead      bool // and acknowledged
}

func (s *clientSecret) String() string {
	return fmt.Sprintf("client secret %s (limit %d, %d of %d logins passed, doubt %v, dead %v)", s.id, s.limit, s.passed, s.began, s.doubt, s.dead)
}

// admit gives an identity Universal Auth. Only the administrator's clearing ends a lock while a test runs.
func (l *Ledger) admit(c *client, own *workload) error {
	var made struct {
		Config struct {
			ClientID string `json:"clientId"`
		} `json:"identityUniversalAuth"`
	}
	body := map[string]any{"lockoutDurationSeconds": 86400, "lockoutCounterResetSeconds": 3600}
	err := l.must(c, universalPath+own.id, body, &made)
	own.logins = &logins{clientID: made.Config.ClientID, secrets: map[string]*clientSecret{}}
	return err
}

// enter does one thing with Universal Auth.
func (w *worker) enter() bool {
	own := w.own.logins
	switch n := w.random.IntN(8); {
	case own.free == nil:
		return w.newSecret(&own.free, 0)
	case own.limited == nil:
		return w.newSecret(&own.limited, secretLimit)
	case own.mayHaveFailed >= locksAfter:
		return w.login(own.free) && w.clearLockouts()
	case n < 2:
		return w.login(own.free)
	case n < 5:
		return w.login(own.limited)
	case n < 6:
		return w.lockOut()
	case n < 7 || own.limited.began <= own.limited.limit:
		return w.revokeSecret(&own.free)
	default:
		return w.revokeSecret(&own.limited)
	}
}

func (w *worker) newSecret(to **clientSecret, limit int64) bool {
	l, own := w.ledger, w.own.logins
	l.do(func() { own.inVain++ })
	return w.ask(http.MethodPost, universalPath+w.own.id+"/client-secrets", l.admin, map[string]any{"numUsesLimit": limit}, func(a answer) {
		var made struct {
			Secret string `json:"clientSecret"`
			Data   struct {
				ID string `json:"id"`
			} `json:"clientSecretData"`
		}
		if err := a.read(&made); err != nil || a.status != http.StatusOK {
			l.contradict("a client secret could not be made: %v", a)
			return
		}
		own.inVain--
		*to = &clientSecret{id: made.Data.ID, plain: made.Secret, limit: limit}
		own.secrets[made.Data.ID] = *to
	})
}

// login logs in with a secret that is live.
func (w *worker) login(s *clientSecret) bool {
	l, own := w.ledger, w.own.logins
	failed := own.failed
	l.do(func() {
		s.began++
		own.failed = 0 // from here on it may have been forgiven
	})
	return w.ask(http.MethodPost, loginPath, "", own.with(s.plain), func(a answer) { l.loggedIn(own, failed, s, a) })
}

// loggedIn judges the answer to a login with a live secret, before which so many failures were known.
func (l *Ledger) loggedIn(own *logins, failed int, s *clientSecret, a answer) {
	var made struct {
		AccessToken string `json:"accessToken"`
	}
	mayBeLocked := own.mayHaveFailed >= locksAfter
	mayBeSpent := s.limit > 0 && s.began > s.limit
	switch {
	case a.status == http.StatusOK:
		s.passed++
		if failed >= locksAfter {
			l.contradict("let in, though it was locked out: %v", s)
		}
		if s.limit > 0 && s.passed > s.limit {
			l.contradict("let in more often than its limit: %v", s)
		}
		if err := a.read(&made); err != nil {
			l.contradict("a login was answered badly: %v", err)
			return
		}
		s.jwt, own.mayHaveFailed = made.AccessToken, 0
	case a.status == http.StatusUnauthorized && mayBeLocked && !mayBeSpent:
		own.failed = locksAfter // it is locked out, and no doubt is left
	case a.status == http.StatusUnauthorized && mayBeSpent && !mayBeLocked:
		own.mayHaveFailed = 0 // it showed that it holds the secret
	case a.status == http.StatusUnauthorized && mayBeSpent && failed >= locksAfter:
		own.failed = failed
	case a.status == http.StatusUnauthorized && mayBeSpent:
	default:
		l.contradict("a login was answered with %v, %d to %d failures before it: %v", a, failed, own.mayHaveFailed, s)
	}
}

func (own *logins) with(secret string) map[string]any {
	return map[string]any{"clientId": own.clientID, "clientSecret": secret}
}

// guess logs in with a secret that was never good, which counts as a failure.
func (w *worker) guess(secret string) bool {
	l, own := w.ledger, w.own.logins
	l.do(func() { own.mayHaveFailed = min(own.mayHaveFailed+1, locksAfter) })
	return w.refused(secret, func() { own.failed = min(own.failed+1, locksAfter) })
}

// refused logs in with a secret that must not be good, or not any more. A revoked one is not a guess: it does not count.
func (w *worker) refused(secret string, then func()) bool {
	l := w.ledger
	return w.ask(http.MethodPost, loginPath, "", w.own.logins.with(secret), func(a answer) {
		if a.status != http.StatusUnauthorized {
			l.contradict("a login with a secret that is wrong or revoked was answered with %v", a)
		}
		then()
	})
}

func (w *worker) lockOut() bool {
	for range locksAfter {
		if !w.guess("wrong") {
			return false
		}
	}
	return true
}

func (w *worker) clearLockouts() bool {
	l, own := w.ledger, w.own.logins
	l.do(func() { own.failed = 0 })
	return w.ask(http.MethodPost, universalPath+w.own.id+"/clear-lockouts", l.admin, nil, func(a answer) {
		if a.status != http.StatusOK {
			l.contradict("the lockouts could not be cleared: %v", a)
			return
		}
		own.mayHaveFailed = 0
	})
}

// revokeSecret takes back a client secret. After it neither the secret nor a token that was made with it is good.
func (w *worker) revokeSecret(at **clientSecret) bool {
	l, s := w.ledger, *at
	l.do(func() {
		s.doubt = true
		*at = nil
	})
	path := universalPath + w.own.id + "/client-secrets/" + s.id + "/revoke"
	there := w.ask(http.MethodPost, path, l.admin, nil, func(a answer) {
		if a.status != http.StatusOK {
			l.contradict("a client secret could not be revoked: %v", a)
			return
		}
		s.dead = true
		l.end(s.jwt)
	})
	if !there || !s.dead {
		return there
	}
	return w.refused(s.plain, func() {}) && w.ended(s.jwt)
}

// settleLogins compares the client secrets and the failed logins of all identities with their rows.
func (l *Ledger) settleLogins(s *state) {
	strangers := len(s.clientSecrets)
	for _, w := range l.identities {
		own := w.logins
		strangers -= own.inVain
		for id, secret := range own.secrets {
			row, there := s.clientSecrets[id]
			if !there {
				l.contradict("lost: %v", secret)
				continue
			}
			strangers--
			l.settleSecret(secret, row)
		}
		failed := s.failed[w.id]
		if failed < own.failed || failed > own.mayHaveFailed {
			l.contradict("%d failed logins of %s are counted, where it is %d to %d", failed, w.id, own.failed, own.mayHaveFailed)
		}
		own.failed, own.mayHaveFailed = failed, failed
	}
	if strangers > 0 {
		l.contradict("%d client secrets are there that nobody asked for", strangers)
	}
}

func (l *Ledger) settleSecret(s *clientSecret, r secretRow) {
	switch {
	case s.dead && !r.revoked:
		l.contradict("its revoke was acknowledged and is lost: %v", s)
	case r.revoked && !s.doubt:
		l.contradict("revoked, though nobody asked for it: %v", s)
	}
	if r.revoked && !s.dead {
		l.end(s.jwt)
	}
	s.dead = r.revoked
	if r.uses > s.began || s.limit > 0 && (r.uses < s.passed || r.uses > s.limit) {
		l.contradict("the row has %d uses: %v", r.uses, s)
	}
}
