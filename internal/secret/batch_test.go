package secret

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/fault"
)

func items(names ...string) (all []Item) {
	for _, name := range names {
		all = append(all, Item{Changes: Changes{Name: name, Value: ptr("new " + name)}})
	}
	return all
}

// content returns all shared secrets of dev as "path name=value version".
func (f *fixture) content() (all []string) {
	f.t.Helper()
	l, err := f.List(f.t.Context(), f.admin, f.in("dev", "/"), Query{View: View{Values: true}, Below: true})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, s := range l.Secrets {
		all = append(all, fmt.Sprintf("%s %s=%s %d", s.Path, s.Key, s.Value, s.Version))
	}
	return all
}

func TestBatchesAreAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, ctx := f.in("dev", "/"), t.Context()
		f.folder("dev", "app")
		f.put(at, "A", "a")
		f.put(at, "B", "b")
		start := f.content()
		onlyA := f.member(`[{"subject":"secrets","action":["describeSecret","readValue","create","edit","delete"],"conditions":{"secretName":{"$glob":"{A,X}*"}}}]`)
		for name, c := range map[string]struct {
			kind fault.Kind
			do   func() error
		}{
			"create one that is there":     {fault.BadRequest, func() error { _, err := f.CreateAll(ctx, f.admin, at, items("X", "A")); return err }},
			"create one twice":             {fault.BadRequest, func() error { _, err := f.CreateAll(ctx, f.admin, at, items("X", "X")); return err }},
			"create one of a bad name":     {fault.Validation, func() error { _, err := f.CreateAll(ctx, f.admin, at, items("X", "a/b")); return err }},
			"create one without the right": {fault.PermissionDenied, func() error { _, err := f.CreateAll(ctx, onlyA, at, items("X", "Y")); return err }},
			"create in an unknown folder":  {fault.NotFound, func() error { _, err := f.CreateAll(ctx, f.admin, f.in("dev", "/x"), items("X")); return err }},
			"update one that is not there": {fault.NotFound, func() error { _, err := f.UpdateAll(ctx, f.admin, at, FailOnNotFound, items("A", "X")); return err }},
			"update one without the right": {fault.PermissionDenied, func() error { _, err := f.UpdateAll(ctx, onlyA, at, Upsert, items("A", "B")); return err }},
			"upsert one of a bad name":     {fault.Validation, func() error { _, err := f.UpdateAll(ctx, f.admin, at, Upsert, items("A", ":")); return err }},
			"delete one that is not there": {fault.NotFound, func() error { _, err := f.DeleteAll(ctx, f.admin, at, items("A", "X")); return err }},
			"delete one twice":             {fault.NotFound, func() error { _, err := f.DeleteAll(ctx, f.admin, at, items("A", "A")); return err }},
			"delete one without the right": {fault.PermissionDenied, func() error { _, err := f.DeleteAll(ctx, onlyA, at, items("A", "B")); return err }},
			"delete in an unknown folder":  {fault.NotFound, func() error { _, err := f.DeleteAll(ctx, f.admin, f.in("dev", "/x"), items("A")); return err }},
			"update in an unknown folder":  {fault.NotFound, func() error { _, err := f.UpdateAll(ctx, f.admin, f.in("dev", "/x"), Upsert, items("A")); return err }},
			"update with the name of other": {fault.BadRequest, func() error {
				_, err := f.UpdateAll(ctx, f.admin, at, Upsert, []Item{{Changes: Changes{Name: "A", NewName: ptr("B")}}})
				return err
			}},
		} {
			t.Run("refused/"+name, func(t *testing.T) {
				want(t, c.do(), c.kind)
				if diff := cmp.Diff(start, f.content()); diff != "" {
					t.Errorf("something was changed: %s", diff)
				}
			})
		}
		if n := f.count(`SELECT count(*) FROM audit_logs WHERE event_type LIKE '%-secrets' AND event_type NOT LIKE 'get%'`); n != 0 {
			t.Errorf("%d events of what did not happen", n)
		}
	})
}

