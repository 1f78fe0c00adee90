package identity

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/feed/feedtest"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// lifeOfTokens is how long cut-offs are to be remembered in these tests.
const lifeOfTokens = 1000 * time.Second

// fixture is a started service with one organization, and a clock that only the test moves.
type fixture struct {
	*Service
	t   testing.TB
	ms  *atomic.Int64
	org string
}

// each runs fn once an engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) { fn(t, newFixture(t, engine)) })
	}
}

func newFixture(t testing.TB, engine sqldb.Engine) *fixture {
	t.Helper()
	ms := &atomic.Int64{}
	ms.Store(1_790_000_000_000)
	db := sqldbtest.OpenWith(t, engine, sqldb.Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMilli(ms.Load()) }})
	f := &fixture{Service: replica(t, db), t: t, ms: ms, org: id.New()}
	f.addOrg(f.org)
	return f
}

// replica starts a service on a database.
func replica(t testing.TB, db *sqldb.DB) *Service {
	t.Helper()
	log := feed.New(feed.Options{DB: db, Logger: slog.New(slog.DiscardHandler)})
	records := audit.New(db, 0)
	roles := role.New(db, log, records)
	methods := func(_ context.Context, ids []string) (map[string][]string, error) {
		methods := map[string][]string{}
		for _, identityID := range ids {
			methods[identityID] = []string{"token-auth"}
		}
		return methods, nil
	}
	members := member.New(member.Options{DB: db, Feed: log, Audit: records, Roles: roles, Methods: methods,
		LockedOut: func(context.Context, []string) (map[string][]string, error) { return nil, nil }})
	s := New(Options{DB: db, Feed: log, Roles: roles, Members: members, Audit: records, Methods: methods,
		ExpiryBound: func(_ context.Context, tx *sqldb.Tx) (time.Time, error) { return tx.Now().Add(lifeOfTokens), nil },
	})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	feedtest.Follow(t, log)
	return s
}

func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	sqldbtest.Exec(f.t, f.db, query, args...)
}

func (f *fixture) addOrg(orgID string) {
	f.t.Helper()
	f.exec(`INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)`, orgID)
}

// actor has a built-in role in an organization.
func (f *fixture) actor(orgID, slug string) *access.Actor {
	f.t.Helper()
	rules, _ := access.OrgRole(slug)
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	return &access.Actor{Type: access.ActorIdentity, ID: id.New(), Name: slug, OrgID: orgID, Rights: rights}
}

func (f *fixture) admin() *access.Actor { return f.actor(f.org, role.Admin) }

// changes makes Changes of a name and a role.
func changes(name, slug string) Changes {
	protected := false
	return Changes{Name: &name, Role: &slug, DeleteProtection: &protected}
}

// create makes an identity as an administrator.
func (f *fixture) create(name, slug string) *Detail {
	f.t.Helper()
	d, err := f.Create(f.t.Context(), f.admin(), f.org, changes(name, slug))
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

// roleOf reads the role of an identity.
func (f *fixture) roleOf(identityID string) string {
	f.t.Helper()
	m, _, err := f.members.Read(f.t.Context(), f.admin(), member.InOrganization, identityID)
	if err != nil {
		f.t.Fatal(err)
	}
	return m.Role
}

// events returns the types of all audit events, oldest first.
func (f *fixture) events() (types []string) {
	f.t.Helper()
	if err := f.db.Select(f.t.Context(), &types, `SELECT event_type FROM audit_logs ORDER BY created_at, id`); err != nil {
		f.t.Fatal(err)
	}
	return types
}

func want(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got %v; want a fault of kind %d", err, kind)
	}
}

func ptr[T any](v T) *T { return &v }
