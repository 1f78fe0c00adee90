package token

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

func (f *fixture) renew(jwt string) *Issued {
	f.t.Helper()
	renewed, err := f.Renew(f.t.Context(), jwt, goodIP)
	if err != nil {
		f.t.Fatal(err)
	}
	return renewed
}

// login is a grant of a login method whose tokens leave no row.
func (f *fixture) login() Grant {
	g := f.grant()
	g.Method = "universal-auth"
	return g
}

func TestRenewDestroysNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for name, grant := range map[string]func() Grant{"by hand": f.grant, "by login": f.login} {
			t.Run(name, func(t *testing.T) {
				old := f.mint(grant())
				f.clock.advance(30 * time.Minute)
				renewed := f.renew(old.AccessToken)
				if renewed.ExpiresIn != 3600 || renewed.MaxTTL != 86400 {
					t.Errorf("expires in %d s, max TTL %d s; want 3600 and 86400", renewed.ExpiresIn, renewed.MaxTTL)
				}
				want(t, f.verify(old.AccessToken), "")
				want(t, f.verify(renewed.AccessToken), "")
				f.clock.advance(30 * time.Minute)
				want(t, f.verify(old.AccessToken), "expired")
				want(t, f.verify(renewed.AccessToken), "")
				f.clock.advance(30 * time.Minute)
				want(t, f.verify(renewed.AccessToken), "expired")
			})
		}
	})
}

// TestRenewNeverOutlivesMaxTTL renews whenever half of the life is over, until it is refused.
func TestRenewNeverOutlivesMaxTTL(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	g := f.grant()
	g.TTL, g.MaxTTL = 60, 100
	issued := f.mint(g)
	for _, step := range []struct{ at, expiresIn int64 }{{30, 60}, {59, 41}, {99, 1}} {
		f.clock.ms.Store(time.UnixMilli(issued.Row.CreatedAt).Add(time.Duration(step.at) * time.Second).UnixMilli())
		if renewed := f.renew(issued.AccessToken); renewed.ExpiresIn != step.expiresIn {
			t.Fatalf("after %d s: expires in %d s; want %d", step.at, renewed.ExpiresIn, step.expiresIn)
		} else {
			issued.AccessToken = renewed.AccessToken
		}
	}
	f.clock.advance(time.Second)
	_, err := f.Renew(t.Context(), issued.AccessToken, goodIP)
	want(t, err, "expired")
	c, err := f.read(t.Context(), issued.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.issue(t.Context(), c, c.limits(), f.clock.Now())
	want(t, err, "unauthenticated") // nothing is left, whoever asks
}

func TestRenewOfAPeriodicTokenGoesOn(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	g := f.login()
	g.TTL, g.MaxTTL, g.Period = 0, 0, 60
	jwt := f.mint(g).AccessToken
	for range 100 {
		f.clock.advance(59 * time.Second)
		renewed := f.renew(jwt)
		if renewed.ExpiresIn != 60 {
			t.Fatalf("expires in %d s; want one period", renewed.ExpiresIn)
		}
		jwt = renewed.AccessToken
	}
}

func TestRenewRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, flaw := range flaws {
			t.Run("refused/"+flaw.reason, func(t *testing.T) {
				g := f.grant()
				g.UsesLimit = 2
				issued, ip := f.mint(g), goodIP
				flaw.spoil(f, issued, &ip)
				before := f.row(issued.Row.ID)
				_, err := f.Renew(t.Context(), issued.AccessToken, ip)
				want(t, err, flaw.reason)
				if after := f.row(issued.Row.ID); after.ExpiresAt != before.ExpiresAt || after.LastRenewedAt != nil {
					t.Errorf("the row was renewed: %+v", after)
				}
			})
		}
		t.Run("refused/other type", func(t *testing.T) {
			c := goodClaims()
			c.Type = RefreshType
			jwt, err := f.keys.ring.Load().sign(c, f.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.Renew(t.Context(), jwt, goodIP)
			want(t, err, "bad request")
			want(t, f.RevokeSelf(t.Context(), jwt, access.Client{}), "bad request")
		})
	})
}

