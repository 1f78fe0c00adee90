package secret

import (
	"bytes"
	"context"
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

// fixture is a started service with a project and its administrator, and a clock that only the test moves.
type fixture struct {
	*Service
	t       testing.TB
	ms      *atomic.Int64
	org     string
	project *project.Project
	admin   *access.Actor
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
	f := &fixture{Service: start(t, db), t: t, ms: ms, org: id.New()}
	f.exec(`INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)`, f.org)
	f.admin = f.actor("admin")
	var err error
	if f.project, err = f.projects.Create(t.Context(), f.admin, project.Draft{Name: "Web shop"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// start starts a service on a database.
func start(t testing.TB, db *sqldb.DB) *Service {
	t.Helper()
	root, err := seal.NewKey(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	log := feed.New(feed.Options{DB: db, Logger: slog.New(slog.DiscardHandler)})
	records := audit.New(db, 0)
	roles := role.New(db, log, records)
	members := member.New(member.Options{DB: db, Feed: log, Audit: records, Roles: roles})
	s := New(Options{DB: db, Feed: log, Audit: records, Cache: 1 << 20, Projects: project.New(project.Options{DB: db, Feed: log, Audit: records, Roles: roles, Members: members,
		Grace: time.Hour, EmptyFolder: Empty, HoldsAny: HoldsAny, Holdings: Holdings(), Orgs: org.New(org.Options{DB: db, Feed: log, Audit: records, Root: root}),
		Identities: identity.New(identity.Options{DB: db, Feed: log, Roles: roles, Members: members, Audit: records,
			Methods:     func(context.Context, []string) (map[string][]string, error) { return nil, nil },
			ExpiryBound: func(_ context.Context, tx *sqldb.Tx) (time.Time, error) { return tx.Now().Add(time.Hour), nil },
		})})})
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

// actor makes an identity with a built-in role in the organization.
func (f *fixture) actor(slug string) *access.Actor {
	f.t.Helper()
	rules, _ := access.OrgRole(slug)
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	a := &access.Actor{Type: access.ActorIdentity, ID: id.New(), Name: slug, OrgID: f.org, Rights: rights}
	f.exec(`INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, $3, FALSE, 0, 0)`, a.ID, f.org, slug)
	sqldbtest.Enroll(f.t, f.db, f.org, a.ID)
	return a
}

// member makes an identity that may do in the project what the rules, a JSON list, say.
func (f *fixture) member(rules string) *access.Actor {
	f.t.Helper()
	a := f.actor(role.NoAccess)
	f.join(member.Draft{IdentityID: a.ID}, rules)
	return a
}

// user makes a user that may do everything in the project.
func (f *fixture) user() *access.Actor {
	f.t.Helper()
	a := &access.Actor{Type: access.ActorUser, ID: id.New(), OrgID: f.org}
	a.Name = a.ID + "@example.com"
	f.exec(`INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
		VALUES ($1, $2, '', '', '', FALSE, 0, 0)`, a.ID, a.Name)
	sqldbtest.Enroll(f.t, f.db, f.org, a.ID)
	f.join(member.Draft{UserID: a.ID}, everything)
	return a
}

// everything are rules that allow all that there is to do with secrets.
const everything = `[{"subject":"secrets","action":["describeSecret","readValue","create","edit","delete"]},
	{"subject":"secret-imports","action":["read","create","edit","delete"]}]`

func (f *fixture) join(m member.Draft, rules string) {
	f.t.Helper()
	m.OrgID, m.ProjectID, m.Roles = f.org, f.project.ID, member.Permanent(role.ProjectBuiltIn(role.NoAccess))
	err := f.feed.Change(f.t.Context(), func(tx *feed.Tx) error {
		if _, err := member.Join(f.t.Context(), tx.Tx, m); err != nil {
			return err
		}
		_, err := tx.Exec(f.t.Context(), `INSERT INTO privileges (id, membership_id, slug, permissions, temporary, created_at, updated_at)
			SELECT $1, m.id, 'rules', $2, FALSE, 0, 0 FROM memberships m WHERE m.project_id = $3 AND coalesce(m.identity_id, m.user_id) = $4`,
			id.New(), rules, f.project.ID, m.IdentityID+m.UserID)
		member.Changed(tx, m.IdentityID+m.UserID, f.project.ID)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// tag makes a tag of the project and returns its id.
func (f *fixture) tag(slug string) string {
	f.t.Helper()
	tagID := id.New()
	err := f.feed.Change(f.t.Context(), func(tx *feed.Tx) error {
		_, err := tx.Exec(f.t.Context(), `INSERT INTO tags (id, project_id, slug, created_by_type, created_at, updated_at) VALUES ($1, $2, $3, 'identity', 0, 0)`,
			tagID, f.project.ID, slug)
		project.Changed(tx, f.project.ID)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return tagID
}

// folder makes a folder in the root of an environment.
func (f *fixture) folder(environment, name string) {
	f.t.Helper()
	root, err := project.FolderAt(f.t.Context(), f.db, f.project.ID, environment, "/")
	if err != nil {
		f.t.Fatal(err)
	}
	f.exec(`INSERT INTO folders (id, environment_id, parent_id, name, path, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 1, 0, 0)`,
		id.New(), root.EnvironmentID, root.ID, name, "/"+name)
}

// in is a folder of an environment of the project.
func (f *fixture) in(environment, path string) Place {
	return Place{ProjectID: f.project.ID, Environment: environment, Path: path}
}

// put makes a secret as the administrator.
func (f *fixture) put(p Place, name, value string) *Secret {
	f.t.Helper()
	made, err := f.Create(f.t.Context(), f.admin, p, Changes{Name: name, Value: &value})
	if err != nil {
		f.t.Fatal(err)
	}
	return made
}

// get reads a secret as the administrator.
func (f *fixture) get(p Place, name string) *Secret {
	f.t.Helper()
	found, err := f.Get(f.t.Context(), f.admin, p, Find{Name: name, View: View{Values: true}})
	if err != nil {
		f.t.Fatal(err)
	}
	return found
}

// count returns the one number that a query answers.
func (f *fixture) count(query string, args ...any) (n int64) {
	f.t.Helper()
	if err := f.db.Get(f.t.Context(), &n, query, args...); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// events returns the audit events of the project about secrets, oldest first, as "type metadata".
func (f *fixture) events() (events []string) {
	f.t.Helper()
	if err := f.audit.Flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	err := f.db.Select(f.t.Context(), &events, `SELECT event_type || ' ' || event_metadata FROM audit_logs
		WHERE project_id = $1 AND event_type <> 'create-project' ORDER BY created_at, id`, f.project.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return events
}

func want(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got %v; want a fault of kind %d", err, kind)
	}
}

func ptr[T any](v T) *T { return &v }
