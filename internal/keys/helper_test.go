package keys_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/feed/feedtest"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/keys"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/secret"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// replica is what one server has of keys and secrets.
type replica struct {
	*keys.Service
	secrets *secret.Service
	kept    *project.Service
	root    *seal.Key
	options keys.Options
}

// newReplica starts a replica on a database; fill says which root keys it was given. One that is deaf does not follow the
// feed, so that it goes on with what it has in memory.
func newReplica(t testing.TB, db *sqldb.DB, deaf bool, fill ...byte) replica {
	t.Helper()
	root := rootKeys(t, fill...)
	log := feed.New(feed.Options{DB: db, Logger: slog.New(slog.DiscardHandler), Keys: root.IDs()})
	records := audit.New(db, 0)
	roles := role.New(db, log, records)
	members := member.New(member.Options{DB: db, Feed: log, Audit: records, Roles: roles})
	orgs := org.New(org.Options{DB: db, Feed: log, Audit: records, Root: root})
	projects := project.New(project.Options{DB: db, Feed: log, Audit: records, Roles: roles, Members: members, Grace: time.Hour, Orgs: orgs,
		Identities: identity.New(identity.Options{DB: db, Feed: log, Roles: roles, Members: members, Audit: records,
			Methods:     func(context.Context, []string) (map[string][]string, error) { return nil, nil },
			ExpiryBound: func(_ context.Context, tx *sqldb.Tx) (time.Time, error) { return tx.Now().Add(time.Hour), nil }})})
	secrets := secret.New(secret.Options{DB: db, Feed: log, Audit: records, Projects: projects})
	if !deaf {
		if err := log.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		feedtest.Follow(t, log)
	}
	o := keys.Options{DB: db, Feed: log, Audit: records, Root: root, Orgs: orgs, Projects: projects, Secrets: secrets, Steps: 1}
	s := keys.New(o)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return replica{s, secrets, projects, root, o}
}

func rootKeys(t testing.TB, fill ...byte) *seal.Key {
	t.Helper()
	raw := make([][]byte, len(fill))
	for i, b := range fill {
		raw[i] = bytes.Repeat([]byte{b}, seal.KeySize)
	}
	root, err := seal.NewKey(raw...)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// site is a database with an organization, its administrator, and a project.
type site struct {
	replica
	t       testing.TB
	admin   *access.Actor
	project string
}

func newSite(t testing.TB, db *sqldb.DB, fill ...byte) *site {
	t.Helper()
	s := &site{replica: newReplica(t, db, false, fill...), t: t}
	rules, _ := access.OrgRole("admin")
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.admin = &access.Actor{Type: access.ActorIdentity, ID: id.New(), OrgID: id.New(), Rights: rights, InstanceAdmin: true}
	sqldbtest.Exec(t, db, `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)`, s.admin.OrgID)
	sqldbtest.Exec(t, db, `INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, 'a', FALSE, 0, 0)`,
		s.admin.ID, s.admin.OrgID)
	sqldbtest.Enroll(t, db, s.admin.OrgID, s.admin.ID)
	p, err := s.kept.Create(t.Context(), s.admin, project.Draft{Name: "Web shop"})
	if err != nil {
		t.Fatal(err)
	}
	s.project = p.ID
	return s
}

func (s *site) place() secret.Place {
	return secret.Place{ProjectID: s.project, Environment: "dev", Path: "/"}
}

// write makes a secret, or its next version, on a replica: value, comment and sealed metadata all hold the text.
func (s *site) write(on replica, create bool, name, text string) error {
	c := secret.Changes{Name: name, Value: &text, Comment: &text, Metadata: &[]secret.Metadata{{Key: "k", Value: text, Encrypted: true}, {Key: "plain", Value: "x"}}}
	do := on.secrets.Update
	if create {
		do = on.secrets.Create
	}
	_, err := do(s.t.Context(), s.admin, s.place(), c)
	return err
}

// read returns an error unless a version of a secret, 0 for the one in force, reads as it was written.
func (s *site) read(on replica, name string, version int64, text string) error {
	found, err := on.secrets.Get(s.t.Context(), s.admin, s.place(), secret.Find{Name: name, Version: version, View: secret.View{Values: true}})
	if err != nil {
		return err
	}
	if found.Value != text || found.Comment != text || found.Metadata[0].Value != text || found.Metadata[1].Value != "x" {
		return fmt.Errorf("version %d of %s reads %q, %q, %v; want %q", version, name, found.Value, found.Comment, found.Metadata, text)
	}
	return nil
}

// finish does steps until a rotation is done, each on a service that has just been started.
func (s *site) finish(rotate func(on *keys.Service, resume bool) (keys.State, error)) keys.State {
	s.t.Helper()
	for resume := false; ; resume = true {
		state, err := rotate(s.again(), resume)
		if err != nil {
			s.t.Fatal(err)
		}
		if state.Done() {
			return state
		}
	}
}

// again returns a service that knows nothing but what the database says, as after a kill.
func (s *site) again() *keys.Service { return keys.New(s.options) }

func (s *site) rotateProject(on *keys.Service, resume bool) (keys.State, error) {
	return on.RotateProject(s.t.Context(), s.admin, s.project, resume)
}

func (s *site) rotateOrganization(on *keys.Service, resume bool) (keys.State, error) {
	return on.RotateOrganization(s.t.Context(), s.admin, resume)
}

func (s *site) rotateRoot(on *keys.Service, resume bool) (keys.State, error) {
	return on.RotateRoot(s.t.Context(), s.admin, resume)
}

// count returns the number that a query answers.
func count(t testing.TB, db *sqldb.DB, query string, args ...any) (n int64) {
	t.Helper()
	if err := db.Get(t.Context(), &n, query, args...); err != nil {
		t.Fatal(err)
	}
	return n
}

// serve serves an app until it is stopped, or the test ends.
func serve(t testing.TB, a *app.App) *running {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var beside sync.WaitGroup
	beside.Go(func() { a.Run(ctx) })
	listener := httptest.NewServer(a.Handler())
	stop := sync.OnceFunc(func() {
		listener.Close()
		cancel()
		beside.Wait()
		if err := a.Close(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
	t.Cleanup(stop)
	return &running{Client: harness.Client{URL: listener.URL}, stop: stop}
}
