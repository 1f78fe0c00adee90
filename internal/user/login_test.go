package user

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/lockout"
	"github.com/sallyport/sallyport/internal/token"
)

// try logs in and returns what the caller is told: "" for a login.
func (f *fixture) try(email, password string, client access.Client) string {
	f.t.Helper()
	made, err := f.Login(f.t.Context(), email, password, client)
	switch {
	case err == nil && made.Access != "" && made.Refresh != "":
		return ""
	case fault.Is(err, fault.BadRequest):
		return err.Error()
	}
	f.t.Fatalf("logging in: %v", err)
	return ""
}

func TestLogin(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first := must[*Pair](t)(f.Login(t.Context(), email, password, home))
		c := must[*token.Claims](t)(f.claims(f.Service, first.Access))
		if c.IdentityID != f.ada || c.OrgID != "" || first.OrgID != "" {
			t.Errorf("the token is of %s in %q", c.IdentityID, c.OrgID)
		}
		second := must[*Pair](t)(f.Login(t.Context(), "ADA@example.com", password, away))
		if again := must[*token.Claims](t)(f.claims(f.Service, second.Access)); again.ID == c.ID {
			t.Error("two logins share a session")
		}
		sessions := must[[]Session](t)(f.Sessions(t.Context(), f.actor(first.Access)))
		if len(sessions) != 2 || sessions[1].ID != c.ID || sessions[1].IP != "192.0.2.1" || sessions[1].UserAgent != "test" || sessions[0].IP != "198.51.100.1" {
			t.Errorf("the sessions are %+v", sessions)
		}
		if diff := cmp.Diff([]string{"user-login", "user-login"}, f.events("user-%")); diff != "" {
			t.Error(diff)
		}
	})
}

// TestLoginTellsNothing: whether there is a user shows in no answer, however often a caller fails.
func TestLoginTellsNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		answers := func(email string) (told []string) {
			for range rule.Threshold + 2 {
				told = append(told, f.try(email, "wrong", home))
			}
			return told
		}
		known, unknown := answers(email), answers("nobody@example.com")
		if diff := cmp.Diff(known, unknown); diff != "" {
			t.Errorf("an unknown user is answered otherwise: %s", diff)
		}
		var rows []int64
		if err := f.DB.Select(t.Context(), &rows, `SELECT locked_until FROM lockouts WHERE caller <> ''`); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 2 || rows[0] != rows[1] || rows[0] == 0 {
			t.Errorf("locked until %v, want both alike", rows)
		}
	})
}

func TestLockout(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for range rule.Threshold - 1 {
			f.try(email, "wrong", home)
		}
		if f.try(email, password, home) != "" {
			t.Fatal("shut out before the threshold")
		}
		for range rule.Threshold {
			f.try(email, "wrong", home)
		}
		if f.try(email, password, home) == "" {
			t.Error("let in after the threshold")
		}
		if f.try(email, password, away) != "" {
			t.Error("a caller from elsewhere is shut out too")
		}
		f.advance(rule.Duration - time.Second)
		if f.try(email, password, home) == "" {
			t.Error("let in before the lock has ended")
		}
		f.advance(time.Second)
		if f.try(email, password, home) != "" {
			t.Error("the lock does not end by itself")
		}
		if events := f.events("user-login-failed"); int64(len(events)) != 2*rule.Threshold+1 {
			t.Errorf("%d failed logins are recorded", len(events))
		}
	})
}

// TestLockoutCeiling: when very many callers fail, each is shut out by its first failure, and nobody else.
func TestLockoutCeiling(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.try(email, "wrong", home)
		f.exec(`UPDATE lockouts SET failures = 1000 WHERE caller = ''`)
		if f.try(email, password, home) == "" {
			t.Error("a caller who failed is let in while everybody fails")
		}
		if f.try(email, password, away) != "" {
			t.Error("a caller who did not fail is shut out")
		}
	})
}

// TestGuessingAtOnceDoesNotHelp: callers that guess at the same time get hardly more guesses than one after the other.
func TestGuessingAtOnceDoesNotHelp(t *testing.T) {
	f := newFixture(t, "sqlite")
	var group sync.WaitGroup
	for range mostByCaller {
		group.Go(func() { f.try(email, "wrong", home) })
	}
	group.Wait()
	f.advance(time.Second)
	if f.try(email, password, home) == "" {
		t.Error("let in after too many guesses at once")
	}
	var locked int
	for _, reason := range must[[]string](t)(f.reasons()) {
		if reason == "temporarily_locked" {
			locked++
		}
	}
	if guesses := mostByCaller + 1 - locked; guesses >= int(rule.Threshold)+hashesAtOnce {
		t.Errorf("%d guesses were looked at", guesses)
	}
}

