package role

import (
	"fmt"
	"log/slog"
	"strings"
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

// join makes an identity with a role.
func (f *fixture) join(r *Role) string {
	f.t.Helper()
	identityID := id.New()
	f.exec(`INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, 'i', FALSE, 0, 0)`, identityID, f.org)
	err := f.db.Write(f.t.Context(), func(tx *sqldb.Tx) error {
		_, err := Join(f.t.Context(), tx, Member{OrgID: f.org, IdentityID: identityID, Roles: Permanent(r)})
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return identityID
}

// temporary gives an identity one more role for a time, in milliseconds from now.
func (f *fixture) temporary(identityID, slug string, from, to int64) {
	f.t.Helper()
	now := f.ms.Load()
	f.exec(`INSERT INTO membership_roles (id, membership_id, role, temporary, access_start, access_end, created_at, updated_at)
		SELECT $1, id, $2, TRUE, $3, $4, 0, 0 FROM memberships WHERE identity_id = $5`, id.New(), slug, now+from, now+to, identityID)
}

func (f *fixture) grants(identityID string) *Grants {
	f.t.Helper()
	g, err := f.Of(f.t.Context(), identityID, f.org)
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}

// may reports whether an identity may do what the admin alone may, and what a member may too.
func (f *fixture) may(identityID string) (asAdmin, asMember bool) {
	f.t.Helper()
	a := f.grants(identityID).Ability
	return a.AllowsSome(access.CreateToken, access.SubjectIdentity), a.AllowsSome(access.Read, access.SubjectIdentity)
}

func (f *fixture) wantMay(identityID string, asAdmin, asMember bool) {
	f.t.Helper()
	if a, m := f.may(identityID); a != asAdmin || m != asMember {
		f.t.Errorf("may act as admin %v, as member %v; want %v, %v", a, m, asAdmin, asMember)
	}
}

func TestBuiltInRoles(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for slug, want := range map[string][2]bool{Admin: {true, true}, "member": {false, true}, NoAccess: {false, false}} {
			t.Run(slug, func(t *testing.T) {
				identityID := f.join(BuiltIn(slug))
				f.wantMay(identityID, want[0], want[1])
				if g := f.grants(identityID); !g.Member || g.InstanceAdmin {
					t.Errorf("member %v, instance admin %v; want a mere member", g.Member, g.InstanceAdmin)
				}
			})
		}
	})
}

func TestWhoIsNoMemberMayNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		member := f.join(BuiltIn(Admin))
		inactive := f.join(BuiltIn(Admin))
		f.exec(`UPDATE memberships SET active = FALSE WHERE identity_id = $1`, inactive)
		f.exec(`INSERT INTO instance_admins (identity_id) VALUES ($1)`, inactive)
		for name, c := range map[string]struct{ identity, org string }{
			"unknown identity": {id.New(), f.org}, "another organisation": {member, id.New()}, "inactive": {inactive, f.org}, "no id": {"", ""},
		} {
			t.Run(name, func(t *testing.T) {
				g, err := f.Of(t.Context(), c.identity, c.org)
				if err != nil || g.Member || g.InstanceAdmin || g.Ability.AllowsSome(access.Read, access.SubjectIdentity) {
					t.Errorf("%+v, %v; want nothing", g, err)
				}
			})
		}
	})
}

func TestInstanceAdmins(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first, second := f.join(BuiltIn(NoAccess)), f.join(BuiltIn(NoAccess))
		err := f.db.Write(t.Context(), func(tx *sqldb.Tx) error { return MakeInstanceAdmin(t.Context(), tx, first) })
		if err != nil {
			t.Fatal(err)
		}
		if !f.grants(first).InstanceAdmin || f.grants(second).InstanceAdmin {
			t.Error("the first alone must be an instance administrator")
		}
		if ids, err := InstanceAdmins(t.Context(), f.db); err != nil || len(ids) != 1 || ids[0] != first {
			t.Errorf("instance administrators %v, %v; want %s", ids, err, first)
		}
	})
}

// TestTemporaryRoles begin and end to the millisecond, without anything telling the cache.
func TestTemporaryRoles(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		identityID := f.join(BuiltIn(NoAccess))
		f.temporary(identityID, "member", 1000, 4000)
		f.temporary(identityID, Admin, 2000, 3000)
		begin := f.ms.Load()
		for _, step := range []struct {
			at                int64
			asAdmin, asMember bool
		}{
			{0, false, false}, {999, false, false}, {1000, false, true}, {1999, false, true}, {2000, true, true}, {2999, true, true},
			{3000, false, true}, {3999, false, true}, {4000, false, false}, {1_000_000, false, false},
		} {
			f.ms.Store(begin + step.at)
			for range 2 { // read, and from memory
				f.wantMay(identityID, step.asAdmin, step.asMember)
			}
			if !f.grants(identityID).Member {
				t.Errorf("at %d ms no member at all", step.at)
			}
		}
	})
}

