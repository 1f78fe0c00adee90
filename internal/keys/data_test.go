package keys_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/keys"
	"github.com/sallyport/sallyport/internal/secret"
)

// TestRotationWhileOthersReadAndWrite: nobody fails, and every version of every secret reads as it was written, on every
// replica, while the keys of the project and the organization are rotated again and again.
func TestRotationWhileOthersReadAndWrite(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newSite(t, db, 1)
		replicas := []replica{s.replica}
		if db.Engine() == sqldb.Postgres {
			replicas = append(replicas, newReplica(t, db, false, 1))
		}
		var over atomic.Bool
		var group sync.WaitGroup
		written := make([]int64, 4) // versions, by writer
		for n := range written {
			group.Go(func() {
				name := fmt.Sprint("S", n)
				for v := int64(1); !over.Load() || v <= 3; v++ {
					on, other := replicas[int(v)%len(replicas)], replicas[int(v+1)%len(replicas)]
					text := fmt.Sprint(name, " version ", v)
					err := s.write(on, v == 1, name, text)
					if err == nil {
						err = s.read(other, name, 0, text)
					}
					if err == nil {
						err = s.read(on, name, 1, name+" version 1")
					}
					if err != nil {
						t.Errorf("%s, version %d: %v", name, v, err)
						return
					}
					written[n] = v
				}
			})
		}
		first := count(t, db, `SELECT count(*) FROM project_keys`)
		for range 3 {
			s.finish(s.rotateProject)
			s.finish(s.rotateOrganization)
		}
		over.Store(true)
		group.Wait()
		state := s.finish(s.rotateProject)
		for n, last := range written {
			for v := int64(1); v <= last; v++ {
				name := fmt.Sprint("S", n)
				for _, on := range replicas {
					if err := s.read(on, name, v, fmt.Sprint(name, " version ", v)); err != nil {
						t.Error(err)
					}
				}
			}
		}
		if n := count(t, db, `SELECT (SELECT count(*) FROM secrets WHERE project_key_id <> $1) +
			(SELECT count(*) FROM secret_versions WHERE project_key_id <> $1)`, state.Active); n != 0 {
			t.Errorf("%d versions are not sealed with the active key", n)
		}
		if n := count(t, db, `SELECT count(*) FROM project_keys`); n != first {
			t.Errorf("%d keys of projects are left; want %d", n, first)
		}
	})
}

// TestRotationChangesNothingToSee: not a version, not a time; also with every step done by a server that has just come up.
func TestRotationChangesNothingToSee(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newSite(t, db, 1)
		for n := range 250 { // more than two steps
			if err := s.write(s.replica, true, fmt.Sprint("S", n), fmt.Sprint("value ", n)); err != nil {
				t.Fatal(err)
			}
		}
		before := s.list()
		state, err := s.RotateProject(t.Context(), s.admin, s.project, false)
		if err != nil || state.Remaining != 200 || len(state.Retiring) != 1 {
			t.Fatalf("after one step: %+v, %v; want 200 of 250 versions and one key", state, err)
		}
		old := state.Retiring[0]
		if diff := cmp.Diff(before, s.list(), cmpopts.IgnoreUnexported(secret.Secret{})); diff != "" {
			t.Errorf("in the middle of the rotation (-before +now):\n%s", diff)
		}
		s.finish(func(on *keys.Service, _ bool) (keys.State, error) { return s.rotateProject(on, true) })
		s.finish(s.rotateOrganization)
		if diff := cmp.Diff(before, s.list(), cmpopts.IgnoreUnexported(secret.Secret{})); diff != "" {
			t.Errorf("after the rotation (-before +now):\n%s", diff)
		}
		if n := count(t, db, `SELECT count(*) FROM project_keys WHERE id = $1`, old); n != 0 {
			t.Error("the old key is still there")
		}
	})
}

