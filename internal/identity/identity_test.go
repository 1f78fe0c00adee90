package identity

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

func TestCreateAndRead(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		c := changes("robot \u00e9'%", "member")
		c.DeleteProtection = ptr(true)
		c.Metadata = &[]Metadata{{Key: "team", Value: "a"}, {Key: "team", Value: "b"}, {Key: "", Value: ""}}
		d, err := f.Create(t.Context(), f.admin(), f.org, c)
		if err != nil {
			t.Fatal(err)
		}
		now := f.ms.Load()
		expected := Detail{Identity: Identity{ID: d.ID, OrgID: f.org, Name: "robot \u00e9'%", DeleteProtection: true, CreatedAt: now, UpdatedAt: now},
			Methods: []string{}, Metadata: d.Metadata}
		if diff := cmp.Diff(expected, *d); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(*c.Metadata, d.Metadata, cmpopts.IgnoreFields(Metadata{}, "ID")); diff != "" {
			t.Error(diff)
		}
		m, _, err := f.members.Read(t.Context(), f.admin(), member.InOrganization, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if Identity(m.Identity) != d.Identity || m.Role != "member" || m.OrgID != f.org {
			t.Errorf("read %+v; want %+v as a member", m, d)
		}
		read, err := f.Read(t.Context(), f.admin(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d.Metadata, read.Metadata); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"create-identity"}, f.events()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestUpdateSetsWhatIsNamed and leaves the rest, one field at a time.
func TestUpdateSetsWhatIsNamed(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		d := f.create("old", "member")
		expected := Detail{Identity: d.Identity, Methods: []string{"token-auth"}}
		slug := "member"
		for name, c := range map[string]struct {
			change Changes
			then   func()
		}{
			"nothing":            {Changes{}, func() {}},
			"the name":           {Changes{Name: ptr("new")}, func() { expected.Name = "new" }},
			"an empty name":      {Changes{Name: ptr("")}, func() { expected.Name = "" }},
			"protection on":      {Changes{DeleteProtection: ptr(true)}, func() { expected.DeleteProtection = true }},
			"protection off":     {Changes{DeleteProtection: ptr(false)}, func() { expected.DeleteProtection = false }},
			"the role":           {Changes{Role: ptr("no-access")}, func() { slug = "no-access" }},
			"metadata":           {Changes{Metadata: &[]Metadata{{Key: "k", Value: "v"}}}, func() { expected.Metadata = []Metadata{{Key: "k", Value: "v"}} }},
			"other metadata":     {Changes{Metadata: &[]Metadata{{Key: "x", Value: "y"}, {Key: "z", Value: ""}}}, func() { expected.Metadata = []Metadata{{Key: "x", Value: "y"}, {Key: "z", Value: ""}} }},
			"no metadata":        {Changes{Metadata: &[]Metadata{}}, func() { expected.Metadata = nil }},
			"the name once more": {Changes{Name: ptr("newer")}, func() { expected.Name = "newer" }},
		} {
			t.Run(name, func(t *testing.T) {
				f.ms.Add(1000)
				got, err := f.Update(t.Context(), f.admin(), d.ID, c.change)
				if err != nil {
					t.Fatal(err)
				}
				c.then()
				expected.UpdatedAt = f.ms.Load()
				if diff := cmp.Diff(expected, *got, cmpopts.IgnoreFields(Metadata{}, "ID"), cmpopts.EquateEmpty()); diff != "" {
					t.Error(diff)
				}
				if found, err := f.Find(t.Context(), f.admin(), d.ID); err != nil || *found != got.Identity {
					t.Errorf("found %+v, %v; want what the update answered", found, err)
				}
				if got := f.roleOf(d.ID); got != slug {
					t.Errorf("the role is %s; want %s", got, slug)
				}
			})
		}
	})
}

func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		d, other := f.create("robot", "member"), f.create("other", "member")
		if _, err := f.Update(t.Context(), f.admin(), d.ID, Changes{DeleteProtection: ptr(true), Metadata: &[]Metadata{{Key: "k", Value: "v"}}}); err != nil {
			t.Fatal(err)
		}
		_, err := f.Delete(t.Context(), f.admin(), d.ID)
		want(t, err, fault.BadRequest)
		if _, err := f.Update(t.Context(), f.admin(), d.ID, Changes{DeleteProtection: ptr(false)}); err != nil {
			t.Fatal(err)
		}
		before := f.feed.Applied()
		deleted, err := f.Delete(t.Context(), f.admin(), d.ID)
		if err != nil || deleted.ID != d.ID || len(deleted.Methods) != 1 {
			t.Fatalf("%+v, %v", deleted, err)
		}
		_, err = f.Find(t.Context(), f.admin(), d.ID)
		want(t, err, fault.NotFound)
		_, err = f.Delete(t.Context(), f.admin(), d.ID)
		want(t, err, fault.NotFound)
		if g, err := f.members.Of(t.Context(), d.ID, f.org); err != nil || g.Member {
			t.Errorf("its grants are %+v, %v", g, err)
		}
		var entry struct {
			Kind  string `db:"kind"`
			Key   string `db:"key"`
			Until int64  `db:"until"`
		}
		if err := f.db.Get(t.Context(), &entry, `SELECT kind, key, until FROM change_log WHERE seq > $1 AND until > 0`, before); err != nil {
			t.Fatal(err)
		}
		if entry.Kind != string(feed.CutIdentity) || entry.Key != d.ID || entry.Until != f.ms.Load()+lifeOfTokens.Milliseconds() {
			t.Errorf("the cut-off is %+v", entry)
		}
		for table, left := range map[string]int{"identity_metadata": 0, "memberships": 1, "membership_roles": 1} { // of the other identity
			var n int
			if err := f.db.Get(t.Context(), &n, `SELECT count(*) FROM `+table); err != nil || n != left {
				t.Errorf("%d rows are left in %s, %v; want %d", n, table, err, left)
			}
		}
		if got := f.roleOf(other.ID); got != "member" {
			t.Errorf("the other identity is now %s", got)
		}
	})
}

