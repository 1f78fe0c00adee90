// Package ledger keeps what a server has acknowledged while it was worked with, and compares it with what the server holds
// and does after it was killed. It neither starts servers nor kills them: the tests do.
package ledger

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// Ledger is everything that a server has acknowledged so far, over all its lives, and what was asked of it without an
// answer. It is the model that the server is compared with.
type Ledger struct {
	mu            sync.Mutex
	admin         string // the token of the first administrator
	adminID       string // its identity
	project       string // where the secrets are
	identities    []*workload
	tokens        []*token
	byID          map[string]*token
	askedInVain   int      // tokens that were asked for, without an answer
	session       *session // nil: none that is known
	endedJWTs     []string // the newest of clients and users that are dead
	contradiction []string
}

// Server is one life of a server.
type Server struct {
	Address string
	// Gone reports, when a request got no answer, whether the server has ended or was told to: then that may be. It may
	// wait a little for the end of a process that is dying.
	Gone func() bool

	// MayRefuse allows it to answer 503: a replica does that when the machine gives it so little time that its lease runs out.
	MayRefuse bool
}

// workload is an identity whose tokens are worked with.
type workload struct {
	id       string
	limit    int64 // uses of each of its tokens; 0: no limit
	began    int   // detachments that were begun
	finished int   // and those after which it was attached again
	secret   *note
	logins   *logins
}

// token is a token whose creation was acknowledged.
type token struct {
	id     string
	owner  *workload
	jwts   []string
	began  int64 // uses that were asked for
	passed int64 // uses that were granted

	revokes int  // revokes that were asked for
	doubt   bool // something that kills it was asked for
	dead    bool // and acknowledged: it must never be accepted again
	touched bool // in the present life of the server
}

// do runs fn alone.
func (l *Ledger) do(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
}

// contradict notes something that the server must never do. The caller holds the lock.
func (l *Ledger) contradict(format string, args ...any) {
	l.contradiction = append(l.contradiction, fmt.Sprintf(format, args...))
}

// Contradictions returns where the server contradicted what it had acknowledged, at most twenty of them, and forgets them.
func (l *Ledger) Contradictions() (found []string) {
	l.do(func() {
		found = l.contradiction
		if more := len(found) - 20; more > 0 {
			found = append(found[:20:20], fmt.Sprintf("... and %d more", more))
		}
		l.contradiction = nil
	})
	return found
}

// Summary tells how much was worked with.
func (l *Ledger) Summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d tokens, %d asked for in vain", len(l.tokens), l.askedInVain)
}

// recent is among how many of the newest tokens most picks are made.
const recent = 40

// pick returns a token, most often a recent one, or nil.
func (l *Ledger) pick(random *rand.Rand) (t *token) {
	l.do(func() {
		if n := len(l.tokens); n > 0 {
			from := 0
			if random.IntN(4) > 0 {
				from = max(0, n-recent)
			}
			t = l.tokens[from+random.IntN(n-from)]
			t.touched = true
		}
	})
	return t
}

// jwt returns any JWT of a token.
func (t *token) jwt(random *rand.Rand) string { return t.jwts[random.IntN(len(t.jwts))] }

func (t *token) String() string {
	return fmt.Sprintf("token %s of %s (limit %d, %d of %d uses passed, %d revokes, doubt %v, dead %v)",
		t.id, t.owner.id, t.owner.limit, t.passed, t.began, t.revokes, t.doubt, t.dead)
}
