package token

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

func (f *fixture) clean(n int64) int64 {
	f.t.Helper()
	deleted, err := f.Clean(f.t.Context(), n)
	if err != nil {
		f.t.Fatal(err)
	}
	return deleted
}

// counts returns how many rows there are for an identity and method, as counted and as noted.
func (f *fixture) counts() (rows, noted map[counted]int64) {
	f.t.Helper()
	read := func(query string) map[counted]int64 {
		var list []struct {
			counted
			Total int64 `db:"total"`
		}
		if err := f.db.Select(f.t.Context(), &list, query); err != nil {
			f.t.Fatal(err)
		}
		all := map[counted]int64{}
		for _, c := range list {
			all[c.counted] = c.Total
		}
		return all
	}
	return read(`SELECT identity_id, method, count(*) AS total FROM access_tokens GROUP BY identity_id, method`),
		read(`SELECT identity_id, method, total FROM token_counts`)
}

func (f *fixture) removeIdentity(identityID string) {
	f.t.Helper()
	f.write(func(tx *sqldb.Tx) error {
		_, err := tx.Exec(f.t.Context(), `DELETE FROM identities WHERE id = $1`, identityID)
		return err
	})
}

func TestCleanKeepsWhatCanStillMatter(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		short, long, renewed := f.grant(), f.grant(), f.grant()
		short.TTL, long.TTL = 60, 3600
		dead, alive, again := f.mint(short), f.mint(long), f.mint(renewed)
		f.clock.advance(30 * time.Minute)
		f.renew(again.AccessToken)
		f.clock.ms.Store(dead.Row.ExpiresAt + KeepExpired.Milliseconds())
		if n := f.clean(10); n != 0 {
			t.Fatalf("%d rows went while they can be listed", n)
		}
		f.clock.advance(time.Millisecond)
		if n := f.clean(10); n != 1 {
			t.Fatalf("%d rows went; want the expired one", n)
		}
		f.clock.ms.Store(alive.Row.ExpiresAt + KeepExpired.Milliseconds() + 1)
		if n := f.clean(10); n != 1 {
			t.Fatalf("%d rows went; want the second, since the third was renewed", n)
		}
		f.row(again.Row.ID)
	})
}

// TestCleanGoesInSteps: no transaction is longer than asked for.
func TestCleanGoesInSteps(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for range 5 {
			f.mint(f.grant())
		}
		g := f.grant()
		g.IdentityID, g.TTL, g.MaxTTL = id.New(), 0, 0
		f.addIdentity(f.org, g.IdentityID)
		for range 2 {
			f.mint(g)
		}
		f.removeIdentity(g.IdentityID)
		f.clock.advance(KeepExpired + 2*time.Hour)
		var steps []int64
		for n := int64(2); n == 2; {
			n = f.clean(2)
			steps = append(steps, n)
		}
		if diff := cmp.Diff([]int64{2, 2, 2, 1}, steps); diff != "" {
			t.Error(diff)
		}
		if rows, noted := f.counts(); len(rows) != 0 || len(noted) != 0 {
			t.Errorf("left: rows %v, counts %v", rows, noted)
		}
	})
}

// TestCleanForgets: revocations go when no token can need them, and not before.
func TestCleanForgets(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		if err := f.Revoke(t.Context(), f.actor(), issued.Row); err != nil {
			t.Fatal(err)
		}
		f.cut(feed.CutIdentity, id.New())
		for _, step := range []struct{ at, tokens, cuts int }{
			{at: 3600 - 1, tokens: 1, cuts: 1},
			{at: 2 * 3600, tokens: 1, cuts: 1}, // an hour of slack for clocks that are set back
			{at: 2*3600 + 1, cuts: 1},
			{at: int(f.maxAge/time.Second) + 3600 + 1},
		} {
			f.clock.ms.Store(issued.Row.CreatedAt + int64(step.at)*1000)
			for f.clean(10) == 10 {
			}
			if tokens, cuts := f.Revocations(); tokens != step.tokens || cuts != step.cuts {
				t.Errorf("after %d s: %d tokens, %d cut-offs; want %d, %d", step.at, tokens, cuts, step.tokens, step.cuts)
			}
		}
	})
}

