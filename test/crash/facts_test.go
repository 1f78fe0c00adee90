package crash

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// facts is everything that the server has acknowledged so far, and what was asked of it without an answer. It is the
// model that the server is compared with.
type facts struct {
	mu            sync.Mutex
	admin         string // the token of the first administrator
	adminID       string // its identity
	identities    []*workload
	tokens        []*token
	byID          map[string]*token
	askedInVain   int // tokens that were asked for, without an answer
	contradiction []string
}

// workload is an identity whose tokens are worked with.
type workload struct {
	id       string
	limit    int64 // uses of each of its tokens; 0: no limit
	began    int   // detachments that were begun
	finished int   // and those after which it was attached again
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
func (f *facts) do(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
}

// contradict notes something that the server must never do. The caller holds the lock.
func (f *facts) contradict(format string, args ...any) {
	f.contradiction = append(f.contradiction, fmt.Sprintf(format, args...))
}

// recent is among how many of the newest tokens most picks are made.
const recent = 40

// pick returns a token, most often a recent one, or nil.
func (f *facts) pick(random *rand.Rand) (t *token) {
	f.do(func() {
		if n := len(f.tokens); n > 0 {
			from := 0
			if random.IntN(4) > 0 {
				from = max(0, n-recent)
			}
			t = f.tokens[from+random.IntN(n-from)]
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
