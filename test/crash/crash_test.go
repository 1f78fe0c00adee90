// Package crash owns the test that kills a loaded server again and again and compares what it then holds with what it
// had acknowledged. It does not test several replicas.
//
// It kills 50 times; SALLYPORT_CRASH_KILLS asks for another number, SALLYPORT_CRASH_SEED repeats the choices of an
// earlier run, as far as chance lies in them and not in the machine:
//
//	SALLYPORT_CRASH_KILLS=1000 go test -race -timeout 1h ./test/crash
package crash

import (
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"
)

// number reads a whole number from the environment.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s is %q, which is no whole number", name, text)
	}
	return n
}

// TestCrash kills the server at random moments under load. No acknowledged revoke is lost, no acknowledged token is lost,
// nothing revoked is ever accepted, no use limit is passed, and the database agrees with itself after every restart.
func TestCrash(t *testing.T) {
	kills := number(t, "SALLYPORT_CRASH_KILLS", 50)
	seed := number(t, "SALLYPORT_CRASH_SEED", uint64(time.Now().UnixNano()))
	t.Logf("SALLYPORT_CRASH_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := newHost(t)
	f := &facts{byID: map[string]*token{}}
	for life := range kills {
		if random.IntN(5) == 0 && life > 0 {
			h.dieStarting(t, random)
		}
		s := h.start(t)
		f.revive(t, s, random, life == 0)
		over := time.AfterFunc(time.Duration(50+random.IntN(500))*time.Millisecond, s.kill)
		load(s, f, random.Uint64())
		over.Stop()
		s.kill() // where a contradiction ended the load
		f.report(t)
	}
	s := h.start(t)
	f.revive(t, s, random, false)
	f.probe(s, random, true)
	f.report(t)
	f.stopCleanly(t, s)
	if line := h.sane(); line != "" {
		t.Errorf("the server logged: %s", line)
	}
	t.Logf("%d tokens, %d asked for in vain", len(f.tokens), f.askedInVain)
}

// dieStarting kills a server that has hardly begun to start.
func (h *host) dieStarting(t *testing.T, random *rand.Rand) {
	t.Helper()
	s := h.start(t)
	moment := time.NewTimer(time.Duration(random.IntN(60)) * time.Millisecond)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-s.ended:
		t.Fatalf("the server ended by itself: %v", s.status)
	}
	s.kill()
}

// revive waits until the server serves, sets it up in its first life, and compares it with the facts.
func (f *facts) revive(t *testing.T, s *server, random *rand.Rand, first bool) {
	t.Helper()
	if err := s.ready(); err != nil {
		t.Fatal(err)
	}
	if first {
		f.setUp(t, s)
	}
	held, err := s.host.readState()
	if err != nil {
		t.Fatal(err)
	}
	f.compare(held)
	f.probe(s, random, false)
	f.attachAll(s, held)
	f.report(t)
}

// setUp bootstraps the instance and makes the identities that are worked with, half of them with a use limit.
func (f *facts) setUp(t *testing.T, s *server) {
	t.Helper()
	c := newClient(s)
	defer c.close()
	must := func(path string, body, v any) {
		t.Helper()
		a, err := c.call(http.MethodPost, path, f.admin, body)
		if err == nil && a.status == http.StatusOK {
			err = a.read(v)
		}
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("%s: %v, %v", path, a, err)
		}
	}
	var setup struct {
		Organization struct {
			ID string `json:"id"`
		} `json:"organization"`
		Identity struct {
			ID          string `json:"id"`
			Credentials struct {
				Token string `json:"token"`
			} `json:"credentials"`
		} `json:"identity"`
	}
	must("/api/v1/admin/bootstrap", map[string]any{"email": "a@example.com", "password": "secret", "organization": "Crash"}, &setup)
	f.admin, f.adminID = setup.Identity.Credentials.Token, setup.Identity.ID
	for n := range 8 {
		var made struct {
			Identity struct {
				ID string `json:"id"`
			} `json:"identity"`
		}
		must("/api/v1/identities", map[string]any{"name": "w", "organizationId": setup.Organization.ID, "role": "no-access"}, &made)
		w := &workload{id: made.Identity.ID, limit: int64(n%2) * 3, began: 1} // attachAll finishes it
		f.identities = append(f.identities, w)
	}
}

// attachAll gives Token Auth back to the identities that lost it when the server died between the two steps.
func (f *facts) attachAll(s *server, held *state) {
	w := &worker{client: newClient(s), facts: f}
	defer w.close()
	for _, own := range f.identities {
		if w.own = own; !held.configs[own.id] {
			w.attach()
		}
		f.do(func() { own.finished = own.began })
	}
}

// stopCleanly asks the server to end: it must do so with success, and have every use written by then.
func (f *facts) stopCleanly(t *testing.T, s *server) {
	t.Helper()
	passed := map[string]int64{}
	for id, tok := range f.byID {
		passed[id] = -tok.passed
	}
	before, err := s.host.readState()
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{client: newClient(s), facts: f, random: rand.New(rand.NewPCG(1, 1))}
	for range 200 {
		w.use()
	}
	w.close()
	if err := s.stop(); err != nil {
		t.Errorf("the server ended with %v after SIGTERM", err)
	}
	f.report(t)
	after, err := s.host.readState()
	if err != nil {
		t.Fatal(err)
	}
	for id, tok := range f.byID {
		if n := passed[id] + tok.passed; after.rows[id].uses < before.rows[id].uses+n {
			t.Errorf("%d uses of the last life are in the row after a clean end; want %d: %v", after.rows[id].uses-before.rows[id].uses, n, tok)
		}
	}
}

// report ends the test where the server contradicted the facts.
func (f *facts) report(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, c := range f.contradiction {
		if i == 20 {
			t.Errorf("... and %d more", len(f.contradiction)-i)
			break
		}
		t.Error(c)
	}
	if len(f.contradiction) > 0 {
		t.FailNow()
	}
}
