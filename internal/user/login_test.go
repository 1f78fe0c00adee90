package user

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
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
		if err := f.db.Select(t.Context(), &rows, `SELECT locked_until FROM lockouts WHERE caller <> ''`); err != nil {
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
	const atOnce = 8 // as many as one address may have in the line
	for range atOnce {
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
	if guesses := atOnce + 1 - locked; guesses >= int(rule.Threshold)+2 {
		t.Errorf("%d guesses were looked at", guesses)
	}
}

// reasons returns why logins failed.
func (f *fixture) reasons() (reasons []string, err error) {
	if err := f.audit.Flush(f.t.Context()); err != nil {
		return nil, err
	}
	var facts []string
	err = f.db.Select(f.t.Context(), &facts, `SELECT event_metadata FROM audit_logs WHERE event_type = 'user-login-failed'`)
	for _, text := range facts {
		reasons = append(reasons, field(text, "reasonCode"))
	}
	return reasons, err
}
