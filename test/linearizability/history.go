package linearizability

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

// call is one request: when it was sent, when its answer was complete, and what the answer was. Times count from the
// beginning of the run.
type call struct {
	from, to time.Duration
	replica  int
	status   int // 0: no answer came, the outcome is unknown
}

// use is a request with a token, or its renewal.
type use struct {
	call
	token int // its place in the family
	renew bool
}

// change is a request to change the Token Auth of a family.
type change struct {
	call
	target setting
	what   string
}

// done reports whether a request to change something did; lost whether nobody knows.
func (c call) done() bool { return c.status == http.StatusOK }
func (c call) lost() bool { return c.status == 0 || c.status >= http.StatusInternalServerError }

// token is one access token, with every JWT of it.
type token struct {
	id      string
	created call
	jwts    atomic.Pointer[[]string] // grows with each renewal
	taken   bool                     // the keeper's: it asked for its death

	mu      sync.Mutex
	revokes []call
}

func (t *token) addJWT(jwt string) {
	for {
		old := t.jwts.Load()
		var next []string
		if old != nil {
			next = slices.Clone(*old)
		}
		next = append(next, jwt)
		if t.jwts.CompareAndSwap(old, &next) {
			return
		}
	}
}

func (t *token) addRevoke(c call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.revokes = append(t.revokes, c)
}

func (u use) text() string {
	if u.renew {
		return "renew"
	}
	return "use"
}

// event is a place in a history before Porcupine's numbering: what happened, and where.
type event struct {
	input
	call
	text string // for people; "" for what needs no words
}

// history returns what happened to one token of a family. uses are those of the token.
func (f *family) history(t *token, uses []use) []event {
	events := []event{{input{step: createToken}, t.created, "create"}}
	for _, c := range f.changes {
		events = append(events, ask(c.call, changeCall, changeDone, c.target, c.what)...)
	}
	for _, c := range t.revokes {
		events = append(events, ask(c, revokeCall, revokeDone, 0, "revoke")...)
	}
	refused := time.Duration(math.MaxInt64)
	for _, u := range uses {
		events = append(events, event{input{step: judgeLife}, u.call, u.text()})
		if u.status != http.StatusUnauthorized {
			events = append(events, event{input{step: judgeAddress}, u.call, ""})
		}
		if u.status == http.StatusUnauthorized {
			refused = min(refused, u.to)
		}
	}
	if refused < math.MaxInt64 {
		over := refused + f.run.lease + f.run.lease/20 + 5*time.Millisecond
		events = append(events, event{input{step: leaseOver}, call{from: over, to: over, replica: -1}, "a lease since the first 401"})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.from, b.from) })
	return events
}

// ask returns the events of a request to change something: none if it was refused.
func ask(c call, asked, done step, target setting, text string) []event {
	if !c.done() && !c.lost() {
		return nil
	}
	events := []event{{input{asked, target, c.lost()}, call{c.from, c.from, c.replica, c.status}, text + " ..."}}
	if c.done() {
		events = append(events, event{input{done, target, false}, call{c.to, c.to, c.replica, c.status}, text})
	}
	return events
}

// operations turns a history into Porcupine's form, one client a replica.
func operations(events []event) []porcupine.Operation {
	ops := make([]porcupine.Operation, len(events))
	for i, e := range events {
		ops[i] = porcupine.Operation{ClientId: e.replica + 1, Input: e.input, Call: int64(e.from), Output: e.status, Return: int64(e.to)}
	}
	return ops
}
