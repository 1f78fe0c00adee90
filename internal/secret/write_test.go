package secret

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
)

func TestCreateKeepsWhatWasSent(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		blue, red := f.tag("blue"), f.tag("red")
		made, err := f.Create(t.Context(), f.admin, f.in("dev", ""), Changes{Name: " DB_URL ", Value: ptr(" postgres://x\n\n"), Comment: ptr(" the comment "),
			Metadata: &[]Metadata{{"team", "core", false}, {"pin", "1234", true}}, TagIDs: &[]string{red, blue, red}, SkipMultiline: ptr(true),
			ReminderNote: ptr("rotate"), ReminderDays: ptr(int64(30))})
		if err != nil {
			t.Fatal(err)
		}
		want := &Secret{ID: made.ID, ProjectID: f.project.ID, FolderID: made.FolderID, Environment: "dev", Path: "/", Key: "DB_URL", Version: 1,
			Value: "postgres://x\n", Comment: "the comment", Metadata: []Metadata{{"team", "core", false}, {"pin", "1234", true}},
			Tags: []Tag{{ID: blue, Slug: "blue"}, {ID: red, Slug: "red"}}, SkipMultiline: true, ReminderNote: ptr("rotate"), ReminderDays: ptr(int64(30)),
			CreatedAt: f.ms.Load(), UpdatedAt: f.ms.Load()}
		if diff := cmp.Diff(want, made, cmpopts.IgnoreUnexported(Secret{})); diff != "" {
			t.Errorf("made: %s", diff)
		}
		if diff := cmp.Diff(want, f.get(f.in("dev", "/"), "DB_URL"), cmpopts.IgnoreUnexported(Secret{})); diff != "" {
			t.Errorf("read: %s", diff)
		}
		if n := f.count(`SELECT secret_modified_at FROM folders WHERE id = $1`, made.FolderID); n != f.ms.Load() {
			t.Errorf("the folder says that its secrets changed at %d", n)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.put(f.in("dev", "/"), "TAKEN", "x")
		reader := f.member(`[{"subject":"secrets","action":["describeSecret","readValue"]}]`)
		onlyB := f.member(`[{"subject":"secrets","action":["create"],"conditions":{"secretName":{"$glob":"B*"},"secretTags":{"$in":["red"]}}}]`)
		stranger := &access.Actor{Type: access.ActorIdentity, ID: id.New(), OrgID: id.New()}
		red := f.tag("red")
		for name, c := range map[string]struct {
			actor *access.Actor
			place Place
			c     Changes
			kind  fault.Kind
		}{
			"a name that is taken":       {f.admin, f.in("dev", "/"), Changes{Name: " TAKEN "}, fault.BadRequest},
			"no project":                 {f.admin, Place{Environment: "dev"}, Changes{Name: "A"}, fault.BadRequest},
			"unknown project":            {f.admin, Place{ProjectID: id.New(), Environment: "dev"}, Changes{Name: "A"}, fault.NotFound},
			"of another organization":    {stranger, f.in("dev", "/"), Changes{Name: "A"}, fault.NotFound},
			"no member":                  {f.actor("admin"), f.in("dev", "/"), Changes{Name: "A"}, fault.Forbidden},
			"unknown environment":        {f.admin, f.in("nope", "/"), Changes{Name: "A"}, fault.NotFound},
			"unknown folder":             {f.admin, f.in("dev", "/nope"), Changes{Name: "A"}, fault.NotFound},
			"a bad name":                 {f.admin, f.in("dev", "/"), Changes{Name: "a/b"}, fault.Validation},
			"unknown tag":                {f.admin, f.in("dev", "/"), Changes{Name: "A", TagIDs: &[]string{id.New()}}, fault.NotFound},
			"personal, by no user":       {f.admin, f.in("dev", "/"), Changes{Name: "A", Personal: true}, fault.BadRequest},
			"without the permission":     {reader, f.in("dev", "/"), Changes{Name: "A"}, fault.PermissionDenied},
			"another name than allowed":  {onlyB, f.in("dev", "/"), Changes{Name: "A", TagIDs: &[]string{red}}, fault.PermissionDenied},
			"without the tag it must be": {onlyB, f.in("dev", "/"), Changes{Name: "B"}, fault.PermissionDenied},
		} {
			t.Run("refused/"+name, func(t *testing.T) {
				_, err := f.Create(t.Context(), c.actor, c.place, c.c)
				want(t, err, c.kind)
			})
		}
		if _, err := f.Create(t.Context(), onlyB, f.in("dev", "/"), Changes{Name: "B", TagIDs: &[]string{red}}); err != nil {
			t.Error(err)
		}
		if n := f.count(`SELECT count(*) FROM secrets`); n != 2 {
			t.Errorf("%d secrets are stored, want 2", n)
		}
	})
}

