package token

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/feed/feedtest"
)

// clock is a clock that only the test moves.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_790_000_000_000)
	return c
}

func (c *clock) Now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// fixture is a started service on a database of its own. Every address but badIP is trusted.
type fixture struct {
	*Service
	t     *testing.T
	clock *clock
	org   string
	ident string
}

var (
	goodIP = netip.MustParseAddr("192.0.2.1")
	badIP  = netip.MustParseAddr("198.51.100.1")
)

// each runs fn once an engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) { fn(t, newFixture(t, engine)) })
	}
}

func newFixture(t *testing.T, engine sqldb.Engine) *fixture {
	t.Helper()
	c := newClock()
	db := sqldbtest.OpenWith(t, engine, sqldb.Options{Now: c.Now, Logger: slog.New(slog.DiscardHandler)})
	f := &fixture{t: t, clock: c, Service: replica(t, db, 0), org: id.New(), ident: id.New()}
	f.addIdentity(f.org, f.ident)
	return f
}

// replica starts another feed and service on a database, as a restarted server or another replica would.
func replica(t *testing.T, db *sqldb.DB, maxAge time.Duration) *Service {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	f := feed.New(feed.Options{DB: db, Logger: log})
	s := New(Options{DB: db, Feed: f, Audit: audit.New(db, 0), Root: rootKey(t, 7), Logger: log, MaxAge: maxAge,
		Member:         func(context.Context, string, string) (bool, error) { return true, nil },
		AddressAllowed: func(_ context.Context, _, _ string, ip netip.Addr) (bool, error) { return ip != badIP, nil },
		Methods:        func() []string { return []string{TokenAuth, "universal-auth"} },
		Limits:         func(context.Context, string, string) (Limits, error) { return Limits{}, nil }})
	if err := s.feed.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	feedtest.Follow(t, f)
	return s
}

func rootKey(t testing.TB, fill byte) *seal.Key {
	t.Helper()
	key, err := seal.NewKey(bytes.Repeat([]byte{fill}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// restart returns the same fixture with a service that knows only what the database holds.
func (f *fixture) restart() *fixture {
	again := *f
	again.Service = replica(f.t, f.db, f.maxAge)
	return &again
}

// replicas returns the fixture and, where the engine allows for it, another replica on the same database.
func (f *fixture) replicas() []*fixture {
	if f.db.Engine() == sqldb.SQLite {
		return []*fixture{f}
	}
	return []*fixture{f, f.restart()}
}

func (f *fixture) addIdentity(orgID, identityID string) {
	f.t.Helper()
	f.write(func(tx *sqldb.Tx) error {
		_, err := tx.Exec(f.t.Context(), `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)
			ON CONFLICT (id) DO NOTHING`, orgID)
		if err == nil {
			_, err = tx.Exec(f.t.Context(), `INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at)
				VALUES ($1, $2, 'i', FALSE, 0, 0)`, identityID, orgID)
		}
		return err
	})
}

func (f *fixture) write(fn func(*sqldb.Tx) error) {
	f.t.Helper()
	if err := f.db.Write(f.t.Context(), fn); err != nil {
		f.t.Fatal(err)
	}
}

// grant is a grant of Token Auth as it is by default, for an hour.
func (f *fixture) grant() Grant {
	return Grant{IdentityID: f.ident, IdentityName: "robot", OrgID: f.org, Method: TokenAuth, Limits: Limits{TTL: 3600, MaxTTL: 86400},
		Born: f.Birth()}
}

// mint makes a token, and its row where it has one.
func (f *fixture) mint(g Grant) *Issued {
	f.t.Helper()
	issued, err := f.Mint(f.t.Context(), g)
	if err != nil {
		f.t.Fatal(err)
	}
	if g.Method == TokenAuth || g.UsesLimit > 0 {
		f.write(func(tx *sqldb.Tx) error { return f.Insert(f.t.Context(), tx, issued.Row) })
	}
	return issued
}

// verify uses a token from a trusted address.
func (f *fixture) verify(jwt string) error {
	_, err := f.Verify(f.t.Context(), jwt, goodIP)
	return err
}

// row reads the row of a token.
func (f *fixture) row(tokenID string) Row {
	f.t.Helper()
	var found *Row
	f.write(func(tx *sqldb.Tx) (err error) {
		found, err = rowByID(f.t.Context(), tx, tokenID)
		return err
	})
	if found == nil {
		f.t.Fatalf("token %s has no row", tokenID)
	}
	return *found
}

func (f *fixture) cut(kind feed.Kind, key string) {
	f.t.Helper()
	err := f.feed.Change(f.t.Context(), func(tx *feed.Tx) error {
		tx.Append(kind, key, f.clock.Now().Add(f.maxAge))
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) actor() *access.Actor {
	return &access.Actor{Type: access.ActorIdentity, ID: id.New(), Name: "admin", OrgID: f.org}
}

// reason is what became of a token: "" for accepted, the reason of a dead one, or the kind of another fault.
func reason(err error) string {
	var e *fault.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &e):
		return "not a fault: " + err.Error()
	case e.Kind == fault.DeadToken:
		return e.Reason
	}
	return map[fault.Kind]string{fault.Forbidden: "forbidden", fault.NotFound: "not found", fault.BadRequest: "bad request",
		fault.Unauthenticated: "unauthenticated", fault.Unavailable: "unavailable"}[e.Kind]
}

// want fails the test unless err has a reason.
func want(t testing.TB, err error, expected string) {
	t.Helper()
	if got := reason(err); got != expected {
		t.Fatalf("got %q (%v); want %q", got, err, expected)
	}
}
