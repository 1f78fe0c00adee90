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
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/ledger"
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

// TestCrash kills the server at random moments under load. No acknowledged revoke is lost, no acknowledged token or secret
// is lost, nothing revoked is ever accepted, no use limit is passed, and the database agrees with itself after every restart.
func TestCrash(t *testing.T) {
	kills := number(t, "SALLYPORT_CRASH_KILLS", 50)
	seed := number(t, "SALLYPORT_CRASH_SEED", uint64(time.Now().UnixNano()))
	t.Logf("SALLYPORT_CRASH_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := newHost(t)
	var l *ledger.Ledger
	for life := range kills {
		if random.IntN(5) == 0 && life > 0 {
			h.dieStarting(t, random)
		}
		s := h.start(t)
		l = s.revive(t, l, random, false)
		over := time.AfterFunc(time.Duration(30+random.IntN(300))*time.Millisecond, s.kill)
		l.Load(s.life(), random.Uint64())
		over.Stop()
		s.kill() // where a contradiction ended the load
		report(t, l)
	}
	s := h.start(t)
	l = s.revive(t, l, random, true)
	if err := l.UseBeforeEnd(s.life(), h.open(t), s.stop); err != nil {
		t.Error(err)
	}
	report(t, l)
	if line := h.sane(); line != "" {
		t.Errorf("the server logged: %s", line)
	}
	t.Log(l.Summary())
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

// revive waits until the server serves, sets it up in its first life, and compares it with the ledger, which it returns.
func (s *server) revive(t *testing.T, l *ledger.Ledger, random *rand.Rand, all bool) *ledger.Ledger {
	t.Helper()
	err := s.ready()
	if err == nil && l == nil {
		l, err = ledger.SetUp(s.life())
	}
	if err == nil {
		err = l.Revive(s.life(), s.host.open(t), random, all)
	}
	if err != nil {
		t.Fatal(err)
	}
	report(t, l)
	return l
}

// report ends the test where the server contradicted the ledger.
func report(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	for _, c := range l.Contradictions() {
		t.Error(c)
	}
	if t.Failed() {
		t.FailNow()
	}
}
