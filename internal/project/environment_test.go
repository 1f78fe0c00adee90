package project

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// order returns the environments in sight as "slug position", in their order.
func (f *fixture) order(p *Project) (places []string) {
	f.t.Helper()
	found, err := f.Find(f.t.Context(), p.OrgID, p.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range found.Environments {
		places = append(places, fmt.Sprint(e.Slug, " ", e.Position))
	}
	return places
}

// add makes an environment.
func (f *fixture) add(p *Project, actor *access.Actor, slug string, position int64) *Environment {
	f.t.Helper()
	e, err := f.AddEnvironment(f.t.Context(), actor, p.ID, "An environment", slug, position)
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

func TestEnvironmentsKeepTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		check := func(step string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, f.order(p)); diff != "" {
				t.Errorf("%s: %s", step, diff)
			}
		}
		last := f.add(p, admin, "Last", 0)
		check("at the end", "dev 1", "staging 2", "prod 3", "last 4")
		f.add(p, admin, "first", 1)
		check("at a used place", "first 1", "dev 2", "staging 3", "prod 4", "last 5")
		f.add(p, admin, "far", 10)
		check("at a free place", "first 1", "dev 2", "staging 3", "prod 4", "last 5", "far 10")
		move := func(to int64) {
			t.Helper()
			if _, err := f.UpdateEnvironment(t.Context(), admin, p.ID, last.ID, EnvironmentChanges{Position: &to}); err != nil {
				t.Fatal(err)
			}
		}
		move(2)
		check("forward", "first 1", "last 2", "dev 3", "staging 4", "prod 5", "far 10")
		move(4)
		check("back", "first 1", "dev 2", "staging 3", "last 4", "prod 5", "far 10")
		move(4)
		check("nowhere", "first 1", "dev 2", "staging 3", "last 4", "prod 5", "far 10")
	})
}

func TestAddEnvironmentRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		for name, c := range map[string]struct {
			slug string
			kind fault.Kind
		}{
			"refused/taken":         {" DEV ", fault.BadRequest},
			"refused/empty":         {"", fault.Validation},
			"refused/underscore":    {"a_b", fault.Validation},
			"refused/space":         {"a b", fault.Validation},
			"refused/dot":           {"a.b", fault.Validation},
			"refused/65 characters": {strings.Repeat("a", 65), fault.Validation},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := f.AddEnvironment(t.Context(), admin, p.ID, "x", c.slug, 0)
				want(t, err, c.kind)
			})
		}
		_, err := f.AddEnvironment(t.Context(), f.member(p, "viewer"), p.ID, "x", "x", 0)
		want(t, err, fault.PermissionDenied)
		for i := range MaxEnvironments - 3 {
			f.exec(`INSERT INTO environments (id, project_id, name, slug, position, created_at, updated_at) VALUES ($1, $2, 'x', $3, 9, 0, 0)`,
				id.New(), p.ID, fmt.Sprint("e", i))
		}
		_, err = f.AddEnvironment(t.Context(), admin, p.ID, "x", "one-more", 0)
		want(t, err, fault.BadRequest)
	})
}

func TestUpdateEnvironment(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		dev := p.Environments[0]
		got, err := f.UpdateEnvironment(t.Context(), admin, p.ID, dev.ID, EnvironmentChanges{Name: ptr("Play"), Slug: ptr("Play-1")})
		if err != nil || got.Name != "Play" || got.Slug != "play-1" || got.Position != 1 {
			t.Errorf("changed to %+v, %v", got, err)
		}
		if read, err := f.ReadEnvironmentSlug(t.Context(), admin, p.ID, "play-1"); err != nil || *read != *got {
			t.Errorf("read %+v, %v", read, err)
		}
		_, err = f.UpdateEnvironment(t.Context(), admin, p.ID, dev.ID, EnvironmentChanges{Slug: ptr("prod")})
		want(t, err, fault.BadRequest)
		_, err = f.UpdateEnvironment(t.Context(), admin, p.ID, id.New(), EnvironmentChanges{})
		want(t, err, fault.NotFound)
		other, owner := f.project()
		_, err = f.UpdateEnvironment(t.Context(), owner, other.ID, dev.ID, EnvironmentChanges{})
		want(t, err, fault.NotFound)
		_, err = f.ReadAnyEnvironment(t.Context(), f.actor(f.newOrg(), "admin"), dev.ID)
		want(t, err, fault.NotFound)
		_, err = f.ReadAnyEnvironment(t.Context(), owner, dev.ID)
		want(t, err, fault.Forbidden)
	})
}

