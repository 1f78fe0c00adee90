package audit

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// TestRecordSharesTheFateOfItsChange: neither can exist without the other.
func TestRecordSharesTheFateOfItsChange(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		change := func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO token_counts (identity_id, method, total) VALUES ('changed', 'x', 1)`)
			return err
		}
		for name, c := range map[string]struct {
			event Event
			then  error // what the transaction ends with
			both  bool
		}{
			"neither/the change fails":   {Event{Type: Type{"x"}}, errOnPurpose, false},
			"neither/the event fails":    {Event{Type: Type{"x"}, Metadata: map[string]any{"c": make(chan int)}}, nil, false},
			"both/the change is written": {Event{Type: Type{"x"}}, nil, true},
		} {
			t.Run(name, func(t *testing.T) {
				err := f.db.Write(t.Context(), func(tx *sqldb.Tx) error {
					_, err := tx.Exec(t.Context(), `DELETE FROM token_counts`)
					if err == nil {
						err = change(tx)
					}
					if err == nil {
						err = f.Record(t.Context(), tx, actor, c.event)
					}
					if err == nil {
						err = c.then
					}
					return err
				})
				var changed, recorded int
				if err := f.db.Get(t.Context(), &changed, `SELECT count(*) FROM token_counts`); err != nil {
					t.Fatal(err)
				}
				if err := f.db.Get(t.Context(), &recorded, `SELECT count(*) FROM audit_logs`); err != nil {
					t.Fatal(err)
				}
				if (err == nil) != c.both || changed != recorded || (changed == 1) != c.both {
					t.Errorf("err %v, %d changes, %d events", err, changed, recorded)
				}
				f.clear()
			})
		}
	})
}

func (f *fixture) clear() {
	f.t.Helper()
	err := f.db.Write(f.t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(f.t.Context(), `DELETE FROM audit_logs`)
		if err == nil {
			_, err = tx.Exec(f.t.Context(), `DELETE FROM token_counts`)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// TestEntryShowsWhoDidWhat pins the whole of an entry, as identity and as user.
func TestEntryShowsWhoDidWhat(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		user := *actor
		user.Type, user.Name, user.TokenID, user.Client.IP = access.ActorUser, "a@example.com", "", netip.MustParseAddr("::ffff:192.0.2.9")
		platform := access.Actor{Type: access.ActorPlatform, OrgID: actor.OrgID}
		f.record(actor, Event{Type: Type{"create-identity"}, ProjectID: "p", Metadata: map[string]any{"name": "<é>", "n": 1}})
		f.clock.advance(time.Second)
		f.record(&user, Event{Type: Type{"user-login"}})
		f.clock.advance(time.Second)
		f.record(&platform, Event{Type: Type{"bootstrap-instance"}, OrgID: actor.OrgID})
		entries := f.query(actor, Filter{Limit: 10})
		var got []map[string]any
		text, err := json.Marshal(entries)
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range got {
			if want := float64(len(got) - i); e["position"] != want {
				t.Errorf("entry %d has the position %v; want %v", i, e["position"], want)
			}
			delete(e, "position")
			if e["id"] != entries[i].ID || e["id"] == "" {
				t.Errorf("entry %d has the id %v", i, e["id"])
			}
			delete(e, "id")
		}
		at := func(seconds int) map[string]any {
			created := noon.Add(time.Duration(seconds) * time.Second).Format("2006-01-02T15:04:05.000Z")
			return map[string]any{"createdAt": created, "updatedAt": created, "orgId": actor.OrgID, "projectId": nil,
				"expiresAt": noon.Add(DefaultRetention + time.Duration(seconds)*time.Second).Format("2006-01-02T15:04:05.000Z")}
		}
		first, second, third := at(0), at(1), at(2)
		for _, e := range []map[string]any{first, second} {
			e["ipAddress"], e["userAgent"], e["userAgentType"], e["reqId"] = "192.0.2.1", "terraform/1", "terraform", "req-1"
		}
		first["projectId"], second["ipAddress"], third["userAgentType"] = "p", "192.0.2.9", "other"
		first["event"] = map[string]any{"type": "create-identity", "metadata": map[string]any{"name": "<é>", "n": 1.0}}
		first["actor"] = map[string]any{"type": "identity", "metadata": map[string]any{"identityId": actor.ID, "name": "admin",
			"authMethod": "token-auth", "tokenId": actor.TokenID}}
		second["event"] = map[string]any{"type": "user-login", "metadata": map[string]any{}}
		second["actor"] = map[string]any{"type": "user", "metadata": map[string]any{"userId": actor.ID, "email": "a@example.com",
			"username": "a@example.com", "authMethod": "token-auth"}}
		third["event"] = map[string]any{"type": "bootstrap-instance", "metadata": map[string]any{}}
		third["actor"] = map[string]any{"type": "platform", "metadata": map[string]any{}}
		if diff := cmp.Diff([]map[string]any{third, second, first}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUserAgentTypes(t *testing.T) {
	for agent, want := range map[string]string{
		"cli": "cli", "CLI": "cli", "k8-operator": "k8-operator", "k8-external-secrets-operator/1.2": "k8-external-secrets-operator",
		"Terraform/1.5": "terraform", "infisical-nodejs-sdk": "InfisicalNodeSDK", "infisical-python-sdk": "InfisicalPythonSDK",
		"infisical-go-sdk": "InfisicalGoSDK", "Mozilla/5.0 (X11)": "web", "curl/8": "other", "": "other", "my-cli": "other",
	} {
		if got := userAgentType(agent); got != want {
			t.Errorf("%q is %q; want %q", agent, got, want)
		}
	}
}

func TestNotesWaitForAFlush(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		var want []string
		for n := range 5 {
			if err := f.Note(t.Context(), actor, Event{Type: Type{numbered(n)}}); err != nil {
				t.Fatal(err)
			}
			want = append(want, numbered(n))
			f.clock.advance(time.Millisecond)
		}
		if got := f.types(); len(got) != 0 {
			t.Errorf("%v is written before the flush", got)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.Flush(gone); err == nil {
			t.Error("a flush that could not write succeeded")
		}
		if err := f.Note(t.Context(), actor, Event{Type: Type{"last"}}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := f.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(append(want, "last"), f.types()); diff != "" {
			t.Errorf("events went missing, came twice or changed their order:\n%s", diff)
		}
	})
}

// TestNotesAreBounded: who comes when too many wait writes them out. Where that fails, the note fails, and nothing that
// waits is lost.
func TestNotesAreBounded(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		for n := range notesMax {
			if err := f.Note(t.Context(), actor, Event{Type: Type{numbered(n)}}); err != nil {
				t.Fatal(err)
			}
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.Note(gone, actor, Event{Type: Type{"refused"}}); !errors.Is(err, context.Canceled) {
			t.Errorf("one too many was taken: %v", err)
		}
		if err := f.Note(t.Context(), actor, Event{Type: Type{"one more"}}); err != nil {
			t.Fatal(err)
		}
		if got := f.types(); len(got) != notesMax {
			t.Errorf("%d events are written; want %d", len(got), notesMax)
		}
		if n := len(f.notes.waiting); n != 1 {
			t.Errorf("%d events wait; want the last", n)
		}
	})
}

// TestNotesBesideFlushes loses and repeats nothing.
func TestNotesBesideFlushes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const writers, each = 4, 50
		actor := admin(t)
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for n := range each {
					if err := f.Note(t.Context(), actor, Event{Type: Type{numbered(w*each + n)}}); err != nil {
						t.Error(err)
					}
					if n%10 == 0 {
						if err := f.Flush(t.Context()); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		group.Wait()
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, name := range f.types() {
			count[name]++
		}
		for n := range writers * each {
			if count[numbered(n)] != 1 {
				t.Errorf("%s is there %d times", numbered(n), count[numbered(n)])
			}
		}
	})
}

// TestRunWritesTheLastNotes: what was noted before the end is written before Run returns.
func TestRunWritesTheLastNotes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			f.Run(ctx, slog.New(slog.DiscardHandler))
		}()
		if err := f.Note(t.Context(), admin(t), Event{Type: Type{"noted"}}); err != nil {
			t.Fatal(err)
		}
		stop()
		<-ended
		if diff := cmp.Diff([]string{"noted"}, f.types()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.Log = New(f.db, time.Hour)
		for n := range 5 {
			f.record(admin(t), Event{Type: Type{numbered(n)}})
			f.clock.advance(time.Minute)
		}
		for _, step := range []struct {
			at         time.Duration
			n, deleted int64
			left       int
		}{
			{time.Hour, 10, 0, 5}, {time.Hour + time.Millisecond, 10, 1, 4}, {2 * time.Hour, 3, 3, 1}, {2 * time.Hour, 3, 1, 0}, {2 * time.Hour, 3, 0, 0},
		} {
			f.clock.ms.Store(noon.Add(step.at).UnixMilli())
			if n, err := f.Prune(t.Context(), step.n); n != step.deleted || err != nil {
				t.Errorf("after %v: %d were deleted, %v; want %d", step.at, n, err, step.deleted)
			}
			if got := f.types(); len(got) != step.left {
				t.Errorf("after %v: %v are left; want the newest %d", step.at, got, step.left)
			}
		}
	})
}

// TestNotesOfAProjectGoWhenItSays: a note expires exactly when an event that was recorded with a change does, however many
// are stored at once.
func TestNotesOfAProjectGoWhenItSays(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		sqldbtest.Exec(t, f.db, `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', 'o', 0, 0)`, actor.OrgID)
		projects := map[string]any{"short": 3, "long": 100_000, "zero": 0, "silent": nil}
		for name, days := range projects {
			sqldbtest.Exec(t, f.db, `INSERT INTO projects (id, org_id, name, slug, type, auto_capital, delete_protection, secret_sharing, snapshots_legacy,
				version_limit, audit_days, ignored_values, created_at, updated_at)
				VALUES ($1, $2, $1, $1, 't', FALSE, FALSE, FALSE, FALSE, 1, $3, '[]', 0, 0)`, name, actor.OrgID, days)
		}
		for _, project := range []string{"short", "long", "zero", "silent", "gone", "", "short"} {
			e := Event{Type: Type{"x"}, ProjectID: project}
			if err := f.Note(t.Context(), actor, e); err != nil {
				t.Fatal(err)
			}
			err := f.db.Write(t.Context(), func(tx *sqldb.Tx) error { return f.Record(t.Context(), tx, actor, e) })
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var found []string
		if err := f.db.Select(t.Context(), &found, `SELECT coalesce(project_id, '') || ' ' || ((expires_at - created_at) / 86400000) || ' ' || count(*)
			FROM audit_logs GROUP BY project_id, expires_at - created_at ORDER BY project_id`); err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		want := []string{" 365 2", "gone 365 2", "long 365 2", "short 3 4", "silent 365 2", "zero 365 2"}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Error(diff)
		}
	})
}