// TestRefusals: every call of an actor without the right, or from elsewhere, changes nothing.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		elsewhere := id.New()
		f.addOrg(elsewhere)
		d := f.create("robot", "member")
		nobody, stranger, someone := f.actor(f.org, role.NoAccess), f.actor(elsewhere, role.Admin), f.actor(f.org, "member")
		calls := map[string]func(a *access.Actor, identityID string) error{
			"update": func(a *access.Actor, i string) error {
				_, err := f.Update(t.Context(), a, i, Changes{Name: ptr("x")})
				return err
			},
			"role": func(a *access.Actor, i string) error {
				_, err := f.Update(t.Context(), a, i, Changes{Role: ptr("no-access")})
				return err
			},
			"delete": func(a *access.Actor, i string) error { _, err := f.Delete(t.Context(), a, i); return err },
			"read":   func(a *access.Actor, i string) error { _, err := f.Read(t.Context(), a, i); return err },
			"read the membership": func(a *access.Actor, i string) error {
				_, _, err := f.members.Read(t.Context(), a, member.InOrganization, i)
				return err
			},
		}
		for name, call := range calls {
			t.Run(name, func(t *testing.T) {
				want(t, call(nobody, d.ID), fault.PermissionDenied)
				want(t, call(nil, d.ID), fault.PermissionDenied)
				unknown, foreign := call(stranger, id.New()), call(stranger, d.ID)
				want(t, unknown, fault.NotFound)
				want(t, foreign, fault.NotFound)
				want(t, call(f.admin(), "no-id"), fault.NotFound)
				if blur := strings.ReplaceAll(foreign.Error(), d.ID, "X"); strings.Count(blur, "X") != 1 || len(blur) != len(unknown.Error())-35 {
					t.Errorf("%q can be told from %q", foreign, unknown)
				}
			})
		}
		_, err := f.Create(t.Context(), nobody, f.org, changes("x", role.NoAccess))
		want(t, err, fault.PermissionDenied)
		_, err = f.Create(t.Context(), someone, elsewhere, changes("x", role.NoAccess))
		want(t, err, fault.Forbidden)
		_, err = f.Create(t.Context(), someone, f.org, changes("x", "owner"))
		want(t, err, fault.NotFound)
		_, err = f.Update(t.Context(), f.admin(), d.ID, Changes{Role: ptr("owner")})
		want(t, err, fault.NotFound)
		if diff := cmp.Diff([]string{"create-identity"}, f.events()); diff != "" {
			t.Errorf("refused calls left events:\n%s", diff)
		}
		if found, err := f.Find(t.Context(), f.admin(), d.ID); err != nil || *found != d.Identity || f.roleOf(d.ID) != "member" {
			t.Errorf("refused calls changed it to %+v, %v", found, err)
		}
	})
}

// TestBoundary: a member raises neither itself nor others to what it is not, nor takes over who is more.
func TestBoundary(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		self, boss, peer := f.create("self", "member"), f.create("boss", role.Admin), f.create("peer", "member")
		member := f.actor(f.org, "member")
		member.ID = self.ID
		try := func(name string, err error, kind fault.Kind) {
			t.Helper()
			if !fault.Is(err, kind) {
				t.Errorf("%s: %v; want a fault of kind %d", name, err, kind)
			}
		}
		_, err := f.Create(t.Context(), member, f.org, changes("x", role.Admin))
		try("create an administrator", err, fault.Boundary)
		_, err = f.Update(t.Context(), member, self.ID, Changes{Role: ptr(role.Admin)})
		try("raise itself", err, fault.Boundary)
		_, err = f.Update(t.Context(), member, peer.ID, Changes{Name: ptr("renamed"), Role: ptr(role.Admin)})
		try("raise a peer", err, fault.Boundary)
		_, err = f.Update(t.Context(), member, boss.ID, Changes{Role: ptr("member")})
		try("lower an administrator", err, fault.Boundary)
		_, err = f.Delete(t.Context(), member, boss.ID)
		try("delete an administrator", err, fault.Boundary)
		_, err = f.Authorize(t.Context(), member, boss.ID, "x")
		try("touch an administrator", err, fault.Boundary)
		for identityID, slug := range map[string]string{self.ID: "member", boss.ID: role.Admin, peer.ID: "member"} {
			if got := f.roleOf(identityID); got != slug {
				t.Errorf("somebody is now %s instead of %s", got, slug)
			}
		}
		if found, _ := f.Find(t.Context(), member, peer.ID); found.Name != "peer" {
			t.Error("half of a refused update was done")
		}
		for name, do := range map[string]func() error{
			"create a member": func() error { _, err := f.Create(t.Context(), member, f.org, changes("x", "member")); return err },
			"lower a peer": func() error {
				_, err := f.Update(t.Context(), member, peer.ID, Changes{Role: ptr(role.NoAccess)})
				return err
			},
		} {
			if err := do(); err != nil {
				t.Errorf("a member may %s: %v", name, err)
			}
		}
		if _, err := f.Delete(t.Context(), member, peer.ID); err != nil {
			t.Errorf("a member may delete a peer: %v", err)
		}
	})
}

