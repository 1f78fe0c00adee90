package user

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/token"
)

// root administers the instance.
func root(orgID string) *access.Actor {
	return &access.Actor{Type: access.ActorIdentity, ID: id.New(), OrgID: orgID, InstanceAdmin: true}
}

// identity makes one that administers the instance.
func (f *fixture) identity() string {
	f.t.Helper()
	identityID := id.New()
	f.exec(`INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, 'robot', FALSE, 0, 0)`, identityID, f.org)
	f.exec(`INSERT INTO instance_admins (identity_id) VALUES ($1)`, identityID)
	return identityID
}

func TestAdministrationIsForAdministrators(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin := f.in(f.user("admin")) // of the organization alone
		_, _, err := f.Identities(t.Context(), admin, Search{Limit: 1})
		want(t, err, fault.Forbidden)
		_, _, err = f.Users(t.Context(), admin, Search{Limit: 1})
		want(t, err, fault.Forbidden)
		_, err = f.DropIdentity(t.Context(), admin, f.identity())
		want(t, err, fault.Forbidden)
		_, err = f.SetAdmin(t.Context(), admin, admin.ID, true)
		want(t, err, fault.Forbidden)
		_, err = f.Delete(t.Context(), admin, admin.ID)
		want(t, err, fault.Forbidden)
	})
}

func TestAdministratorsChangeOnEveryReplica(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		userID, replicas := f.user("member"), f.replicas()
		made := f.session(userID)
		for _, admin := range []bool{true, true, false, false} {
			u := must[User](t)(f.SetAdmin(t.Context(), root(f.org), userID, admin))
			for _, s := range replicas {
				if g, err := s.memberships.Of(t.Context(), userID, f.org); err != nil || g.InstanceAdmin != admin {
					t.Errorf("administers: %v, %v; want %v", g, err, admin)
				}
				if found := must[*User](t)(s.ByID(t.Context(), userID)); found.SuperAdmin != admin || u.SuperAdmin != admin {
					t.Errorf("the user reads %+v and %+v", u, found)
				}
			}
		}
		must[User](t)(f.Delete(t.Context(), root(f.org), userID))
		for _, s := range replicas {
			_, err := s.ByID(t.Context(), userID)
			want(t, err, fault.NotFound)
			_, err = f.claims(s, made.Access)
			wantDead(t, err, "revoked")
			_, err = s.Refresh(t.Context(), made.Refresh, home)
			wantDead(t, err, "revoked")
			if g, err := s.memberships.Of(t.Context(), userID, f.org); err != nil || g.Member {
				t.Errorf("a deleted user is a member: %v, %v", g, err)
			}
		}
		_, err := f.SetAdmin(t.Context(), root(f.org), userID, true)
		want(t, err, fault.NotFound)
		_, err = f.Delete(t.Context(), root(f.org), userID)
		want(t, err, fault.NotFound)
	})
}