func TestUpdateMakesAVersion(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.in("dev", "/")
		f.put(at, "A", "one")
		f.ms.Add(1000)
		step := func(c Changes) *Secret {
			t.Helper()
			c.Name = "A"
			changed, err := f.Update(t.Context(), f.admin, at, c)
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
		if s := step(Changes{Value: ptr("two"), Metadata: &[]Metadata{{"pin", "1", true}}}); s.Version != 2 || s.Value != "two" || s.UpdatedAt != s.CreatedAt+1000 {
			t.Errorf("%+v", s)
		}
		if s := step(Changes{Comment: ptr("c")}); s.Version != 3 || s.Value != "two" || s.Comment != "c" || s.Metadata[0].Value != "1" {
			t.Errorf("%+v", s)
		}
		if s := step(Changes{}); s.Version != 4 || s.Value != "two" || s.Comment != "c" {
			t.Errorf("a change of nothing: %+v", s)
		}
		for version, value := range map[int64]string{0: "two", 1: "one", 2: "two", 4: "two"} {
			s, err := f.Get(t.Context(), f.admin, at, Find{Name: "A", Version: version, View: View{Values: true}})
			if err != nil || s.Value != value || version != 0 && s.Version != version {
				t.Errorf("version %d is %+v, %v", version, s, err)
			}
		}
		_, err := f.Get(t.Context(), f.admin, at, Find{Name: "A", Version: 5})
		want(t, err, fault.NotFound)
	})
}

func TestUpdateRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.in("dev", "/")
		red, blue := f.tag("red"), f.tag("blue")
		f.put(at, "B", "x")
		if _, err := f.Create(t.Context(), f.admin, at, Changes{Name: "A", TagIDs: &[]string{red}}); err != nil {
			t.Fatal(err)
		}
		reds := f.member(`[{"subject":"secrets","action":["edit"],"conditions":{"secretTags":{"$in":["red"]},"secretName":{"$in":["A","B"]}}}]`)
		for name, c := range map[string]struct {
			actor *access.Actor
			place Place
			c     Changes
			kind  fault.Kind
		}{
			"unknown secret":             {f.admin, at, Changes{Name: "NOPE"}, fault.NotFound},
			"unknown folder":             {f.admin, f.in("dev", "/nope"), Changes{Name: "A"}, fault.NotFound},
			"unknown environment":        {f.admin, f.in("nope", "/"), Changes{Name: "A"}, fault.NotFound},
			"a name that is none":        {f.admin, at, Changes{Name: "a/b"}, fault.NotFound},
			"a new name that is none":    {f.admin, at, Changes{Name: "A", NewName: ptr("a:b")}, fault.Validation},
			"a new name that is taken":   {f.admin, at, Changes{Name: "A", NewName: ptr("B")}, fault.BadRequest},
			"unknown tag":                {f.admin, at, Changes{Name: "A", TagIDs: &[]string{"x"}}, fault.NotFound},
			"personal, by no user":       {f.admin, at, Changes{Name: "A", Personal: true}, fault.BadRequest},
			"another tag than allowed":   {reds, at, Changes{Name: "B"}, fault.PermissionDenied},
			"taking the allowed tag off": {reds, at, Changes{Name: "A", TagIDs: &[]string{blue}}, fault.PermissionDenied},
			"a new name not allowed":     {reds, at, Changes{Name: "A", NewName: ptr("C")}, fault.PermissionDenied},
			"what it may not know of":    {reds, at, Changes{Name: "NOPE"}, fault.PermissionDenied},
		} {
			t.Run("refused/"+name, func(t *testing.T) {
				_, err := f.Update(t.Context(), c.actor, c.place, c.c)
				want(t, err, c.kind)
			})
		}
		if n := f.count(`SELECT max(version) FROM secrets`); n != 1 {
			t.Errorf("a refused change made version %d", n)
		}
		s, err := f.Update(t.Context(), reds, at, Changes{Name: "A", Value: ptr("secret")})
		if err != nil || !s.Hidden {
			t.Errorf("who may write and not read got %+v, %v", s, err)
		}
	})
}

