package token

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/feed"
)

// TestCutOffs cuts off each sort of set, and asks that of two tokens the older one dies, and that neither a token made
// after it nor one outside of the set does, also when everything is read anew from the database.
func TestCutOffs(t *testing.T) {
	const secret = "0199c8a0-0000-7000-8000-000000000001"
	each(t, func(t *testing.T, f *fixture) {
		for kind, c := range map[feed.Kind]struct {
			key     func(g Grant) string
			outside func(g *Grant) // what makes another token lie outside of the set; nil: nothing does
		}{
			feed.CutIdentity:   {func(g Grant) string { return g.IdentityID }, func(g *Grant) { g.IdentityID = id.New() }},
			feed.CutMethod:     {func(g Grant) string { return feed.Key(g.IdentityID, g.Method) }, func(g *Grant) { g.Method = "oidc-auth" }},
			feed.CutSecret:     {func(g Grant) string { return g.ClientSecretID }, func(g *Grant) { g.ClientSecretID = id.New() }},
			feed.CutMembership: {func(g Grant) string { return feed.Key(g.IdentityID, g.OrgID) }, func(g *Grant) { g.OrgID = id.New() }},
			feed.CutOrg:        {func(g Grant) string { return g.OrgID }, func(g *Grant) { g.OrgID = id.New() }},
			feed.CutInstance:   {func(Grant) string { return "" }, nil},
		} {
			t.Run(string(kind), func(t *testing.T) {
				g := f.grant()
				g.IdentityID, g.OrgID, g.Method, g.ClientSecretID = id.New(), id.New(), "universal-auth", secret
				old, other := f.mint(g), (*Issued)(nil)
				if c.outside != nil {
					outside := g
					c.outside(&outside)
					other = f.mint(outside)
				}
				slow := g // its credentials were checked before the cut-off, it is made after it
				f.cut(kind, c.key(g))
				slowly := f.mint(slow)
				g.Born = f.Birth()
				fresh := f.mint(g)
				for when, f := range map[string]*fixture{"at once": f, "after a restart": f.restart()} {
					t.Run(when, func(t *testing.T) {
						want(t, f.verify(old.AccessToken), "revoked")
						want(t, f.verify(slowly.AccessToken), "revoked")
						want(t, f.verify(fresh.AccessToken), "")
						if other != nil {
							want(t, f.verify(other.AccessToken), "")
						}
						if !f.Dead(old.Row) || f.Dead(fresh.Row) {
							t.Errorf("as listed, dead are: old %v, fresh %v; want the old one alone", f.Dead(old.Row), f.Dead(fresh.Row))
						}
					})
				}
			})
		}
	})
}

// TestTokensWithoutASecretAreNotCutOffTogether: no client secret is not a client secret.
func TestTokensWithoutASecretAreNotCutOffTogether(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		f.cut(feed.CutSecret, id.New())
		want(t, f.verify(issued.AccessToken), "")
	})
}

// TestLoginThatIsFrozen: a cut-off is remembered until all that lived then has expired. A token that is made long after its
// credentials were checked must not live on beyond that.
func TestLoginThatIsFrozen(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		g := f.grant()
		g.TTL, g.MaxTTL = 0, 0 // as long as may be
		f.cut(feed.CutMethod, feed.Key(f.ident, TokenAuth))
		until := f.untilOf(feed.CutMethod)
		f.clock.advance(30 * 24 * time.Hour)
		if c, err := f.read(t.Context(), f.mint(g).AccessToken); err != nil || time.Unix(c.ExpiresAt, 0).After(until) {
			t.Errorf("the token %+v (%v) outlives its cut-off, which is forgotten at %v", c, err, until)
		}
	})
}

// TestRenewalsKeepBorn: a renewal made after a cut-off was possible would otherwise outlive it.
func TestRenewalsKeepBorn(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		old := f.mint(f.grant())
		for range 3 { // the log goes on, about others
			f.cut(feed.CutIdentity, id.New())
		}
		renewed, err := f.Renew(t.Context(), old.AccessToken, goodIP)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := f.read(t.Context(), old.AccessToken)
		after, err := f.read(t.Context(), renewed.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		if after.Born != before.Born || after.ID != before.ID || after.CreatedAt != before.CreatedAt {
			t.Errorf("renewed %+v; want the id, born and creation of %+v", after, before)
		}
		f.cut(feed.CutMethod, feed.Key(f.ident, TokenAuth))
		want(t, f.verify(old.AccessToken), "revoked")
		want(t, f.verify(renewed.AccessToken), "revoked")
		_, err = f.Renew(t.Context(), renewed.AccessToken, goodIP)
		want(t, err, "revoked")
	})
}