// reasons returns why logins failed.
func (f *fixture) reasons() (reasons []string, err error) {
	if err := f.Audit.Flush(f.t.Context()); err != nil {
		return nil, err
	}
	var facts []string
	err = f.DB.Select(f.t.Context(), &facts, `SELECT event_metadata FROM audit_logs WHERE event_type = 'user-login-failed'`)
	for _, text := range facts {
		reasons = append(reasons, field(text, "reasonCode"))
	}
	return reasons, err
}

func TestGate(t *testing.T) {
	caller := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, n}) }
	enter := func(t *testing.T, g *gate, n byte) func() {
		t.Helper()
		return must[func()](t)(g.enter(t.Context(), caller(n)))
	}
	t.Run("accepted/as many as may hash at once", func(t *testing.T) {
		g := newGate()
		g.wait = 0
		for range hashesAtOnce {
			defer enter(t, g, 1)()
		}
		_, err := g.enter(t.Context(), caller(1))
		want(t, err, fault.RateLimited)
	})
	t.Run("accepted/once another has left", func(t *testing.T) {
		g := newGate()
		leave := enter(t, g, 1)
		defer enter(t, g, 2)()
		go leave()
		enter(t, g, 3)()
	})
	t.Run("refused/one caller too often", func(t *testing.T) {
		g := newGate()
		g.most = longestLine
		for range mostByCaller {
			defer enter(t, g, 1)()
		}
		_, err := g.enter(t.Context(), caller(1))
		want(t, err, fault.RateLimited)
		enter(t, g, 2)()
	})
	t.Run("refused/the line is full", func(t *testing.T) {
		g := newGate()
		g.most = longestLine + 1
		for n := range longestLine {
			defer enter(t, g, byte(n))()
		}
		_, err := g.enter(t.Context(), caller(100))
		want(t, err, fault.RateLimited)
	})
	t.Run("refused/the caller has gone", func(t *testing.T) {
		g := newGate()
		for n := range hashesAtOnce {
			defer enter(t, g, byte(n))()
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.enter(ctx, caller(9)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if g.inside != hashesAtOnce || len(g.callers) != hashesAtOnce {
			t.Errorf("%d are inside, of %d callers", g.inside, len(g.callers))
		}
	})
	t.Run("accepted/by address in turn", func(t *testing.T) {
		g := newGate()
		g.most = 1
		leave := enter(t, g, 1)
		served := make(chan byte, 16)
		queue := func(n byte) {
			c, turn, err := g.join(lockout.Caller(caller(n)))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				if <-turn == nil {
					served <- n
					g.leave(c)
				}
			}()
		}
		for range mostByCaller {
			queue(2)
		}
		queue(3)
		leave()
		if first, second := <-served, <-served; first != 2 || second != 3 {
			t.Errorf("served %d, then %d; want one of each address", first, second)
		}
	})
	t.Run("accepted/a newcomer takes a place from who has most", func(t *testing.T) {
		g := newGate()
		g.most = 1
		defer enter(t, g, 0)()
		var last chan error
		for n := byte(1); g.inside < longestLine; n++ {
			for range min(mostByCaller, longestLine-g.inside) {
				_, turn, err := g.join(lockout.Caller(caller(n)))
				if err != nil {
					t.Fatal(err)
				}
				if n == 1 {
					last = turn
				}
			}
		}
		if _, _, err := g.join(lockout.Caller(caller(100))); err != nil {
			t.Fatal(err)
		}
		want(t, <-last, fault.RateLimited)
	})
	t.Run("accepted/a place is kept for who has logged in before", func(t *testing.T) {
		g := newGate()
		g.most = 1
		defer enter(t, g, 0)()
		for n := byte(1); g.inside < longestLine; n++ {
			if _, _, err := g.join(lockout.Caller(caller(n))); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := g.join(lockout.Caller(caller(100)))
		want(t, err, fault.RateLimited)
		g.welcome(caller(101))
		if _, _, err := g.join(lockout.Caller(caller(101))); err != nil {
			t.Error(err)
		}
	})
	t.Run("one at a time where memory is little", func(t *testing.T) {
		for limit, most := range map[int64]int{100 << 20: 1, 230 << 20: hashesAtOnce, math.MaxInt64: hashesAtOnce} {
			if got := hashesFor(limit); got != most {
				t.Errorf("%d at once with %d bytes; want %d", got, limit, most)
			}
		}
	})
	t.Run("accepted/everybody in turn, and nobody stays", func(t *testing.T) {
		g := newGate()
		var hashing, most atomic.Int64
		var group sync.WaitGroup
		for n := range 40 {
			group.Go(func() {
				leave, err := g.enter(t.Context(), caller(byte(n)))
				if err != nil {
					t.Error(err)
					return
				}
				now := hashing.Add(1)
				for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
				}
				hashing.Add(-1)
				leave()
			})
		}
		group.Wait()
		if most.Load() > hashesAtOnce || g.inside != 0 || len(g.callers) != 0 {
			t.Errorf("%d at once; %d stayed, of %d callers", most.Load(), g.inside, len(g.callers))
		}
	})
}