// TestTemporaryRolesCostNoReadOnceTheyAreOver: what does not change any more is answered from memory again.
func TestTemporaryRolesCostNoReadOnceTheyAreOver(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		identityID := f.join(BuiltIn(NoAccess))
		f.temporary(identityID, Admin, -2000, 1000)
		f.wantMay(identityID, true, true)
		f.ms.Add(1000)
		f.wantMay(identityID, false, false)
		f.exec(`DELETE FROM memberships`) // nobody is told
		f.ms.Add(time.Hour.Milliseconds())
		if !f.grants(identityID).Member {
			t.Error("the grants were read anew, though no temporary role begins or ends any more")
		}
	})
}

// TestTemporaryRolesWithoutATime grant nothing: half a row must not become a permanent one.
func TestTemporaryRolesWithoutATime(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		identityID := f.join(BuiltIn(NoAccess))
		for _, missing := range []string{"access_start", "access_end"} {
			f.temporary(identityID, Admin, -1000, 1000)
			f.exec(`UPDATE membership_roles SET ` + missing + ` = NULL WHERE temporary`)
		}
		f.wantMay(identityID, false, false)
	})
}

// TestUnknownRoles are an error, not a guess.
func TestUnknownRoles(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		identityID := f.join(BuiltIn("member"))
		f.temporary(identityID, "owner", -1000, 1000)
		_, err := f.Of(t.Context(), identityID, f.org)
		if err == nil || fault.From(err).Kind != fault.Internal || !strings.Contains(err.Error(), "owner") {
			t.Errorf("got %v; want an error of ours that names the role", err)
		}
		if _, err := f.Find(t.Context(), f.org, "owner"); !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v; want not found", err)
		}
	})
}

// TestSetRoleTakesEffectAtOnce: what was in memory is read again by the time the change is acknowledged, on every replica.
func TestSetRoleTakesEffectAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		replicas := []*Service{f.Service}
		if f.db.Engine() == sqldb.Postgres {
			other := feed.New(feed.Options{DB: f.db, Logger: slog.New(slog.DiscardHandler)})
			replicas = append(replicas, New(f.db, other, audit.New(f.db, 0)))
			start(t, other)
		}
		identityID, bystander := f.join(BuiltIn(NoAccess)), f.join(BuiltIn("member"))
		f.temporary(identityID, "member", -1000, 1_000_000)
		for n, slug := range []string{Admin, "member", NoAccess, Admin} {
			for _, r := range replicas { // fills the caches
				if _, err := r.Of(t.Context(), identityID, f.org); err != nil {
					t.Fatal(err)
				}
			}
			err := f.feed.Change(t.Context(), func(tx *feed.Tx) error { return SetRoles(t.Context(), tx, identityID, f.org, Permanent(BuiltIn(slug))) })
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range replicas {
				g, err := r.Of(t.Context(), identityID, f.org)
				if err != nil {
					t.Fatal(err)
				}
				if got := g.Ability.AllowsSome(access.CreateToken, access.SubjectIdentity); got != (slug == Admin) {
					t.Errorf("change %d to %s, replica %d: may act as admin %v", n, slug, i, got)
				}
				if got := g.Ability.AllowsSome(access.Read, access.SubjectIdentity); got != (slug != NoAccess) {
					t.Errorf("change %d to %s, replica %d: may act as member %v: the other roles stayed", n, slug, i, got)
				}
			}
		}
		f.wantMay(bystander, false, true)
	})
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

// TestCustomRoleTakesEffectAtOnce for everyone who holds it, and is found by slug and by id.
func TestCustomRoleTakesEffectAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		r, err := f.Create(t.Context(), f.admin(), changes("reader", allow(access.SubjectIdentity, access.Read)))
		if err != nil {
			t.Fatal(err)
		}
		first, second := f.join(r), f.join(r)
		f.wantMay(first, false, true)
		f.wantMay(second, false, true)
		if _, err := f.Update(t.Context(), f.admin(), r.ID, changes("writer", allow(access.SubjectIdentity, access.CreateToken))); err != nil {
			t.Fatal(err)
		}
		f.wantMay(first, true, false)
		f.wantMay(second, true, false)
		for _, name := range []string{"writer", r.ID} {
			if found, err := f.Find(t.Context(), f.org, name); err != nil || found.ID != r.ID {
				t.Errorf("by %s: %+v, %v", name, found, err)
			}
		}
		for _, org := range []string{f.org, id.New()} {
			if _, err := f.Find(t.Context(), org, "reader"); !fault.Is(err, fault.NotFound) {
				t.Errorf("got %v; want not found", err)
			}
		}
	})
}

func TestCustomRoleRefusals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		read := allow(access.SubjectIdentity, access.Read)
		r, err := f.Create(t.Context(), f.admin(), changes("taken", read, deny(access.SubjectIdentity, access.CreateToken)))
		if err != nil {
			t.Fatal(err)
		}
		held := f.join(r)
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
			"refused/update in another organisation":    {update(stranger, r.ID, changes("x", read)), fault.NotFound},
			"refused/delete in another organisation":    {remove(stranger, r.ID), fault.NotFound},
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
				t.Errorf("%s is of organisation %q", r.Slug, r.OrgID)
			}
		}
		if got, want := fmt.Sprint(slugs), "[admin member no-access a b]"; got != want {
			t.Errorf("%s; want %s", got, want)
		}
	})
}
