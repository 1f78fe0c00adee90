package token

import (
	"math/rand"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/feed"
)

// The model keeps every entry that it was ever given, and decides by walking them all.
type model struct {
	entries []feed.Entry
	cleared int64 // the latest time that was given to forget
}

func (m *model) add(e feed.Entry) { m.entries = append(m.entries, e) }

func (m *model) forget(before int64) { m.cleared = max(m.cleared, before) }

func kills(e feed.Entry, c *Claims) bool {
	if e.Kind == feed.TokenRevoked {
		return e.Key == feed.Key(c.ID, c.IdentityID)
	}
	for _, scope := range c.cuts {
		if scope == (cutScope{e.Kind, e.Key}) {
			return c.Born < e.Seq
		}
	}
	return false
}

// mustBeDead: an entry that still has to be remembered kills the token.
func (m *model) mustBeDead(c *Claims) bool {
	for _, e := range m.entries {
		if e.Until >= m.cleared && kills(e, c) {
			return true
		}
	}
	return false
}

// mustLive: no entry ever killed the token.
func (m *model) mustLive(c *Claims) bool {
	for _, e := range m.entries {
		if kills(e, c) {
			return false
		}
	}
	return true
}

// small draws one of three ids, so that entries and tokens meet.
func small(prefix byte) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		u := uuid.UUID{0: prefix, 6: 0x70, 8: 0x80}
		u[15] = rapid.ByteMax(2).Draw(t, "n")
		return u.String()
	})
}

func drawClaims(t *rapid.T) *Claims {
	c := &Claims{ID: small('t').Draw(t, "token"), IdentityID: small('i').Draw(t, "identity"), OrgID: small('o').Draw(t, "org"),
		Method: rapid.SampledFrom([]string{TokenAuth, "universal-auth"}).Draw(t, "method"), Born: rapid.Int64Range(0, 20).Draw(t, "born")}
	if rapid.Bool().Draw(t, "has secret") {
		c.ClientSecretID = small('s').Draw(t, "secret")
	}
	c.id, c.identity = uuid.MustParse(c.ID), uuid.MustParse(c.IdentityID)
	c.cuts = cutScopes(c)
	return c
}

// drawEntry draws an entry about the things that drawClaims draws.
func drawEntry(t *rapid.T, seq int64) feed.Entry {
	e := feed.Entry{Seq: seq, Until: rapid.Int64Range(0, 100).Draw(t, "until")}
	about := drawClaims(t)
	if rapid.Bool().Draw(t, "single token") {
		e.Kind, e.Key = feed.TokenRevoked, feed.Key(about.ID, about.IdentityID)
		return e
	}
	scope := rapid.SampledFrom(about.cuts[:]).Draw(t, "scope")
	if e.Kind, e.Key = scope.kind, scope.key; e.Kind == feed.CutSecret && e.Key == "" {
		e.Key = small('s').Draw(t, "secret")
	}
	return e
}

func (r *revocations) take(e feed.Entry) {
	if e.Kind == feed.TokenRevoked {
		r.revoke(e)
		return
	}
	r.cut(e)
}

// TestRevocationsMatchTheModel takes entries in any order, some more than once, and forgets in between. What must be
// remembered is; what was never taken back lives. (A cut-off may be remembered for longer than it must: it then concerns
// only tokens that have expired.)
func TestRevocationsMatchTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, m := newRevocations(), &model{}
		t.Repeat(map[string]func(*rapid.T){
			"apply": func(t *rapid.T) {
				e := drawEntry(t, rapid.Int64Range(1, 20).Draw(t, "seq"))
				r.take(e)
				m.add(e)
			},
			"apply again": func(t *rapid.T) {
				if len(m.entries) == 0 {
					t.Skip("nothing to repeat")
				}
				// What is over is not in the log any more, so it does not come again.
				if e := rapid.SampledFrom(m.entries).Draw(t, "entry"); e.Until >= m.cleared {
					r.take(e)
				}
			},
			"forget": func(t *rapid.T) {
				before := rapid.Int64Range(m.cleared, 100).Draw(t, "before")
				r.forget(before)
				m.forget(before)
			},
			"": func(t *rapid.T) {
				c := drawClaims(t)
				dead := r.dead(c)
				if m.mustBeDead(c) && !dead {
					t.Fatalf("%+v lives, though it was taken back", c)
				}
				if m.mustLive(c) && dead {
					t.Fatalf("%+v is dead, though nothing took it back", c)
				}
			},
		})
	})
}

// TestRevocationsInAnyOrder loads the same entries in two orders, as a start does: every token is judged alike.
func TestRevocationsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "entries")
		forwards, shuffled := newRevocations(), newRevocations()
		entries := make([]feed.Entry, n)
		for i := range entries {
			entries[i] = drawEntry(t, int64(i+1))
			forwards.take(entries[i])
		}
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "order"))).Shuffle(n, func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		for _, e := range entries {
			shuffled.take(e)
		}
		before := rapid.Int64Range(0, 100).Draw(t, "forget before")
		forwards.forget(before)
		shuffled.forget(before)
		for range 20 {
			if c := drawClaims(t); forwards.dead(c) != shuffled.dead(c) {
				t.Fatalf("%+v is dead in one order (%v) and not in the other (%v)", c, forwards.dead(c), shuffled.dead(c))
			}
		}
	})
}

// TestAnotherIdentityRevokesNothing: knowing the id of a token kills nothing and saves nothing.
func TestAnotherIdentityRevokesNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		mine, other := f.mint(f.grant()), f.mint(f.grant())
		const stranger = "0199c8a0-0000-7000-8000-00000000000f"
		f.cut(feed.TokenRevoked, feed.Key(mine.Row.ID, stranger))
		want(t, f.verify(mine.AccessToken), "")
		if err := f.Revoke(t.Context(), f.actor(), other.Row); err != nil {
			t.Fatal(err)
		}
		f.cut(feed.TokenRevoked, feed.Key(other.Row.ID, stranger))
		want(t, f.verify(other.AccessToken), "revoked")
		want(t, f.restart().verify(other.AccessToken), "revoked")
	})
}

// TestUnreadableEntriesAreHarmless: what no token can be named in kills none.
func TestUnreadableEntriesAreHarmless(t *testing.T) {
	r := newRevocations()
	for _, key := range []string{"", " ", "x", "x y", small('t').Example(), " " + small('i').Example()} {
		r.revoke(feed.Entry{Key: key, Until: 1})
	}
	if tokens, cuts := r.size(); tokens != 0 || cuts != 0 {
		t.Errorf("%d tokens and %d cut-offs; want none", tokens, cuts)
	}
}

// TestForgetBoundsMemory: what is over goes.
func TestForgetBoundsMemory(t *testing.T) {
	r := newRevocations()
	rapid.Check(t, func(t *rapid.T) {
		for seq := range int64(20) {
			r.take(drawEntry(t, seq))
		}
	})
	r.forget(101)
	if tokens, cuts := r.size(); tokens != 0 || cuts != 0 {
		t.Errorf("%d tokens and %d cut-offs are left", tokens, cuts)
	}
}