func TestRename(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, user := f.in("dev", "/"), f.user()
		old := f.put(at, "A", "x")
		if _, err := f.Create(t.Context(), user, at, Changes{Name: "A", Personal: true, Value: ptr("mine")}); err != nil {
			t.Fatal(err)
		}
		s, err := f.Update(t.Context(), f.admin, at, Changes{Name: "A", NewName: ptr(" B ")})
		if err != nil || s.Key != "B" || s.ID != old.ID || s.Version != 2 || s.Value != "x" {
			t.Fatalf("%+v, %v", s, err)
		}
		_, err = f.Get(t.Context(), f.admin, at, Find{Name: "A"})
		want(t, err, fault.NotFound)
		mine, err := f.Get(t.Context(), user, at, Find{Name: "B", Personal: true})
		if err != nil || mine.Value != "mine" {
			t.Errorf("the personal one: %+v, %v", mine, err)
		}
		_, err = f.Update(t.Context(), user, at, Changes{Name: "B", Personal: true, NewName: ptr("C")})
		want(t, err, fault.BadRequest)
		if s, err = f.Update(t.Context(), f.admin, at, Changes{Name: "B", NewName: ptr("B")}); err != nil || s.Version != 3 {
			t.Errorf("to its own name: %+v, %v", s, err)
		}
	})
}

func TestDeleteTakesEverythingAlong(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at, user := f.in("dev", "/"), f.user()
		f.put(at, "A", "x")
		f.put(at, "B", "y")
		for _, name := range []string{"A", "B"} {
			if _, err := f.Create(t.Context(), user, at, Changes{Name: name, Personal: true, Value: ptr("mine")}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := f.Delete(t.Context(), f.member(`[{"subject":"secrets","action":["readValue","edit"]}]`), at, "A", false)
		want(t, err, fault.PermissionDenied)
		_, err = f.Delete(t.Context(), f.admin, at, "A", true)
		want(t, err, fault.BadRequest)
		gone, err := f.Delete(t.Context(), f.admin, at, "A", false)
		if err != nil || gone.Value != "x" || gone.Version != 1 {
			t.Fatalf("%+v, %v", gone, err)
		}
		_, err = f.Delete(t.Context(), f.admin, at, "A", false)
		want(t, err, fault.NotFound)
		if _, err = f.Delete(t.Context(), user, at, "B", true); err != nil {
			t.Fatal(err)
		}
		if n, v := f.count(`SELECT count(*) FROM secrets`), f.count(`SELECT count(*) FROM secret_versions`); n != 1 || v != 0 {
			t.Errorf("%d secrets and %d older versions are left, want the shared B alone", n, v)
		}
	})
}

