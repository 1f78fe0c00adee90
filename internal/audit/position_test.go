package audit

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// TestAFollowerSeesEachEventOnce: whoever goes by position sees every event exactly once, and positions only grow, while
// several replicas write: changes that commit in another order than they began, some of which fail, and notes.
func TestAFollowerSeesEachEventOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const writers, changes = 4, 60
		actor := admin(t)
		logs := f.logs(2)
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() { f.writeMany(logs[w%len(logs)], actor, w, changes) })
		}
		written := make(chan struct{})
		go func() { group.Wait(); close(written) }()
		seen, after, ended := map[string]int{}, int64(0), false
		for done := false; !done; {
			select {
			case <-written:
				ended = true
			default:
			}
			page, next := f.follow(actor, after, 7)
			for _, e := range page {
				if e.Position <= after || e.Position > next {
					t.Fatalf("the position %d is not behind %d and up to %d", e.Position, after, next)
				}
				after = e.Position
				seen[e.Event.Type]++
			}
			done, after = ended && len(page) < 7, next
		}
		delete(seen, ViewAuditLogs.name)
		for w := range writers {
			for n := range changes {
				if name := event(w, n); seen[name] != 1 {
					t.Errorf("the follower saw %s %d times", name, seen[name])
				}
			}
		}
		if len(seen) != writers*changes {
			t.Errorf("the follower saw %d events; %d were written", len(seen), writers*changes)
		}
	})
}

func event(writer, n int) string { return fmt.Sprintf("writer-%d-%d", writer, n) }

// logs returns this log and, where the engine allows for it, those of other replicas on the same database.
func (f *fixture) logs(n int) []*Log {
	logs := []*Log{f.Log}
	for f.db.Engine() == sqldb.Postgres && len(logs) < n {
		logs = append(logs, New(f.db, 0))
	}
	return logs
}

// writeMany writes events as changes, as changes of a group, as changes after one that failed, and as notes.
func (f *fixture) writeMany(l *Log, actor *access.Actor, writer, n int) {
	ctx := f.t.Context()
	for n := range n {
		record := func(tx *sqldb.Tx) error { return l.Record(ctx, tx, actor, Event{Type: Type{event(writer, n)}}) }
		var err error
		switch rand.N(4) {
		case 0:
			err = f.db.WriteGrouped(ctx, record)
		case 1:
			_ = f.db.Write(ctx, func(tx *sqldb.Tx) error {
				_ = l.Record(ctx, tx, actor, Event{Type: Type{"failed"}})
				return errOnPurpose
			})
			fallthrough
		case 2:
			err = f.db.Write(ctx, record)
		default:
			if err = l.Note(ctx, actor, Event{Type: Type{event(writer, n)}}); err == nil && n%3 == 0 {
				err = l.Flush(ctx)
			}
		}
		if err != nil {
			f.t.Error(err)
		}
	}
	if err := l.Flush(ctx); err != nil {
		f.t.Error(err)
	}
}

// TestALateCommitComesBehind: a change that was begun first and is committed last gets the last position, so that who has
// read what came meanwhile finds it.
func TestALateCommitComesBehind(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		if f.db.Engine() == sqldb.SQLite {
			return // one transaction at a time: there is no meanwhile
		}
		actor := admin(t)
		begun, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			ended <- f.db.Write(context.Background(), func(tx *sqldb.Tx) error {
				err := f.Record(context.Background(), tx, actor, Event{Type: Type{"late"}})
				close(begun)
				<-goOn
				return err
			})
		}()
		<-begun
		f.record(actor, Event{Type: Type{"meanwhile"}})
		first, next := f.follow(actor, 0, 10)
		close(goOn)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		second, _ := f.follow(actor, next, 10)
		if diff := cmp.Diff([]string{"meanwhile"}, typesOf(first)); diff != "" {
			t.Error(diff)
		}
		if !slices.Contains(typesOf(second), "late") {
			t.Errorf("the late event never comes: %v", typesOf(second))
		}
	})
}

func typesOf(entries []Entry) (types []string) {
	for _, e := range entries {
		types = append(types, e.Event.Type)
	}
	return types
}