func TestBatches(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, ctx := f.in("dev", "/"), t.Context()
		f.folder("dev", "app")
		check := func(secrets []*Secret, err error, n int, want ...string) {
			t.Helper()
			if err != nil || len(secrets) != n {
				t.Fatalf("%d secrets, %v; want %d", len(secrets), err, n)
			}
			if diff := cmp.Diff(want, f.content()); diff != "" {
				t.Fatal(diff)
			}
		}
		secrets, err := f.CreateAll(ctx, f.admin, at, items("B", "A"))
		check(secrets, err, 2, "/ A=new A 1", "/ B=new B 1")
		if secrets[0].Key != "B" {
			t.Error("the answer is not in the order of the request")
		}
		secrets, err = f.UpdateAll(ctx, f.admin, at, Ignore, items("A", "X"))
		check(secrets, err, 1, "/ A=new A 2", "/ B=new B 1")
		more := items("A", "X", "Y")
		more[2].Path = "/app"
		secrets, err = f.UpdateAll(ctx, f.admin, at, Upsert, more)
		check(secrets, err, 3, "/ A=new A 3", "/ B=new B 1", "/ X=new X 1", "/app Y=new Y 1")
		secrets, err = f.DeleteAll(ctx, f.admin, at, items("A", "X"))
		check(secrets, err, 2, "/ B=new B 1", "/app Y=new Y 1")
		var types []string
		if err := f.db.Select(ctx, &types, `SELECT event_type FROM audit_logs WHERE event_type LIKE '%-secrets' AND event_type NOT LIKE 'get%' ORDER BY created_at, id`); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"create-secrets", "update-secrets", "create-secrets", "update-secrets", "delete-secrets"}, types); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMove(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, ctx, user := f.in("dev", "/"), t.Context(), f.user()
		f.folder("dev", "app")
		a, b := f.put(at, "A", "a"), f.put(at, "B", "b")
		f.put(f.in("dev", "/app"), "B", "old")
		if _, err := f.Create(ctx, user, at, Changes{Name: "A", Personal: true, Value: ptr("mine")}); err != nil {
			t.Fatal(err)
		}
		start := f.content()
		m := Move{IDs: []string{a.ID, b.ID}, From: at, To: f.in("dev", "/app")}
		reader := f.member(`[{"subject":"secrets","action":["describeSecret","readValue","delete"]}]`)
		for name, c := range map[string]struct {
			kind fault.Kind
			err  error
		}{
			"a name that is there":   {fault.BadRequest, f.Move(ctx, f.admin, m)},
			"without rights there":   {fault.PermissionDenied, f.Move(ctx, reader, m)},
			"to where they are":      {fault.BadRequest, f.Move(ctx, f.admin, Move{IDs: m.IDs, From: at, To: f.in("dev", "")})},
			"from somewhere else":    {fault.BadRequest, f.Move(ctx, f.admin, Move{IDs: m.IDs, From: f.in("prod", "/"), To: at})},
			"to an unknown folder":   {fault.NotFound, f.Move(ctx, f.admin, Move{IDs: m.IDs, From: at, To: f.in("dev", "/x")})},
			"from an unknown folder": {fault.NotFound, f.Move(ctx, f.admin, Move{IDs: m.IDs, From: f.in("dev", "/x"), To: at})},
		} {
			t.Run("refused/"+name, func(t *testing.T) { want(t, c.err, c.kind) })
		}
		if diff := cmp.Diff(start, f.content()); diff != "" {
			t.Fatalf("something was moved: %s", diff)
		}
		m.Overwrite = true
		if err := f.Move(ctx, f.admin, m); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/app A=a 1", "/app B=b 2"}, f.content()); diff != "" {
			t.Error(diff)
		}
		if s, err := f.Get(ctx, user, m.To, Find{Name: "A", Personal: true}); err != nil || s.Value != "mine" {
			t.Errorf("the personal one: %+v, %v", s, err)
		}
	})
}

func TestGetByID(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, ada := f.in("dev", "/"), f.user()
		shared := f.put(at, "A", "a")
		mine, err := f.Create(t.Context(), ada, at, Changes{Name: "A", Personal: true, Value: ptr("mine")})
		if err != nil {
			t.Fatal(err)
		}
		stranger := *f.actor("admin")
		stranger.OrgID = shared.ID
		_, err = f.GetByID(t.Context(), &stranger, shared.ID)
		want(t, err, fault.NotFound)
		_, err = f.GetByID(t.Context(), f.admin, "nope")
		want(t, err, fault.NotFound)
		_, err = f.GetByID(t.Context(), f.admin, f.project.ID)
		want(t, err, fault.NotFound)
		_, err = f.GetByID(t.Context(), f.member(`[{"subject":"secrets","action":["describeSecret"]}]`), shared.ID)
		want(t, err, fault.PermissionDenied)
		_, err = f.GetByID(t.Context(), f.user(), mine.ID)
		want(t, err, fault.Forbidden)
		for id, value := range map[string]string{shared.ID: "a", mine.ID: "mine"} {
			if s, err := f.GetByID(t.Context(), ada, id); err != nil || s.Value != value || s.Environment != "dev" {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}
