package role

import (
	"fmt"
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
)

// fixture is a started service with one organization, and a clock that only the test moves.
type fixture struct {
	*Service
	t   *testing.T
	ms  *atomic.Int64
	org string
}

// each runs fn once an engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			ms := &atomic.Int64{}
			ms.Store(1_790_000_000_000)
			quiet := slog.New(slog.DiscardHandler)
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{Logger: quiet, Now: func() time.Time { return time.UnixMilli(ms.Load()) }})
			log := feed.New(feed.Options{DB: db, Logger: quiet})
			f := &fixture{Service: New(db, log, audit.New(db, 0)), t: t, ms: ms, org: id.New()}
			start(t, log)
			f.exec(`INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)`, f.org)
			fn(t, f)
		})
	}
}

// start starts a feed and keeps its lease until the test ends.
func start(t *testing.T, f *feed.Feed) {
	t.Helper()
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	feedtest.Follow(t, f)
}

func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	err := f.db.Write(f.t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(f.t.Context(), query, args...)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// actor is someone who may do what the rules say.
func (f *fixture) actor(rules ...access.Rule) *access.Actor {
	f.t.Helper()
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	return &access.Actor{Type: access.ActorIdentity, ID: id.New(), OrgID: f.org, Rights: rights}
}

func (f *fixture) admin() *access.Actor {
	rules, _ := access.OrgRole(Admin)
	return f.actor(rules...)
}

func allow(subject access.Subject, actions ...access.Action) access.Rule {
	return access.Rule{Subject: subject, Actions: actions}
}

func deny(subject access.Subject, actions ...access.Action) access.Rule {
	return access.Rule{Subject: subject, Actions: actions, Inverted: true}
}

func changes(slug string, rules ...access.Rule) Changes {
	return Changes{Slug: &slug, Name: &slug, Rules: &rules}
}

func TestCustomRoleRefusals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		read := allow(access.SubjectIdentity, access.Read)
		r, err := f.Create(t.Context(), f.admin(), changes("taken", read, deny(access.SubjectIdentity, access.CreateToken)))
		if err != nil {
			t.Fatal(err)
		}
		held := id.New() // the membership of an identity that has the role
		f.exec(`INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, 'i', FALSE, 0, 0)`, held, f.org)
		f.exec(`INSERT INTO memberships (id, scope, org_id, identity_id, active, created_at, updated_at)
			VALUES ($1, 'organization', $2, $1, TRUE, 0, 0)`, held, f.org)
		f.exec(`INSERT INTO membership_roles (id, membership_id, role, custom_role_id, temporary, created_at, updated_at)
			VALUES ($1, $1, 'custom', $2, FALSE, 0, 0)`, held, r.ID)
		editor := f.actor(allow(access.SubjectRole, access.Create, access.Edit, access.Delete), read)
		update := func(actor *access.Actor, roleID string, c Changes) func() error {
			return func() error { _, err := f.Update(t.Context(), actor, roleID, c); return err }
		}
		create := func(actor *access.Actor, c Changes) func() error {
			return func() error { _, err := f.Create(t.Context(), actor, c); return err }
		}
		remove := func(actor *access.Actor, roleID string) func() error {
			return func() error { _, err := f.Delete(t.Context(), actor, roleID); return err }
		}
		stranger := f.admin()
		stranger.OrgID = id.New()
		for name, c := range map[string]struct {
			do   func() error
			want fault.Kind
		}{
			"refused/create without permission":         {create(f.actor(read), changes("x", read)), fault.PermissionDenied},
			"refused/create more than one holds":        {create(editor, changes("x", allow(access.SubjectIdentity, access.Delete))), fault.Boundary},
			"refused/create with a slug that is taken":  {create(f.admin(), changes("taken", read)), fault.BadRequest},
			"refused/create with a built-in slug":       {create(f.admin(), changes("admin", read)), fault.BadRequest},
			"refused/create with the reserved slug":     {create(f.admin(), changes("custom", read)), fault.BadRequest},
			"refused/create with capitals":              {create(f.admin(), changes("Admin", read)), fault.Validation},
			"refused/create with no slug":               {create(f.admin(), changes("", read)), fault.Validation},
			"refused/update to more than one holds":     {update(editor, r.ID, changes("x", allow(access.SubjectIdentity, access.Delete))), fault.Boundary},
			"refused/lift a denial of what one lacks":   {update(editor, r.ID, changes("x", read)), fault.Boundary},
			"refused/delete a denial of what one lacks": {remove(editor, r.ID), fault.Boundary},
			"refused/update a built-in role":            {update(f.admin(), BuiltIn(Admin).ID, changes("x", read)), fault.BadRequest},
			"refused/delete a built-in role":            {remove(f.admin(), Admin), fault.BadRequest},
			"refused/update an unknown role":            {update(f.admin(), id.New(), changes("x", read)), fault.NotFound},
			"refused/update in another organization":    {update(stranger, r.ID, changes("x", read)), fault.NotFound},
			"refused/delete in another organization":    {remove(stranger, r.ID), fault.NotFound},
			"refused/delete what somebody holds":        {remove(f.admin(), r.ID), fault.BadRequest},
			"refused/update without permission":         {update(f.actor(read), r.ID, changes("x", read)), fault.PermissionDenied},
			"refused/delete without permission":         {remove(f.actor(read), r.ID), fault.PermissionDenied},
		} {
			t.Run(name, func(t *testing.T) {
				if err := c.do(); !fault.Is(err, c.want) {
					t.Errorf("got %v", err)
				}
			})
		}
		if found, err := f.Find(t.Context(), f.org, "taken"); err != nil || len(found.Rules) != 2 {
			t.Errorf("after all refusals the role is %+v, %v", found, err)
		}
		other, err := f.Create(t.Context(), f.admin(), changes("other", read))
		if err != nil {
			t.Fatal(err)
		}
		if err := update(f.admin(), other.ID, changes("taken", read))(); !fault.Is(err, fault.BadRequest) {
			t.Errorf("renamed to a slug that is taken: %v", err)
		}
		f.exec(`DELETE FROM identities WHERE id = $1`, held)
		if err := remove(f.admin(), r.ID)(); err != nil {
			t.Errorf("a role that nobody holds any more: %v", err)
		}
	})
}

// TestListRoles has the built-in ones first, then those of the organization alone.
func TestListRoles(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, slug := range []string{"b", "a"} {
			if _, err := f.Create(t.Context(), f.admin(), changes(slug)); err != nil {
				t.Fatal(err)
			}
		}
		roles, err := f.List(t.Context(), f.admin())
		if err != nil {
			t.Fatal(err)
		}
		var slugs []string
		for _, r := range roles {
			slugs = append(slugs, r.Slug)
			if r.OrgID != f.org {
				t.Errorf("%s is of organization %q", r.Slug, r.OrgID)
			}
		}
		if got, want := fmt.Sprint(slugs), "[admin member no-access a b]"; got != want {
			t.Errorf("%s; want %s", got, want)
		}
	})
}