// TestAReaderByTimeMissesNothing: on one server a query shows whatever is as old as the newest that it shows.
func TestAReaderByTimeMissesNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		if err := f.Note(t.Context(), actor, Event{Type: Type{"noted"}}); err != nil {
			t.Fatal(err)
		}
		f.clock.advance(1)
		f.record(actor, Event{Type: Type{"changed"}})
		if diff := cmp.Diff([]string{"changed", "noted"}, typesOf(f.query(actor, Filter{Limit: 10}))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFollowFilters(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor, stranger := admin(t), admin(t)
		for n := range 6 {
			f.record([]*access.Actor{actor, stranger}[n%2], Event{Type: Type{numbered(n)}, ProjectID: []string{"", "p"}[n/4]})
		}
		const none = fault.Kind(255)
		after := int64(0)
		for name, c := range map[string]struct {
			filter Filter
			want   []string
			next   int64 // 0: all has been looked at
			err    fault.Kind
		}{
			"all":                        {Filter{Limit: 10}, []string{numbered(0), numbered(2), numbered(4)}, 0, none},
			"a page":                     {Filter{Limit: 2}, []string{numbered(0), numbered(2)}, 3, none},
			"by type":                    {Filter{Limit: 10, EventTypes: []string{numbered(2)}}, []string{numbered(2)}, 0, none},
			"by project":                 {Filter{Limit: 10, ProjectID: "p"}, []string{numbered(4)}, 0, none},
			"none":                       {Filter{Limit: 10, EventTypes: []string{"x"}}, nil, 0, none},
			"of a time":                  {Filter{Limit: 10, From: noon, To: noon}, []string{numbered(0), numbered(2), numbered(4)}, 0, none},
			"of another time":            {Filter{Limit: 10, From: noon.Add(1e9)}, nil, 0, none},
			"refused/offset":             {Filter{Limit: 10, Offset: 1}, nil, 0, fault.Validation},
			"refused/end before start":   {Filter{Limit: 10, From: noon, To: noon.Add(-1e9)}, nil, 0, fault.Validation},
			"refused/behind the newest":  {Filter{Limit: 10, After: new(int64(1000))}, nil, 0, fault.Validation},
			"refused/actor of no person": {Filter{Limit: 10, ActorType: "platform", ActorID: "x"}, nil, 0, fault.BadRequest},
		} {
			t.Run(name, func(t *testing.T) {
				if c.filter.After == nil {
					c.filter.After = &after
				}
				got, next, err := f.Follow(t.Context(), actor, c.filter)
				if c.err != none {
					if !fault.Is(err, c.err) {
						t.Errorf("got %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				got = slices.DeleteFunc(got, func(e Entry) bool { return e.Event.Type == ViewAuditLogs.name })
				if diff := cmp.Diff(c.want, typesOf(got)); diff != "" {
					t.Error(diff)
				}
				if head := f.head(); next != c.next && (c.next != 0 || next > head || next < 6) {
					t.Errorf("the next position is %d, and the newest %d", next, head)
				}
			})
		}
		nobody := *actor
		nobody.Ability = nil
		if _, _, err := f.Follow(t.Context(), &nobody, Filter{After: &after, Limit: 1}); !fault.Is(err, fault.PermissionDenied) {
			t.Errorf("got %v; want a refusal", err)
		}
	})
}

func (f *fixture) head() (head int64) {
	f.t.Helper()
	if err := f.db.Get(f.t.Context(), &head, newest); err != nil {
		f.t.Fatal(err)
	}
	return head
}

// TestPositionsAfterARestore: none of those that the lost database may have given away comes again, also where every event
// is gone.
func TestPositionsAfterARestore(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		f.record(actor, Event{Type: Type{"before"}})
		_, next := f.follow(actor, 0, 10)
		f.clear()
		if err := f.db.Write(t.Context(), func(tx *sqldb.Tx) error { return Restored(t.Context(), tx) }); err != nil {
			t.Fatal(err)
		}
		f.record(actor, Event{Type: Type{"after"}})
		page, _ := f.follow(actor, next, 10)
		found := slices.IndexFunc(page, func(e Entry) bool { return e.Event.Type == "after" })
		if found < 0 || page[found].Position <= restoreGap {
			t.Errorf("found %+v", page)
		}
	})
}

// TestRunPlacesWhatOthersLeft: a replica gives positions also to the events of one that ended before it could.
func TestRunPlacesWhatOthersLeft(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.record(admin(t), Event{Type: Type{"left"}})
		ctx, stop := context.WithCancel(t.Context())
		stop()
		New(f.db, 0).Run(ctx, slog.New(slog.DiscardHandler))
		if head := f.head(); head != 1 {
			t.Errorf("the newest position is %d", head)
		}
	})
}