// TestInstanceAdministratorsAreGuarded from everyone who is none, whatever the role.
func TestInstanceAdministratorsAreGuarded(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		boss := f.create("boss", role.NoAccess)
		err := f.db.Write(t.Context(), func(tx *sqldb.Tx) error { return member.MakeInstanceAdmin(t.Context(), tx, boss.ID) })
		if err != nil {
			t.Fatal(err)
		}
		admin, peer := f.admin(), f.admin()
		peer.InstanceAdmin = true
		_, err = f.Update(t.Context(), admin, boss.ID, Changes{Name: ptr("x")})
		want(t, err, fault.Forbidden)
		_, err = f.Update(t.Context(), admin, boss.ID, Changes{Role: ptr(role.NoAccess)})
		want(t, err, fault.Forbidden)
		_, err = f.Delete(t.Context(), admin, boss.ID)
		want(t, err, fault.Forbidden)
		_, err = f.Authorize(t.Context(), admin, boss.ID, "x")
		want(t, err, fault.Forbidden)
		if _, err := f.Update(t.Context(), peer, boss.ID, Changes{Name: ptr("x")}); err != nil {
			t.Error(err)
		}
		if _, err := f.Delete(t.Context(), peer, boss.ID); err != nil {
			t.Error(err)
		}
	})
}

// TestUpdatesBesideDeletes race on one identity: each call ends in words for its caller, and nothing comes back to life.
func TestUpdatesBesideDeletes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for range 10 {
			d := f.create("robot", "member")
			admin := f.admin()
			var group sync.WaitGroup
			check := func(err error) {
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Errorf("got %v", err)
				}
			}
			for range 2 {
				group.Go(func() {
					_, err := f.Update(t.Context(), admin, d.ID, Changes{Role: ptr(role.Admin), Metadata: &[]Metadata{{Key: "k", Value: "v"}}})
					check(err)
				})
				group.Go(func() {
					_, err := f.Delete(t.Context(), admin, d.ID)
					check(err)
				})
			}
			group.Wait()
			_, err := f.Find(t.Context(), admin, d.ID)
			want(t, err, fault.NotFound)
		}
	})
}

// TestUpdatesLoseNothing: updates of different fields at the same time all stay.
func TestUpdatesLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for n := range 5 {
			d := f.create("robot", "member")
			admin, name := f.admin(), strings.Repeat("n", n+1)
			var group sync.WaitGroup
			for _, c := range []Changes{{Name: &name}, {DeleteProtection: ptr(true)}, {Role: ptr(role.NoAccess)}, {Metadata: &[]Metadata{{Key: "k", Value: "v"}}}} {
				group.Go(func() {
					if _, err := f.Update(t.Context(), admin, d.ID, c); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			m, _, err := f.members.Read(t.Context(), admin, member.InOrganization, d.ID)
			if err != nil || m.Identity.Name != name || !m.Identity.DeleteProtection || m.Role != role.NoAccess || len(m.Metadata) != 1 {
				t.Errorf("%+v, %v", m, err)
			}
		}
	})
}

// TestOtherReplicasSeeChanges by the time that they are acknowledged. (A SQLite database has one process alone.)
func TestOtherReplicasSeeChanges(t *testing.T) {
	f := newFixture(t, sqldb.Postgres)
	other, d := replica(t, f.db), f.create("robot", "member")
	for n := range 5 {
		if _, err := other.Find(t.Context(), f.admin(), d.ID); err != nil {
			t.Fatal(err)
		}
		name := strings.Repeat("n", n)
		if _, err := f.Update(t.Context(), f.admin(), d.ID, Changes{Name: &name}); err != nil {
			t.Fatal(err)
		}
		if found, err := other.Find(t.Context(), f.admin(), d.ID); err != nil || found.Name != name {
			t.Errorf("the other replica has %+v, %v; want the name %q", found, err, name)
		}
	}
	if _, err := f.Delete(t.Context(), f.admin(), d.ID); err != nil {
		t.Fatal(err)
	}
	_, err := other.Find(t.Context(), f.admin(), d.ID)
	want(t, err, fault.NotFound)
}
