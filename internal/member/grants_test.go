package member

import (
	"context"
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
	"github.com/sallyport/sallyport/internal/role"
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
			f := &fixture{Service: replica(db, log), t: t, ms: ms, org: id.New()}
			start(t, log)
			f.exec(`INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)`, f.org)
			fn(t, f)
		})
	}
}

// replica makes a service without features above.
func replica(db *sqldb.DB, log *feed.Feed) *Service {
	records := audit.New(db, 0)
	none := func(context.Context, []string) (map[string][]string, error) { return nil, nil }
	return New(Options{DB: db, Feed: log, Audit: records, Roles: role.New(db, log, records), Methods: none, LockedOut: none})
}

// start starts a feed and keeps its lease until the test ends.
func start(t testing.TB, f *feed.Feed) {
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
func (f *fixture) join(r *role.Role) string {
	f.t.Helper()
	identityID := id.New()
	f.exec(`INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, 'i', FALSE, 0, 0)`, identityID, f.org)
	err := f.db.Write(f.t.Context(), func(tx *sqldb.Tx) error {
		_, err := Join(f.t.Context(), tx, Draft{OrgID: f.org, IdentityID: identityID, Roles: Permanent(r)})
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
		for slug, want := range map[string][2]bool{role.Admin: {true, true}, "member": {false, true}, role.NoAccess: {false, false}} {
			t.Run(slug, func(t *testing.T) {
				identityID := f.join(role.BuiltIn(slug))
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
		member := f.join(role.BuiltIn(role.Admin))
		inactive := f.join(role.BuiltIn(role.Admin))
		f.exec(`UPDATE memberships SET active = FALSE WHERE identity_id = $1`, inactive)
		f.exec(`INSERT INTO instance_admins (identity_id) VALUES ($1)`, inactive)
		for name, c := range map[string]struct{ identity, org string }{
			"unknown identity": {id.New(), f.org}, "another organization": {member, id.New()}, "inactive": {inactive, f.org}, "no id": {"", ""},
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
		first, second := f.join(role.BuiltIn(role.NoAccess)), f.join(role.BuiltIn(role.NoAccess))
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
		identityID := f.join(role.BuiltIn(role.NoAccess))
		f.temporary(identityID, "member", 1000, 4000)
		f.temporary(identityID, role.Admin, 2000, 3000)
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
		identityID := f.join(role.BuiltIn(role.NoAccess))
		f.temporary(identityID, role.Admin, -2000, 1000)
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
		identityID := f.join(role.BuiltIn(role.NoAccess))
		for _, missing := range []string{"access_start", "access_end"} {
			f.temporary(identityID, role.Admin, -1000, 1000)
			f.exec(`UPDATE membership_roles SET ` + missing + ` = NULL WHERE temporary`)
		}
		f.wantMay(identityID, false, false)
	})
}

// TestUnknownRoles are an error, not a guess.
func TestUnknownRoles(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		identityID := f.join(role.BuiltIn("member"))
		f.temporary(identityID, "owner", -1000, 1000)
		_, err := f.Of(t.Context(), identityID, f.org)
		if err == nil || fault.From(err).Kind != fault.Internal || !strings.Contains(err.Error(), "owner") {
			t.Errorf("got %v; want an error of ours that names the role", err)
		}
		if _, err := f.roles.Find(t.Context(), f.org, "owner"); !fault.Is(err, fault.NotFound) {
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
			replicas = append(replicas, replica(f.db, other))
			start(t, other)
		}
		identityID, bystander := f.join(role.BuiltIn(role.NoAccess)), f.join(role.BuiltIn("member"))
		f.temporary(identityID, "member", -1000, 1_000_000)
		for n, slug := range []string{role.Admin, "member", role.NoAccess, role.Admin} {
			for _, r := range replicas { // fills the caches
				if _, err := r.Of(t.Context(), identityID, f.org); err != nil {
					t.Fatal(err)
				}
			}
			err := f.feed.Change(t.Context(), func(tx *feed.Tx) error {
				return SetRoles(t.Context(), tx, f.org, "", identityID, Permanent(role.BuiltIn(slug)))
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range replicas {
				g, err := r.Of(t.Context(), identityID, f.org)
				if err != nil {
					t.Fatal(err)
				}
				if got := g.Ability.AllowsSome(access.CreateToken, access.SubjectIdentity); got != (slug == role.Admin) {
					t.Errorf("change %d to %s, replica %d: may act as admin %v", n, slug, i, got)
				}
				if got := g.Ability.AllowsSome(access.Read, access.SubjectIdentity); got != (slug != role.NoAccess) {
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
	rules, _ := access.OrgRole(role.Admin)
	return f.actor(rules...)
}

func allow(subject access.Subject, actions ...access.Action) access.Rule {
	return access.Rule{Subject: subject, Actions: actions}
}

func changes(slug string, rules ...access.Rule) role.Changes {
	return role.Changes{Slug: &slug, Name: &slug, Rules: &rules}
}

// TestCustomRoleTakesEffectAtOnce for everyone who holds it, and is found by slug and by id.
func TestCustomRoleTakesEffectAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		r, err := f.roles.Create(t.Context(), f.admin(), changes("reader", allow(access.SubjectIdentity, access.Read)))
		if err != nil {
			t.Fatal(err)
		}
		first, second := f.join(r), f.join(r)
		f.wantMay(first, false, true)
		f.wantMay(second, false, true)
		if _, err := f.roles.Update(t.Context(), f.admin(), r.ID, changes("writer", allow(access.SubjectIdentity, access.CreateToken))); err != nil {
			t.Fatal(err)
		}
		f.wantMay(first, true, false)
		f.wantMay(second, true, false)
		for _, name := range []string{"writer", r.ID} {
			if found, err := f.roles.Find(t.Context(), f.org, name); err != nil || found.ID != r.ID {
				t.Errorf("by %s: %+v, %v", name, found, err)
			}
		}
		for _, org := range []string{f.org, id.New()} {
			if _, err := f.roles.Find(t.Context(), org, "reader"); !fault.Is(err, fault.NotFound) {
				t.Errorf("got %v; want not found", err)
			}
		}
	})
}