func (s *site) list() []*secret.Secret {
	s.t.Helper()
	l, err := s.secrets.List(s.t.Context(), s.admin, s.place(), secret.Query{View: secret.View{Values: true}})
	if err != nil {
		s.t.Fatal(err)
	}
	return l.Secrets
}

// TestLateWriter: a replica that has slept through a whole rotation writes and reads with what it has in memory.
func TestLateWriter(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newSite(t, db, 1)
		deaf := newReplica(t, db, true, 1)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.write(deaf, true, "A", "one")) // it has the key in memory now
		if _, err := s.RotateProject(t.Context(), s.admin, s.project, false); err != nil {
			t.Fatal(err)
		}
		must(s.write(deaf, false, "A", "two")) // with the old key, while that is there
		must(s.read(s.replica, "A", 0, "two"))
		s.finish(func(on *keys.Service, _ bool) (keys.State, error) { return s.rotateProject(on, true) })
		must(s.read(deaf, "A", 0, "two"))
		must(s.write(deaf, false, "A", "three")) // the old key is gone
		must(s.write(deaf, true, "B", "one"))
		must(s.read(s.replica, "A", 0, "three"))
		must(s.read(s.replica, "A", 1, "one"))
		must(s.read(s.replica, "B", 0, "one"))
	})
}

// TestDeletedProjectIsNotInTheWay: what is left of it has no key to be sealed again.
func TestDeletedProjectIsNotInTheWay(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newSite(t, db, 1)
		if err := s.write(s.replica, true, "A", "one"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RotateProject(t.Context(), s.admin, s.project, false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.kept.Delete(t.Context(), s.admin, s.project); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, `SELECT count(*) FROM project_keys WHERE length(sealed) > 0`); n != 0 {
			t.Errorf("%d keys of the deleted project are still there", n)
		}
		s.finish(s.rotateOrganization)
		if _, err := s.kept.Clean(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RotateProject(t.Context(), s.admin, s.project, false); !fault.Is(err, fault.NotFound) {
			t.Errorf("rotating its key: %v; want NotFound", err)
		}
	})
}

func TestWhoMayRotate(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	s := newSite(t, db, 1)
	nobody := &access.Actor{Type: access.ActorIdentity, ID: id.New(), OrgID: s.admin.OrgID}
	nobody.Ability, _ = access.Compile(nil)
	stranger := *s.admin
	stranger.OrgID, stranger.InstanceAdmin = id.New(), false
	for name, c := range map[string]struct {
		do   func(context.Context) error
		kind fault.Kind
	}{
		"refused/root, no administrator of the instance": {func(ctx context.Context) error { _, err := s.RotateRoot(ctx, &stranger, false); return err }, fault.Forbidden},
		"refused/state of root":                          {func(ctx context.Context) error { _, err := s.RootState(ctx, nobody); return err }, fault.Forbidden},
		"refused/organization, no rights":                {func(ctx context.Context) error { _, err := s.RotateOrganization(ctx, nobody, false); return err }, fault.PermissionDenied},
		"refused/state of organization":                  {func(ctx context.Context) error { _, err := s.OrganizationState(ctx, nobody); return err }, fault.PermissionDenied},
		"refused/states of projects":                     {func(ctx context.Context) error { _, err := s.ProjectStates(ctx, nobody, "", 9); return err }, fault.PermissionDenied},
		"refused/project, no rights":                     {func(ctx context.Context) error { _, err := s.RotateProject(ctx, nobody, s.project, false); return err }, fault.PermissionDenied},
		"refused/project of another organization": {func(ctx context.Context) error {
			_, err := s.RotateProject(ctx, &stranger, s.project, false)
			return err
		}, fault.NotFound},
		"refused/root, no new key": {func(ctx context.Context) error { _, err := s.RotateRoot(ctx, s.admin, false); return err }, fault.BadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.do(t.Context()); !fault.Is(err, c.kind) {
				t.Errorf("%v; want kind %v", err, c.kind)
			}
		})
	}
}
