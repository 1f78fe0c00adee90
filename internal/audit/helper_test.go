package audit

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// clock is a clock that only the test moves. It stands at noon, so that the midnight before is far.
type clock struct{ ms atomic.Int64 }

func (c *clock) Now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

type fixture struct {
	*Log
	t     *testing.T
	db    *sqldb.DB
	clock *clock
}

// each runs fn once an engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			c := &clock{}
			c.ms.Store(noon.UnixMilli())
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{Now: c.Now, Logger: slog.New(slog.DiscardHandler)})
			fn(t, &fixture{Log: New(db, 0), t: t, db: db, clock: c})
		})
	}
}

var errOnPurpose = errors.New("on purpose")

// admin is an administrator of a new organization.
func admin(t testing.TB) *access.Actor {
	t.Helper()
	rules, _ := access.OrgRole("admin")
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &access.Actor{Type: access.ActorIdentity, ID: id.New(), Name: "admin", OrgID: id.New(), AuthMethod: "token-auth",
		TokenID: id.New(), Rights: rights,
		Client: access.Client{IP: netip.MustParseAddr("192.0.2.1"), UserAgent: "terraform/1", RequestID: "req-1"}}
}

func (f *fixture) record(actor *access.Actor, e Event) {
	f.t.Helper()
	if err := f.db.Write(f.t.Context(), func(tx *sqldb.Tx) error { return f.Record(f.t.Context(), tx, actor, e) }); err != nil {
		f.t.Fatal(err)
	}
}

// types returns the types of all stored events, oldest first.
func (f *fixture) types() (types []string) {
	f.t.Helper()
	if err := f.db.Select(f.t.Context(), &types, `SELECT event_type FROM audit_logs ORDER BY created_at, id`); err != nil {
		f.t.Fatal(err)
	}
	return types
}

func (f *fixture) query(actor *access.Actor, filter Filter) []Entry {
	f.t.Helper()
	entries, err := f.Query(f.t.Context(), actor, filter)
	if err != nil {
		f.t.Fatal(err)
	}
	return entries
}

// follow returns the page of events behind a position, and the position to go on from.
func (f *fixture) follow(actor *access.Actor, after, limit int64) ([]Entry, int64) {
	f.t.Helper()
	entries, next, err := f.Follow(f.t.Context(), actor, Filter{After: &after, Limit: limit})
	if err != nil {
		f.t.Fatal(err)
	}
	return entries, next
}

func numbered(n int) string { return fmt.Sprintf("event-%04d", n) }
