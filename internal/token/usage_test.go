package token

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestUseLimitIsExact has many callers at once use a token, on two replicas where there can be: exactly as many pass as the limit says.
func TestUseLimitIsExact(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const limit, callers = 50, 200
		replicas := f.replicas()
		for name, grant := range map[string]func() Grant{"by hand": f.grant, "by login": f.login} {
			t.Run(name, func(t *testing.T) {
				g := grant()
				g.UsesLimit = limit
				issued := f.mint(g)
				var passed, usedUp atomic.Int64
				var group sync.WaitGroup
				for n := range callers {
					group.Go(func() {
						switch err := replicas[n%len(replicas)].verify(issued.AccessToken); reason(err) {
						case "":
							passed.Add(1)
						case "used-up":
							usedUp.Add(1)
						default:
							t.Error(err)
						}
					})
				}
				group.Wait()
				if passed.Load() != limit || usedUp.Load() != callers-limit {
					t.Errorf("%d passed and %d were refused; want %d and %d", passed.Load(), usedUp.Load(), limit, callers-limit)
				}
				if row := f.row(issued.Row.ID); row.Uses != limit || row.LastUsedAt == nil || *row.LastUsedAt != f.clock.Now().UnixMilli() {
					t.Errorf("the row has %d uses, last at %v", row.Uses, row.LastUsedAt)
				}
				want(t, f.restart().verify(issued.AccessToken), "used-up")
			})
		}
	})
}

// TestSpendTellsWhy: a token that another replica revoked between check and spending is refused as revoked.
func TestSpendTellsWhy(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		g := f.grant()
		g.UsesLimit = 5
		issued := f.mint(g)
		c, err := f.check(t.Context(), issued.AccessToken, goodIP)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Revoke(t.Context(), f.actor(), issued.Row); err != nil {
			t.Fatal(err)
		}
		want(t, f.spend(t.Context(), c), "revoked")
		if n := f.row(issued.Row.ID).Uses; n != 0 {
			t.Errorf("%d uses were spent", n)
		}
	})
}

func TestFlush(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first, second, login := f.mint(f.grant()), f.mint(f.grant()), f.mint(f.login())
		use := func(issued *Issued, n int) {
			t.Helper()
			for range n {
				want(t, f.verify(issued.AccessToken), "")
			}
		}
		flush := func() {
			t.Helper()
			if err := f.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		check := func(issued *Issued, uses int64, last *int64) {
			t.Helper()
			row := f.row(issued.Row.ID)
			if row.Uses != uses || (row.LastUsedAt == nil) != (last == nil) || last != nil && *row.LastUsedAt != *last {
				t.Errorf("%d uses, last at %v; want %d, %v", row.Uses, row.LastUsedAt, uses, last)
			}
		}
		use(first, 3)
		use(login, 5) // has no row: nothing to count
		atThree := f.clock.Now().UnixMilli()
		check(first, 0, nil)
		flush()
		check(first, 3, &atThree)
		check(second, 0, nil)

		f.clock.advance(time.Second)
		use(first, 2)
		use(second, 1)
		later := f.clock.Now().UnixMilli()
		flush()
		check(first, 5, &later)
		check(second, 1, &later)

		f.clock.advance(-time.Minute) // another replica, whose clock is behind, flushes later
		use(first, 1)
		flush()
		check(first, 6, &later)
		flush() // nothing to do
		check(first, 6, &later)
	})
}

// TestFlushThatFailsKeepsTheCounts: they are written by the next one, together with what came since.
func TestFlushThatFailsKeepsTheCounts(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		want(t, f.verify(issued.AccessToken), "")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.Flush(ctx); err == nil {
			t.Fatal("a flush without a database succeeded")
		}
		want(t, f.verify(issued.AccessToken), "")
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := f.row(issued.Row.ID).Uses; n != 2 {
			t.Errorf("%d uses are in the row; want 2", n)
		}
	})
}

// TestFlushBesideUses loses no use: whatever is counted while flushes run is in the rows at the end.
func TestFlushBesideUses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const users, uses, tokens = 8, 50, 5
		replicas := f.replicas()
		var issued []*Issued
		for range tokens {
			issued = append(issued, f.mint(f.grant()))
		}
		var group sync.WaitGroup
		for n := range users {
			group.Go(func() {
				r := replicas[n%len(replicas)]
				for i := range uses {
					if err := r.verify(issued[i%tokens].AccessToken); err != nil {
						t.Error(err)
					}
					if i%10 == 0 {
						if err := r.Flush(t.Context()); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		group.Wait()
		for _, r := range replicas {
			if err := r.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
		for _, token := range issued {
			if row := f.row(token.Row.ID); row.Uses != users*uses/tokens {
				t.Errorf("%d uses; want %d", row.Uses, users*uses/tokens)
			}
		}
	})
}

// TestRevokedTokensCountNoMore: neither a flush nor a use changes a dead token's fate.
func TestFlushOfARevokedToken(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		want(t, f.verify(issued.AccessToken), "")
		if err := f.Revoke(t.Context(), f.actor(), issued.Row); err != nil {
			t.Fatal(err)
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if row := f.row(issued.Row.ID); !row.Revoked || row.Uses != 1 {
			t.Errorf("revoked %v with %d uses; want true and 1", row.Revoked, row.Uses)
		}
	})
}

// TestUsesAreTrueWhenRead: what this replica has counted is told at once, written or not; nothing is told twice.
func TestUsesAreTrueWhenRead(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		for n := range int64(6) {
			want(t, f.verify(issued.AccessToken), "")
			now := f.clock.Now().UnixMilli()
			if n%2 == 0 {
				if err := f.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			found, err := f.Find(t.Context(), f.org, TokenAuth, issued.Row.ID)
			if err != nil {
				t.Fatal(err)
			}
			list, _, err := f.List(t.Context(), f.ident, TokenAuth, Page{Limit: 10})
			if err != nil || len(list) != 1 {
				t.Fatalf("listed %v: %v", list, err)
			}
			for _, row := range []Row{found, list[0]} {
				if row.Uses != n+1 || row.LastUsedAt == nil || *row.LastUsedAt != now {
					t.Errorf("after use %d at %d: %d uses, the last at %v", n+1, now, row.Uses, row.LastUsedAt)
				}
			}
			f.clock.advance(time.Second)
		}
	})
}