// TestCountsEqualRows does everything that makes, changes or deletes rows, in any order: the counts stay true, and a
// list tells the true total. One check runs some hundred statements, so there are 40 unless -rapid.checks says otherwise.
func TestCountsEqualRows(t *testing.T) {
	bound(t, "rapid.checks", "100", "40")
	each(t, func(t *testing.T, f *fixture) {
		rapid.Check(t, func(t *rapid.T) {
			idents := []string{id.New(), id.New()}
			for _, ident := range idents {
				f.addIdentity(f.org, ident)
			}
			var minted []*Issued
			pick := func(t *rapid.T) *Issued {
				if len(minted) == 0 {
					t.Skip("no token yet")
				}
				return rapid.SampledFrom(minted).Draw(t, "token")
			}
			t.Repeat(map[string]func(*rapid.T){
				"mint": func(t *rapid.T) {
					g := f.grant()
					g.IdentityID = rapid.SampledFrom(idents).Draw(t, "identity")
					g.TTL = rapid.SampledFrom([]int64{1, 60, 86400}).Draw(t, "ttl")
					g.UsesLimit = rapid.Int64Range(0, 2).Draw(t, "limit")
					g.Method = rapid.SampledFrom([]string{TokenAuth, "universal-auth"}).Draw(t, "method")
					minted = append(minted, f.mint(g))
				},
				"use":    func(t *rapid.T) { _ = f.verify(pick(t).AccessToken) },
				"renew":  func(t *rapid.T) { _, _ = f.Renew(f.t.Context(), pick(t).AccessToken, goodIP) },
				"revoke": func(t *rapid.T) { _ = f.Revoke(f.t.Context(), f.actor(), pick(t).Row) },
				"flush":  func(*rapid.T) { _ = f.Flush(f.t.Context()) },
				"time passes": func(t *rapid.T) {
					f.clock.advance(time.Duration(rapid.SampledFrom([]int64{1, 3600, 90000}).Draw(t, "s")) * time.Second)
				},
				"clean": func(t *rapid.T) { f.clean(rapid.Int64Range(1, 5).Draw(t, "n")) },
				"delete identity": func(t *rapid.T) {
					f.removeIdentity(rapid.SampledFrom(idents).Draw(t, "identity"))
				},
				"": func(t *rapid.T) {
					rows, noted := f.counts()
					if diff := cmp.Diff(rows, noted); diff != "" {
						t.Fatalf("counts differ from rows:\n%s", diff)
					}
					for _, ident := range idents {
						list, total, err := f.List(f.t.Context(), ident, TokenAuth, Page{Limit: 100})
						if err != nil || int64(len(list)) != total {
							t.Fatalf("%d listed of %d: %v", len(list), total, err)
						}
					}
				},
			})
		})
	})
}

// TestCleanBesideInserts has replicas clean while tokens are made: the counts stay true.
func TestCleanBesideInserts(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		replicas := f.replicas()
		old := f.grant()
		old.TTL = 1
		for range 60 {
			f.mint(old)
		}
		f.clock.advance(KeepExpired + time.Hour)
		var group sync.WaitGroup
		for _, r := range replicas {
			group.Go(func() {
				for {
					if n, err := r.Clean(t.Context(), 3); err != nil {
						t.Error(err)
						return
					} else if n == 0 {
						return
					}
				}
			})
			group.Go(func() {
				for range 10 {
					issued, err := r.Mint(t.Context(), r.grant())
					if err == nil {
						err = r.db.Write(t.Context(), func(tx *sqldb.Tx) error { return r.Insert(t.Context(), tx, issued.Row) })
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		rows, noted := f.counts()
		if diff := cmp.Diff(map[counted]int64{{f.ident, TokenAuth}: int64(10 * len(replicas))}, rows); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(rows, noted); diff != "" {
			t.Error(diff)
		}
	})
}
