package token

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
	"github.com/sallyport/sallyport/internal/feed"
)

var home = access.Client{IP: goodIP, UserAgent: "test"}

// remember checks a token and remembers it, as the server does.
func (f *fixture) remember(jwt string) error {
	mark := f.feed.Mark()
	c, err := f.Verify(f.t.Context(), jwt, home.IP)
	if err == nil {
		f.Remember(c, mark, home.IP, access.Actor{ID: c.IdentityID})
	}
	return err
}

// recalls reports whether a token is answered from memory.
func (f *fixture) recalls(jwt string) bool {
	f.t.Helper()
	actor, err := f.Recall(f.t.Context(), jwt, home.IP)
	if err != nil {
		f.t.Fatal(err)
	}
	return actor != nil
}

// TestRecallIsTheWholeText: what is found by its hash counts only if nothing of the text differs.
func TestRecallIsTheWholeText(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	jwt := f.mint(f.grant()).AccessToken
	want(t, f.remember(jwt), "")
	if !f.recalls(jwt) {
		t.Fatal("nothing is remembered")
	}
	kept := []byte(jwt)
	for i := range jwt {
		other := jwt[:i] + string(jwt[i]^1) + jwt[i+1:]
		if same(kept, other) {
			t.Errorf("a text that differs at %d is taken for the same", i)
		}
	}
	for _, other := range []string{"", jwt[1:], jwt[:len(jwt)-1], jwt + "x", strings.Repeat("x", len(jwt))} {
		if same(kept, other) || f.recalls(other) {
			t.Errorf("%q is taken for the same", other)
		}
	}
	if !same(kept, jwt) || !same(nil, "") {
		t.Error("the same text is taken for another")
	}
}

// TestRecallCountsUses: a use that is answered from memory is a use.
func TestRecallCountsUses(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	issued := f.mint(f.grant())
	want(t, f.remember(issued.AccessToken), "")
	f.recalls(issued.AccessToken)
	f.recalls(issued.AccessToken)
	n := int64(0)
	if err := f.uses.Flush(func(all []tally.Count) error { n = all[0].N; return nil }); err != nil || n != 3 {
		t.Errorf("%d uses are counted: %v", n, err)
	}
}

// TestAChangeDuringTheCheckTurnsIt: the mark is noted before the first look, so a change that comes in behind any look of the
// check turns what is remembered.
func TestAChangeDuringTheCheckTurnsIt(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		f.addressAllowed = func(context.Context, string, string, netip.Addr) (bool, error) {
			return true, f.Revoke(t.Context(), f.actor(), issued.Row) // behind the look at the revocations
		}
		want(t, f.remember(issued.AccessToken), "")
		if f.recalls(issued.AccessToken) {
			t.Error("a token that was revoked during its check is remembered as good")
		}
		want(t, f.verify(issued.AccessToken), "revoked")
		if _, err := f.Inspect(t.Context(), issued.AccessToken); reason(err) != "revoked" {
			t.Errorf("introspection says %v", err)
		}
	})
}

// TestAFeedThatStartsOverTurnsIt: the same position may name another past.
func TestAFeedThatStartsOverTurnsIt(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	f.cut(feed.CutIdentity, f.org)
	f.cut(feed.CutIdentity, f.org)
	issued := f.mint(f.grant())
	jwt := issued.AccessToken
	want(t, f.remember(jwt), "")
	at, mark := f.feed.Applied(), f.feed.Mark()
	// The database loses a change, and gives its number out again for one that kills the token.
	f.write(func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE feed_head SET seq = seq - 1`)
		if err == nil {
			_, err = tx.Exec(t.Context(), `DELETE FROM change_log WHERE seq > (SELECT seq FROM feed_head)`)
		}
		return err
	})
	if err := f.feed.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.cut(feed.TokenRevoked, feed.Key(issued.Row.ID, f.ident))
	if f.feed.Applied() != at || f.feed.Mark() == mark {
		t.Fatalf("position %d and mark %d became %d and %d", at, mark, f.feed.Applied(), f.feed.Mark())
	}
	if f.recalls(jwt) {
		t.Error("what was found at the lost position counts")
	}
	want(t, f.verify(jwt), "revoked")
}

// TestRecallWithoutALease: a replica without a lease reads the log to its end first, and decides nothing where it cannot.
func TestRecallWithoutALease(t *testing.T) {
	f := newFixture(t, sqldb.Postgres)
	var clock atomic.Int64
	log := feed.New(feed.Options{DB: f.db, Logger: slog.New(slog.DiscardHandler), Clock: func() time.Duration { return time.Duration(clock.Load()) }})
	cut := *f
	cut.Service = New(Options{DB: f.db, Feed: log, Audit: audit.New(f.db, 0), Root: f.root, Logger: f.logger, MaxAge: f.maxAge,
		Issuer: f.issuer, Unlisted: f.unlisted, Quota: f.quota, Methods: f.methods, Orgs: f.orgs, Identities: f.identities,
		Member: f.member, AddressAllowed: f.addressAllowed, Limits: f.limits})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := cut.Service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, second := f.mint(f.grant()), f.mint(f.grant())
	want(t, cut.remember(first.AccessToken), "")
	want(t, cut.remember(second.AccessToken), "")

	clock.Add(int64(feed.DefaultLease)) // nobody renews it
	if !cut.recalls(first.AccessToken) {
		t.Error("the log holds nothing new, yet what is remembered does not count")
	}
	f.write(func(tx *sqldb.Tx) error { // a revoke that nobody waits for
		_, err := tx.Exec(t.Context(), `UPDATE feed_head SET seq = seq + 1`)
		if err == nil {
			_, err = tx.Exec(t.Context(), `INSERT INTO change_log (seq, kind, key, until, at) SELECT seq, $1, $2, $3, 0 FROM feed_head`,
				feed.TokenRevoked, feed.Key(first.Row.ID, f.ident), f.clock.Now().Add(time.Hour).UnixMilli())
		}
		return err
	})
	if cut.recalls(first.AccessToken) {
		t.Error("the log tells of a revoke, and the token is answered from memory")
	}
	want(t, cut.verify(first.AccessToken), "revoked")
	want(t, cut.remember(second.AccessToken), "")
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := cut.Recall(t.Context(), second.AccessToken, home.IP)
	want(t, err, "unavailable")
}
