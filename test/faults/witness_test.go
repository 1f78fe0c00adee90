package faults

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// witness uses tokens at replicas, without a break, and remembers what was answered when.
type witness struct {
	site   *site
	tokens []*token
	stop   context.CancelFunc
	users  sync.WaitGroup

	mu   sync.Mutex
	uses []use
}

// use is one request with a token.
type use struct {
	token    *token
	replica  int
	from, to time.Duration // of the site's clock
	status   int           // 0: there was no answer
	retry    bool          // the answer says when to try again
}

// watch has users use tokens at each of the replicas until rest.
func (s *site) watch(tokens []*token, replicas ...int) *witness {
	ctx, cancel := context.WithCancel(s.t.Context())
	w := &witness{site: s, tokens: tokens, stop: cancel}
	for _, replica := range replicas {
		for range 2 {
			w.users.Go(func() {
				for ok := true; ok; ok = pause(ctx, time.Millisecond) {
					w.use(replica)
				}
			})
		}
	}
	return w
}

// use uses any of the tokens.
func (w *witness) use(replica int) {
	u := use{token: w.tokens[rand.IntN(len(w.tokens))], replica: replica, from: w.site.now()}
	answer := w.site.call(replica, "GET", detailsPath, u.token.jwt, nil)
	u.to, u.status = w.site.now(), answer.Status
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	u.retry = err == nil && seconds > 0
	w.mu.Lock()
	defer w.mu.Unlock()
	w.uses = append(w.uses, u)
}

// rest ends the users and judges all that they saw.
func (w *witness) rest() {
	w.site.t.Helper()
	w.stop()
	w.users.Wait()
	wrong := 0
	for _, u := range w.uses {
		if why := u.wrong(); why != "" {
			if wrong++; wrong < 10 {
				w.site.t.Errorf("%s: %s answered %d from %s to %s; the revoke was asked for at %s, acknowledged at %s", why,
					w.site.Replicas[u.replica].Name, u.status, u.from, u.to, time.Duration(u.token.asked.Load()), time.Duration(u.token.acked.Load()))
			}
		}
	}
	w.site.t.Logf("%d uses, %d of them wrong: %v", len(w.uses), wrong, w.tally())
}

func (w *witness) tally() map[int]int {
	n := map[int]int{}
	for _, u := range w.uses {
		n[u.status]++
	}
	return n
}

// wrong says what is wrong with the answer to a use, or "".
func (u use) wrong() string {
	asked, acked := time.Duration(u.token.asked.Load()), time.Duration(u.token.acked.Load())
	switch {
	case u.status == http.StatusOK && acked > 0 && u.from > acked:
		return "a token was accepted after its revoke was acknowledged"
	case u.status == http.StatusUnauthorized && (asked == 0 || u.to < asked):
		return "a token was refused that nobody took back"
	case u.status == http.StatusServiceUnavailable && !u.retry:
		return "503 without Retry-After"
	case u.status != http.StatusOK && u.status != http.StatusUnauthorized && u.status != http.StatusServiceUnavailable:
		return "neither a decision nor a 503"
	}
	return ""
}

// between returns the uses of a replica that lie in a span of time.
func (w *witness) between(replica int, from, to time.Duration) (found []use) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range w.uses {
		if u.replica == replica && u.from >= from && u.to < to {
			found = append(found, u)
		}
	}
	return found
}
