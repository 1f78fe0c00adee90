package user

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
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/lockout"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/feed/feedtest"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/token"
)

const (
	email    = "ada@example.com"
	password = "correct horse"
)

var (
	home = access.Client{IP: netip.MustParseAddr("192.0.2.1"), UserAgent: "test"}
	away = access.Client{IP: netip.MustParseAddr("198.51.100.1")}
)

// fixture is a service on an instance that was set up: one organization, whose only user administers all. Its clock
// stands still unless the test moves it.
type fixture struct {
	*Service
	t   *testing.T
	ms  *atomic.Int64
	org string
	ada string // the user
}

// each runs fn once an engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) { fn(t, newFixture(t, engine)) })
	}
}

func newFixture(t *testing.T, engine sqldb.Engine) *fixture {
	t.Helper()
	ms := &atomic.Int64{}
	ms.Store(1_790_000_000_000)
	db := sqldbtest.OpenWith(t, engine, sqldb.Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMilli(ms.Load()) }})
	f := &fixture{Service: replica(t, db), t: t, ms: ms}
	setup, err := f.orgs.Bootstrap(t.Context(), home, email, password, "Acme", "")
	if err != nil {
		t.Fatal(err)
	}
	f.org, f.ada = setup.Organization.ID, setup.User.ID
	return f
}

// replica starts another service on a database, as a restarted server or another replica would.
func replica(t *testing.T, db *sqldb.DB) *Service {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	root, err := seal.NewKey(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	f, records := feed.New(feed.Options{DB: db, Logger: log}), audit.New(db, 0)
	o := Options{DB: db, Feed: f, Audit: records, Roles: role.New(db, f, records), Lockouts: lockout.New(db), Hashing: limit.NewLine(limit.NewBudget(0))}
	o.Memberships = member.New(member.Options{DB: db, Feed: f, Audit: records, Roles: o.Roles})
	o.Orgs = org.New(org.Options{DB: db, Feed: f, Audit: records, Root: root, Hashing: o.Hashing, Cost: org.Cost{Passes: 1, KiB: 64, Lanes: 1},
		MakeUser: Insert, MakeAdmin: func(context.Context, *sqldb.Tx, org.Organization) (org.Admin, error) {
			return org.Admin{ID: id.New()}, nil
		}})
	o.Password = SignIn{Slug: Method, Verify: func(_ context.Context, stored, proof string) (bool, error) {
		return o.Orgs.CheckPassword(stored, proof)
	}}
	o.Tokens = token.New(token.Options{DB: db, Feed: f, Audit: records, Root: root, Logger: log, Orgs: o.Orgs, Member: o.Memberships.Member})
	s := New(o)
	if err := errors.Join(f.Start(t.Context()), o.Tokens.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	feedtest.Follow(t, f)
	return s
}

// replicas returns the fixture's service and, where the engine allows for it, another one on the same database.
func (f *fixture) replicas() []*Service {
	if f.db.Engine() == sqldb.SQLite {
		return []*Service{f.Service}
	}
	return []*Service{f.Service, replica(f.t, f.db)}
}

func (f *fixture) advance(d time.Duration) { f.ms.Add(d.Milliseconds()) }

func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	sqldbtest.Exec(f.t, f.db, query, args...)
}

// user makes a user with a role in the organization.
func (f *fixture) user(slug string) string {
	f.t.Helper()
	userID := id.New()
	f.exec(`INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
		VALUES ($1, $2, 'Grace', 'Hopper', '', FALSE, 1, 1)`, userID, userID+"@example.com")
	f.join(userID, f.org, slug)
	return userID
}

func (f *fixture) join(userID, orgID, slug string) {
	f.t.Helper()
	err := f.db.Write(f.t.Context(), func(tx *sqldb.Tx) error {
		_, err := member.Join(f.t.Context(), tx, member.Draft{OrgID: orgID, UserID: userID, Roles: member.Permanent(role.BuiltIn(slug))})
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// session begins a session of a user without a password.
func (f *fixture) session(userID string) *Pair {
	f.t.Helper()
	made, err := f.begin(f.t.Context(), &account{User: User{ID: userID, Email: email}, OrgID: &f.org}, f.tokens.Birth(), home)
	if err != nil {
		f.t.Fatal(err)
	}
	return made
}

// claims checks an access token on a replica.
func (f *fixture) claims(s *Service, jwt string) (*token.Claims, error) {
	return s.tokens.Verify(f.t.Context(), jwt, home.IP)
}

// actor is who holds an access token, with the rights of their roles where an organization was chosen.
func (f *fixture) actor(jwt string) *access.Actor {
	f.t.Helper()
	c, err := f.claims(f.Service, jwt)
	if err != nil {
		f.t.Fatal(err)
	}
	a := &access.Actor{Type: access.ActorUser, ID: c.IdentityID, Name: email, OrgID: c.OrgID, AuthMethod: c.Method, TokenID: c.ID, Client: home}
	if c.OrgID != "" {
		grants, err := f.memberships.Of(f.t.Context(), a.ID, a.OrgID)
		if err != nil {
			f.t.Fatal(err)
		}
		a.Rights, a.InstanceAdmin = grants.Rights, grants.InstanceAdmin
	}
	return a
}

// in is the actor of a new session of a user that has chosen the organization.
func (f *fixture) in(userID string) *access.Actor {
	f.t.Helper()
	jwt, err := f.SelectOrg(f.t.Context(), f.actor(f.session(userID).Access), f.org)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.actor(jwt)
}

// events returns the types of the audit events of a sort, oldest first, with what is noted written.
func (f *fixture) events(like string) (types []string) {
	f.t.Helper()
	if err := f.audit.Flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	if err := f.db.Select(f.t.Context(), &types, `SELECT event_type FROM audit_logs WHERE event_type LIKE $1 AND org_id = $2 ORDER BY created_at, id`, like, f.org); err != nil {
		f.t.Fatal(err)
	}
	return types
}

// want fails the test unless err is a fault of a kind.
func want(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got %v; want a fault of kind %d", err, kind)
	}
}

// wantDead fails the test unless err says that a token is dead, for a reason.
func wantDead(t testing.TB, err error, reason string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.DeadToken || e.Reason != reason {
		t.Fatalf("got %v; want a token that is %s", err, reason)
	}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