// TestSomebodyStaysWhoAdministers when the only two who do are removed at the same moment, each on another replica.
func TestSomebodyStaysWhoAdministers(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		replicas := f.replicas()
		for round := range 6 {
			f.exec(`UPDATE users SET super_admin = FALSE`)
			pair := []string{f.user("member"), f.user("member")}
			for _, userID := range pair {
				f.exec(`UPDATE users SET super_admin = TRUE WHERE id = $1`, userID)
			}
			var removed, refused atomic.Int64
			var group sync.WaitGroup
			for n, userID := range pair {
				group.Go(func() {
					s := replicas[n%len(replicas)]
					var err error
					if round%2 == 0 {
						_, err = s.Delete(t.Context(), root(f.org), userID)
					} else {
						_, err = s.SetAdmin(t.Context(), root(f.org), userID, false)
					}
					switch {
					case err == nil:
						removed.Add(1)
					case fault.Is(err, fault.BadRequest):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			group.Wait()
			if removed.Load() != 1 || refused.Load() != 1 {
				t.Fatalf("round %d: %d were removed, %d refused; want one each", round, removed.Load(), refused.Load())
			}
		}
	})
}

// TestChangesOfAdministratorsLineUp: the second of two transactions that each remove an administrator waits for the
// first, and sees what it did. SQLite has one writer anyway.
func TestChangesOfAdministratorsLineUp(t *testing.T) {
	f := newFixture(t, sqldb.Postgres)
	other := f.user("member")
	f.exec(`UPDATE users SET super_admin = TRUE WHERE id = $1`, other)
	drop := func(tx *sqldb.Tx, userID string) error {
		if err := org.LockInstance(t.Context(), tx); err != nil {
			return err
		}
		if _, err := setAdmin(t.Context(), tx, userID, false); err != nil {
			return err
		}
		return keepsAUser(t.Context(), tx)
	}
	second := make(chan error, 1)
	first := f.db.Write(t.Context(), func(tx *sqldb.Tx) error {
		if err := drop(tx, f.ada); err != nil {
			return err
		}
		go func() { second <- f.db.Write(t.Context(), func(tx *sqldb.Tx) error { return drop(tx, other) }) }()
		return f.somebodyWaits(second)
	})
	if first != nil {
		t.Fatal(first)
	}
	want(t, <-second, fault.BadRequest)
}

// somebodyWaits returns nil once a transaction waits for another one's lock, and an error if other ends before.
func (f *fixture) somebodyWaits(other <-chan error) error {
	for {
		select {
		case err := <-other:
			return fmt.Errorf("the other transaction did not wait: %w", err)
		default:
		}
		var waiting int
		err := f.db.Get(f.t.Context(), &waiting, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		if err != nil || waiting > 0 {
			return err
		}
	}
}

func TestTheLastAdministratorIsAnIdentity(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first, second := f.identity(), f.identity()
		f.exec(`UPDATE users SET super_admin = FALSE`)
		must[AdminIdentity](t)(f.DropIdentity(t.Context(), root(f.org), first))
		_, err := f.DropIdentity(t.Context(), root(f.org), second)
		want(t, err, fault.BadRequest)
		_, err = f.DropIdentity(t.Context(), root(f.org), first)
		want(t, err, fault.BadRequest)
		_, err = f.DropIdentity(t.Context(), root(f.org), id.New())
		want(t, err, fault.NotFound)
		found, total, err := f.Identities(t.Context(), root(f.org), Search{Limit: 10})
		if err != nil || total != 2 || len(found) != 2 {
			t.Fatal(found, total, err)
		}
		for _, i := range found {
			if i.InstanceAdmin != (i.ID == second) {
				t.Errorf("%+v", i)
			}
		}
	})
}

// TestLoginsRacingADeletion leave no session behind.
func TestLoginsRacingADeletion(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		userID := f.user("member")
		var made sync.Map
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				x, err := f.begin(t.Context(), &account{User: User{ID: userID, Email: email}, OrgID: &f.org}, f.tokens.Birth(), home)
				switch {
				case err == nil:
					made.Store(x.Access, x.Refresh)
				case !fault.Is(err, fault.BadRequest) && !fault.Is(err, fault.DeadToken):
					t.Error(err)
				}
			})
		}
		group.Go(func() { must[User](t)(f.Delete(t.Context(), root(f.org), userID)) })
		group.Wait()
		made.Range(func(jwt, _ any) bool {
			if c, err := f.claims(f.Service, jwt.(string)); err == nil {
				t.Errorf("session %s outlived its user", c.ID)
			}
			return true
		})
		var left int64
		if err := f.db.Get(t.Context(), &left, `SELECT count(*) FROM user_sessions`); err != nil || left != 0 {
			t.Errorf("%d sessions are left, %v", left, err)
		}
		must[*token.Claims](t)(f.claims(f.Service, f.session(f.ada).Access))
	})
}