// TestRenewLosesAgainstARevoke puts the revoke between the check of a renewal and its write, as another replica can.
func TestRenewLosesAgainstARevoke(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		c, err := f.check(t.Context(), issued.AccessToken, goodIP)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Revoke(t.Context(), f.actor(), issued.Row); err != nil {
			t.Fatal(err)
		}
		late := *c
		late.ExpiresAt += 1000
		err = f.db.Write(t.Context(), func(tx *sqldb.Tx) error { return renewRow(t.Context(), tx, &late) })
		want(t, err, "revoked")
		if row := f.row(issued.Row.ID); row.ExpiresAt != issued.Row.ExpiresAt {
			t.Errorf("the row expires at %d; want %d", row.ExpiresAt, issued.Row.ExpiresAt)
		}
	})
}

// TestRenewalsGrowTheRow: the row expires with the newest JWT, so that it stays listed and its revoke is remembered
// long enough. A renewal that gives less takes nothing away.
func TestRenewalsGrowTheRow(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		f.clock.advance(10 * time.Minute)
		f.renew(issued.AccessToken)
		row := f.row(issued.Row.ID)
		if row.ExpiresAt != f.clock.Now().Add(time.Hour).UnixMilli() {
			t.Errorf("expires at %d; want an hour from now", row.ExpiresAt)
		}
		if row.LastRenewedAt == nil || *row.LastRenewedAt != f.clock.Now().UnixMilli() || row.UpdatedAt != *row.LastRenewedAt {
			t.Errorf("renewed at %v, updated at %d; want now", row.LastRenewedAt, row.UpdatedAt)
		}
		if row.TTL != issued.Row.TTL || row.CreatedAt != issued.Row.CreatedAt || row.Uses != 0 {
			t.Errorf("the renewal changed more than it should: %+v", row)
		}
		shorter := f.restart() // with a lower ceiling
		shorter.maxAge = time.Minute
		shorter.renew(issued.AccessToken)
		if after := f.row(issued.Row.ID); after.ExpiresAt != row.ExpiresAt {
			t.Errorf("expires at %d; want still %d", after.ExpiresAt, row.ExpiresAt)
		}
	})
}

// TestRenewSpendsNoUse renews a token with one use left.
func TestRenewSpendsNoUse(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		g := f.grant()
		g.UsesLimit = 2
		first := f.mint(g)
		want(t, f.verify(first.AccessToken), "")
		second := f.renew(first.AccessToken)
		if n := f.row(first.Row.ID).Uses; n != 1 {
			t.Errorf("%d uses are spent; want 1", n)
		}
		want(t, f.verify(second.AccessToken), "")
		want(t, f.verify(first.AccessToken), "used-up") // both JWTs are one token with one budget
		want(t, f.verify(second.AccessToken), "used-up")
	})
}

// TestRevokeKillsEveryRenewal: all JWTs of a token die together, and stay dead for as long as the last one could live.
func TestRevokeKillsEveryRenewal(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first := f.mint(f.grant())
		f.clock.advance(59 * time.Minute)
		second := f.renew(first.AccessToken)
		if err := f.Revoke(t.Context(), f.actor(), first.Row); err != nil {
			t.Fatal(err)
		}
		want(t, f.verify(first.AccessToken), "revoked")
		want(t, f.verify(second.AccessToken), "revoked")
		f.clock.advance(time.Hour - time.Second)
		if _, err := f.Clean(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		if _, err := f.feed.Prune(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		want(t, f.verify(second.AccessToken), "revoked")
		want(t, f.restart().verify(second.AccessToken), "revoked")
	})
}

// untilOf returns until when the newest entry of a kind must be remembered.
func (f *fixture) untilOf(kind feed.Kind) time.Time {
	f.t.Helper()
	var until int64
	if err := f.db.Get(f.t.Context(), &until, `SELECT until FROM change_log WHERE kind = $1 ORDER BY seq DESC LIMIT 1`, kind); err != nil {
		f.t.Fatal(err)
	}
	return time.UnixMilli(until).UTC()
}