func TestADeletedEnvironmentCanBeRestored(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		dev := p.Environments[0]
		deleted, err := f.DeleteEnvironment(t.Context(), admin, p.ID, dev.ID, false)
		if err != nil || *deleted.DeleteAfter != f.ms.Load()+grace.Milliseconds() || *deleted.DeletedByIdentity != admin.ID {
			t.Fatalf("deleted %+v, %v", deleted, err)
		}
		_, err = FolderAt(t.Context(), f.db, p.ID, "dev", "/")
		want(t, err, fault.NotFound)
		_, err = f.ReadEnvironment(t.Context(), admin, p.ID, dev.ID)
		want(t, err, fault.NotFound)
		_, err = f.DeleteEnvironment(t.Context(), admin, p.ID, dev.ID, true)
		want(t, err, fault.NotFound)
		found, err := f.Read(t.Context(), admin, p.ID)
		if err != nil || len(found.Environments) != 2 || len(found.Deleted) != 1 || found.Deleted[0].ID != dev.ID {
			t.Errorf("read %+v, %v", found, err)
		}
		taker := f.add(p, admin, "dev", 1)
		_, err = f.RestoreEnvironment(t.Context(), admin, p.ID, dev.ID)
		want(t, err, fault.BadRequest)
		if _, err := f.DeleteEnvironment(t.Context(), admin, p.ID, taker.ID, true); err != nil {
			t.Fatal(err)
		}
		if _, err := f.RestoreEnvironment(t.Context(), admin, p.ID, dev.ID); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"dev 1", "staging 2", "prod 3"}, f.order(p)); diff != "" {
			t.Error(diff)
		}
		if _, err := FolderAt(t.Context(), f.db, p.ID, "dev", "/"); err != nil {
			t.Errorf("its root: %v", err)
		}
		_, err = f.RestoreEnvironment(t.Context(), admin, p.ID, dev.ID)
		want(t, err, fault.NotFound)
	})
}

func TestTheGraceEnds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		if _, err := f.DeleteEnvironment(t.Context(), admin, p.ID, p.Environments[0].ID, false); err != nil {
			t.Fatal(err)
		}
		f.clean()
		if n := f.count(`SELECT count(*) FROM environments`); n != 3 {
			t.Errorf("%d environments are left before the grace is over; want 3", n)
		}
		f.ms.Add(grace.Milliseconds())
		_, err := f.RestoreEnvironment(t.Context(), admin, p.ID, p.Environments[0].ID)
		want(t, err, fault.NotFound)
		f.clean()
		if n := f.count(`SELECT count(*) FROM environments`); n != 2 {
			t.Errorf("%d environments are left; want 2", n)
		}
		if n := f.count(`SELECT count(*) FROM folders`); n != 2 {
			t.Errorf("%d folders are left; want 2", n)
		}
	})
}

// clean runs Clean in steps of three rows.
func (f *fixture) clean() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	if n, err := f.Clean(ctx, 3); n != 0 || err != nil {
		f.t.Fatalf("cleaning: %d, %v", n, err)
	}
}

func TestNothingIsLeftOfADeletedProject(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		kept, _ := f.project()
		for range 5 {
			f.member(p, "viewer")
		}
		left := map[string]int{} // rows of a folder
		f.emptyFolder = func(_ context.Context, _ *sqldb.Tx, folderID string, limit int64) (int64, error) {
			if _, seen := left[folderID]; !seen {
				left[folderID] = 7
			}
			n := min(int64(left[folderID]), limit)
			left[folderID] -= int(n)
			return n, nil
		}
		if _, err := f.Delete(t.Context(), admin, p.ID); err != nil {
			t.Fatal(err)
		}
		f.clean()
		const people = 2 + 5 // who stay in the organization
		for table, rows := range map[string]int64{"projects": 1, "environments": 3, "folders": 3, "memberships": people + 1, "membership_roles": people + 1} {
			if n := f.count(`SELECT count(*) FROM ` + table); n != rows {
				t.Errorf("%d rows are left in %s; want %d", n, table, rows)
			}
		}
		if len(left) != 3 {
			t.Errorf("%d folders were emptied; want 3", len(left))
		}
		for folderID, n := range left {
			if n != 0 {
				t.Errorf("%d rows are left in the folder %s", n, folderID)
			}
		}
		if n := f.count(`SELECT count(*) FROM environments WHERE project_id = $1`, kept.ID); n != 3 {
			t.Errorf("the other project has %d environments", n)
		}
	})
}
