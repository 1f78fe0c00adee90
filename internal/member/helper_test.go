package member_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
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
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/role"
)

// grace is how long environments can be restored in these tests.
const grace = time.Hour

// fixture has started services, one organization, and a clock that only the test moves.
type fixture struct {
	*project.Service
	members    *member.Service
	roles      *role.Service
	identities *identity.Service
	db         *sqldb.DB
	feed       *feed.Feed
	t          testing.TB
	ms         *atomic.Int64
	org        string
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
	f := replica(t, db)
	f.ms = ms
	f.org = f.newOrg()
	return f
}

// replica starts the services on a database.
func replica(t testing.TB, db *sqldb.DB) *fixture {
	t.Helper()
	root, err := seal.NewKey(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	log := feed.New(feed.Options{DB: db, Logger: slog.New(slog.DiscardHandler)})
	records := audit.New(db, 0)
	f := &fixture{db: db, feed: log, t: t, roles: role.New(db, log, records)}
	none := func(context.Context, []string) (map[string][]string, error) { return nil, nil }
	bound := func(_ context.Context, tx *sqldb.Tx) (time.Time, error) { return tx.Now().Add(time.Hour), nil }
	f.members = member.New(member.Options{DB: db, Feed: log, Audit: records, Roles: f.roles, Methods: none, LockedOut: none, ExpiryBound: bound,
		EndSecrets: func(context.Context, *feed.Tx, string) error { return nil },
		OwnerOf: func(ctx context.Context, actor *access.Actor, identityID string) (string, error) {
			return f.identities.OwnerOf(ctx, actor, identityID)
		},
		Projects: member.Projects{Hold: project.Hold,
			Enter: func(ctx context.Context, actor *access.Actor, projectID string) (member.Scope, error) {
				return f.Scope(ctx, actor, projectID)
			},
			EnterSlug: func(ctx context.Context, actor *access.Actor, slug string) (member.Scope, error) {
				return f.ScopeOf(ctx, actor, slug)
			}}})
	f.identities = identity.New(identity.Options{DB: db, Feed: log, Roles: f.roles, Members: f.members, Audit: records, Methods: none, ExpiryBound: bound})
	f.Service = project.New(project.Options{DB: db, Feed: log, Audit: records, Roles: f.roles, Members: f.members, Identities: f.identities, Grace: grace,
		Orgs: org.New(org.Options{DB: db, Feed: log, Audit: records, Root: root})})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	feedtest.Follow(t, log)
	return f
}

func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	sqldbtest.Exec(f.t, f.db, query, args...)
}

func (f *fixture) newOrg() string {
	f.t.Helper()
	orgID := id.New()
	f.exec(`INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)`, orgID)
	return orgID
}

// actor makes an identity that is a member of an organization, and an actor with a built-in role there.
func (f *fixture) actor(orgID, slug string) *access.Actor {
	f.t.Helper()
	rules, _ := access.OrgRole(slug)
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	a := &access.Actor{Type: access.ActorIdentity, ID: id.New(), Name: slug, OrgID: orgID, Rights: rights}
	f.exec(`INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, $3, FALSE, 0, 0)`, a.ID, orgID, slug)
	sqldbtest.Enroll(f.t, f.db, orgID, a.ID)
	return a
}

// member makes an identity with a built-in role in a project, and without rights in the organization.
func (f *fixture) member(p *project.Project, slug string) *access.Actor {
	f.t.Helper()
	a := f.actor(p.OrgID, role.NoAccess)
	err := f.feed.Change(f.t.Context(), func(tx *feed.Tx) error {
		_, err := member.Join(f.t.Context(), tx.Tx, member.Draft{OrgID: p.OrgID, ProjectID: p.ID, IdentityID: a.ID, Roles: member.Permanent(role.ProjectBuiltIn(slug))})
		member.Changed(tx, a.ID, p.ID)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

// project makes a project with its administrator.
func (f *fixture) project() (*project.Project, *access.Actor) {
	f.t.Helper()
	admin := f.actor(f.org, "member")
	p, err := f.Create(f.t.Context(), admin, project.Draft{Name: "Web shop"})
	if err != nil {
		f.t.Fatal(err)
	}
	return p, admin
}

// count returns the one number that a query answers.
func (f *fixture) count(query string, args ...any) (n int64) {
	f.t.Helper()
	if err := f.db.Get(f.t.Context(), &n, query, args...); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// events returns the types of the audit events of a project, oldest first.
func (f *fixture) events(projectID string) (types []string) {
	f.t.Helper()
	if err := f.db.Select(f.t.Context(), &types, `SELECT event_type FROM audit_logs WHERE project_id = $1 ORDER BY created_at, id`, projectID); err != nil {
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

// limited makes a member with no role and one additional privilege.
func (f *fixture) limited(p *project.Project, rules ...access.Rule) *access.Actor {
	f.t.Helper()
	a := f.member(p, "no-access")
	text, err := json.Marshal(rules)
	if err != nil {
		f.t.Fatal(err)
	}
	f.exec(`INSERT INTO privileges (id, membership_id, slug, permissions, temporary, created_at, updated_at)
		SELECT $1, id, 'p', $2, FALSE, 0, 0 FROM memberships WHERE project_id = $3 AND identity_id = $4`, id.New(), string(text), p.ID, a.ID)
	return a
}

// create makes an identity of the organization as an administrator.
func (f *fixture) create(orgID, name, slug string) string {
	f.t.Helper()
	protected := false
	d, err := f.identities.Create(f.t.Context(), f.strangerTo(orgID, role.Admin), orgID, identity.Changes{Name: &name, Role: &slug, DeleteProtection: &protected})
	if err != nil {
		f.t.Fatal(err)
	}
	return d.ID
}
