package project

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
	"github.com/sallyport/sallyport/internal/role"
)

// grace is how long environments can be restored in these tests.
const grace = time.Hour

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
	f := &fixture{Service: replica(t, db), t: t, ms: ms}
	f.org = f.newOrg()
	return f
}

// replica starts a service on a database.
func replica(t testing.TB, db *sqldb.DB) *Service {
	t.Helper()
	root, err := seal.NewKey(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	log := feed.New(feed.Options{DB: db, Logger: slog.New(slog.DiscardHandler)})
	records := audit.New(db, 0)
	roles := role.New(db, log, records)
	var s *Service
	members := member.New(member.Options{DB: db, Feed: log, Audit: records, Roles: roles, Methods: none, LockedOut: none,
		Projects: member.Projects{Hold: Hold, EnterSlug: func(ctx context.Context, actor *access.Actor, slug string) (member.Scope, error) {
			return s.ScopeOf(ctx, actor, slug)
		}, Enter: func(ctx context.Context, actor *access.Actor, projectID string) (member.Scope, error) {
			return s.Scope(ctx, actor, projectID)
		}}})
	s = New(Options{DB: db, Feed: log, Audit: records, Roles: roles, Members: members, Grace: grace,
		Orgs: org.New(org.Options{DB: db, Feed: log, Audit: records, Root: root}),
		Identities: identity.New(identity.Options{DB: db, Feed: log, Roles: roles, Members: members, Audit: records,
			Methods:     none,
			ExpiryBound: func(_ context.Context, tx *sqldb.Tx) (time.Time, error) { return tx.Now().Add(time.Hour), nil },
		})})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	feedtest.Follow(t, log)
	return s
}

// none has nothing to tell of any identity.
func none(context.Context, []string) (map[string][]string, error) { return nil, nil }

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
func (f *fixture) member(p *Project, slug string) *access.Actor {
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
func (f *fixture) project() (*Project, *access.Actor) {
	f.t.Helper()
	admin := f.actor(f.org, "member")
	p, err := f.Create(f.t.Context(), admin, Draft{Name: "Web shop"})
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

// ruleTexts returns rules as JSON.
func ruleTexts(t testing.TB, rules []access.Rule) (texts []string) {
	t.Helper()
	for _, r := range rules {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}