// TestTwoWritersLoseNothing: many who change one secret at once make one version each, and of many who create it one wins.
func TestTwoWritersLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const writers = 12
		at := f.in("dev", "/")
		f.put(at, "B", "x")
		made := make([]error, writers)
		atOnce(writers, func(i int) {
			_, made[i] = f.Create(t.Context(), f.admin, at, Changes{Name: "A", Value: ptr("x")})
		})
		won := 0
		for _, err := range made {
			if err == nil {
				won++
			} else {
				want(t, err, fault.BadRequest)
			}
		}
		if won != 1 {
			t.Fatalf("%d of %d created the secret", won, writers)
		}
		versions := make([]int64, writers)
		atOnce(writers, func(i int) {
			s, err := f.Update(t.Context(), f.admin, at, Changes{Name: "A", Value: ptr(fmt.Sprint(i))})
			if err != nil {
				t.Error(err)
				return
			}
			versions[i] = s.Version
		})
		for i, v := range versions {
			s, err := f.Get(t.Context(), f.admin, at, Find{Name: "A", Version: v, View: View{Values: true}})
			if err != nil || s.Value != fmt.Sprint(i) {
				t.Errorf("writer %d made version %d, which is %+v, %v", i, v, s, err)
			}
		}
		if s := f.get(at, "A"); s.Version != writers+1 || f.count(`SELECT count(*) FROM secret_versions WHERE secret_id = $1`, s.ID) != writers {
			t.Errorf("the secret ended at version %d", s.Version)
		}
	})
}

// atOnce runs do n times at the same moment and returns when all are done.
func atOnce(n int, do func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	all.Wait()
}

// TestNothingOfASecretLeaks: neither the audit log nor any error has a value or a comment, and no table has them in clear.
func TestNothingOfASecretLeaks(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.in("dev", "/")
		const value, comment, pin = "the-value-itself", "the-comment-itself", "the-pin-itself"
		c := Changes{Name: "A", Value: ptr(value), Comment: ptr(comment), Metadata: &[]Metadata{{"pin", pin, true}}}
		if _, err := f.Create(t.Context(), f.admin, at, c); err != nil {
			t.Fatal(err)
		}
		_, err := f.Create(t.Context(), f.admin, at, c)
		texts := []string{err.Error()}
		_, _ = f.Update(t.Context(), f.admin, at, c)
		f.get(at, "A")
		if _, err := f.List(t.Context(), f.admin, at, Query{View: View{Values: true}}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Delete(t.Context(), f.admin, at, "A", false); err != nil {
			t.Fatal(err)
		}
		events := f.events()
		if len(events) != 5 {
			t.Errorf("%d events: %q", len(events), events)
		}
		f.put(at, "B", value)
		var stored []string
		if err := f.db.Select(t.Context(), &stored, `SELECT metadata FROM secrets UNION ALL SELECT metadata FROM secret_versions`); err != nil {
			t.Fatal(err)
		}
		for _, text := range append(append(texts, events...), stored...) {
			for _, secret := range []string{value, comment, pin} {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds %s", text, secret)
				}
			}
		}
		if !strings.Contains(events[0], `"secretKey": "A"`) && !strings.Contains(events[0], `"secretKey":"A"`) {
			t.Errorf("the event does not name the secret: %s", events[0])
		}
	})
}

// TestSealedValuesStayInTheirPlace: a ciphertext that was put into another version or another secret does not open.
func TestSealedValuesStayInTheirPlace(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.in("dev", "/")
		a, b := f.put(at, "A", "one"), f.put(at, "B", "two")
		if _, err := f.Update(t.Context(), f.admin, at, Changes{Name: "A", Value: ptr("three")}); err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{a.ID, b.ID} {
			f.exec(`UPDATE secrets SET value = (SELECT o.value FROM secret_versions o WHERE o.secret_id = $1 AND o.version = 1) WHERE id = $2`, a.ID, to)
		}
		for _, name := range []string{"A", "B"} {
			if s, err := f.Get(t.Context(), f.admin, at, Find{Name: name, View: View{Values: true}}); err == nil {
				t.Errorf("%s opened as %q", name, s.Value)
			}
		}
	})
}
