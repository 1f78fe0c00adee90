package feed

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// TestLogOrder has writers on several replicas append at once, some of them failing, while a reader looks at the log
// all the time. The reader never sees a gap, so the order of seq is the order of commits; every replica is handed what
// was committed, in that order, each entry once; and a change is known where it was made before it is acknowledged.
func TestLogOrder(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		db := open(t, engine, newClock())
		replicas := map[sqldb.Engine]int{sqldb.SQLite: 1, sqldb.Postgres: 3}[engine]
		feeds, all := make([]*Feed, replicas), make([]*seen, replicas)
		for n := range replicas {
			feeds[n], all[n] = started(t, db)
		}
		done, watched := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(watched)
			watchForGaps(t, db, done)
		}()
		var committed committed
		var writers sync.WaitGroup
		for n := range 6 {
			writers.Go(func() {
				for i := range 15 {
					committed.write(t, feeds[n%replicas], all[n%replicas], fmt.Sprintf("%d-%d", n, i), i%4 == 3)
				}
			})
		}
		writers.Wait()
		close(done)
		<-watched
		for n, f := range feeds {
			if err := f.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			committed.check(t, all[n].all())
		}
	})
}

// watchForGaps reads the log until done: it must always be 1, 2, 3, ... up to its head.
func watchForGaps(t *testing.T, db *sqldb.DB, done <-chan struct{}) {
	for {
		err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
			var head int64
			var list []int64
			if err := tx.Get(t.Context(), &head, `SELECT seq FROM feed_head`); err != nil {
				return err
			}
			if err := tx.Select(t.Context(), &list, `SELECT seq FROM change_log ORDER BY seq`); err != nil {
				return err
			}
			for i, seq := range list {
				if seq != int64(i)+1 {
					return fmt.Errorf("the log reads %d where %d must be", seq, i+1)
				}
			}
			if head != int64(len(list)) {
				return fmt.Errorf("the head is %d, with %d entries", head, len(list))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
			return
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// committed notes what was acknowledged.
type committed struct {
	mu      sync.Mutex
	changes map[string]int // how many entries each acknowledged change made
}

var errOnPurpose = errors.New("on purpose")

// write makes a change of one to three entries under a name, or one that fails at its end.
func (c *committed) write(t *testing.T, f *Feed, s *seen, name string, fail bool) {
	size := 1 + len(name)%3
	err := f.Change(t.Context(), func(tx *Tx) error {
		for part := range size {
			tx.Append(Grants, fmt.Sprintf("%s %d", name, part), Evict)
		}
		if fail {
			return errOnPurpose
		}
		return nil
	})
	if fail {
		if !errors.Is(err, errOnPurpose) {
			t.Errorf("got %v; want the function's own error", err)
		}
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	known := 0
	for _, e := range s.all() {
		if strings.HasPrefix(e.Key, name+" ") {
			known++
		}
	}
	if known != size {
		t.Errorf("%s was acknowledged with %d of %d entries known", name, known, size)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == nil {
		c.changes = map[string]int{}
	}
	c.changes[name] = size
}

// check compares what a replica was handed with what was acknowledged: in order, and the parts of a change side by side.
func (c *committed) check(t *testing.T, entries []Entry) {
	t.Helper()
	found := map[string]int{}
	for i, e := range entries {
		if e.Seq != int64(i)+1 {
			t.Fatalf("entry %d has the number %d", i+1, e.Seq)
		}
		name, part := Cut(e.Key)
		if part != fmt.Sprint(found[name]) {
			t.Errorf("part %s of %s came as number %d", part, name, found[name])
		}
		if i > 0 && part != "0" && !strings.HasPrefix(entries[i-1].Key, name+" ") {
			t.Errorf("the parts of %s were torn apart", name)
		}
		found[name]++
	}
	if diff := cmp.Diff(c.changes, found); diff != "" {
		t.Errorf("acknowledged and handed out differ:\n%s", diff)
	}
}

func TestFailedChangesLeaveNothing(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		db := open(t, engine, newClock())
		f, s := started(t, db)
		change(t, f, Entry{Kind: Grants, Key: "before"})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for name, run := range map[string]func() error{
			"error": func() error {
				return f.Change(t.Context(), func(tx *Tx) error {
					tx.Append(Grants, "error", Evict)
					return errOnPurpose
				})
			},
			"failed statement": func() error {
				return f.Change(t.Context(), func(tx *Tx) error {
					tx.Append(Grants, "statement", Evict)
					_, _ = tx.Exec(t.Context(), `INSERT INTO no_such_table (id) VALUES (1)`)
					return nil
				})
			},
			"panic": func() (err error) {
				defer func() { err = fmt.Errorf("recovered: %v", recover()) }()
				return f.Change(t.Context(), func(tx *Tx) error {
					tx.Append(Grants, "panic", Evict)
					panic("on purpose")
				})
			},
			"caller gone": func() error {
				return f.Change(gone, func(tx *Tx) error {
					tx.Append(Grants, "gone", Evict)
					return nil
				})
			},
		} {
			if err := run(); err == nil {
				t.Errorf("%s: succeeded", name)
			}
		}
		change(t, f) // one that has nothing to say
		if head, err := f.head(t.Context()); head != 1 || err != nil {
			t.Errorf("the head is %d, %v; want 1", head, err)
		}
		change(t, f, Entry{Kind: Grants, Key: "after"})
		if diff := cmp.Diff([]Entry{{1, Grants, "before", 0}, {2, Grants, "after", 0}}, s.all()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestHead: within a change the head is what was there before it.
func TestHead(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		f, _ := started(t, open(t, engine, newClock()))
		for want := range int64(3) {
			err := f.Change(t.Context(), func(tx *Tx) error {
				tx.Append(Grants, "x", Evict)
				if head, err := Head(t.Context(), tx.Tx); head != want || err != nil {
					return fmt.Errorf("the head is %d, %w; want %d", head, err, want)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if f.Applied() != want+1 {
				t.Errorf("applied up to %d; want %d", f.Applied(), want+1)
			}
		}
	})
}

// TestStartLoadsWhatStillMatters: state that is not over, nothing that is, and no evictions, since nothing is cached.
func TestStartLoadsWhatStillMatters(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		c := newClock()
		db := open(t, engine, c)
		f, _ := started(t, db)
		now := c.Now().UnixMilli()
		slack := ClockSlack.Milliseconds()
		change(t, f,
			Entry{Kind: TokenRevoked, Key: "live", Until: now + slack},
			Entry{Kind: TokenRevoked, Key: "just over", Until: now},
			Entry{Kind: TokenRevoked, Key: "long over", Until: now - 1},
			Entry{Kind: Grants, Key: "evicted"},
			Entry{Kind: CutInstance, Until: now + 1})
		c.advance(ClockSlack)
		later, s := started(t, db)
		want := []Entry{{0, TokenRevoked, "live", now + slack}, {0, TokenRevoked, "just over", now}, {5, CutInstance, "", now + 1}}
		if diff := cmp.Diff(want, inSeqOrder(s.all())); diff != "" {
			t.Error(diff)
		}
		if later.Applied() != 5 {
			t.Errorf("applied up to %d; want 5", later.Applied())
		}
		change(t, f, Entry{Kind: Grants, Key: "next"})
		if err := later.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.all(); len(got) != 4 || got[3] != (Entry{6, Grants, "next", 0}) {
			t.Errorf("then came %+v; want the next entry", got[3:])
		}
	})
}

func inSeqOrder(entries []Entry) []Entry {
	sorted := append([]Entry{}, entries...)
	for i := range sorted {
		for j := i; j > 0 && sorted[j].Seq < sorted[j-1].Seq; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	return sorted
}

// TestStartReportsWhatFails: a feed that cannot read must not serve.
func TestStartReportsWhatFails(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		db := open(t, engine, newClock())
		f, _ := follower(db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Start(t.Context()); !errors.Is(err, sqldb.ErrClosed) {
			t.Errorf("started on a closed database: %v", err)
		}
	})
}

// TestPrune deletes what is over, in steps, and nothing that somebody may need.
func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		c := newClock()
		db := open(t, engine, c)
		f, _ := started(t, db)
		now := c.Now().UnixMilli()
		hour := time.Hour.Milliseconds()
		change(t, f,
			Entry{Kind: Grants, Key: "1"}, Entry{Kind: Grants, Key: "2"}, Entry{Kind: Grants, Key: "3"},
			Entry{Kind: TokenRevoked, Key: "4", Until: now + hour}, Entry{Kind: TokenRevoked, Key: "5", Until: now + 100*hour})
		for _, step := range []struct {
			at   int64
			n    int64
			want []int64
		}{
			{now + ClockSlack.Milliseconds(), 10, []int64{1, 2, 3, 4, 5}},
			{now + ClockSlack.Milliseconds() + 1, 2, []int64{3, 4, 5}},
			{now + ClockSlack.Milliseconds() + 1, 2, []int64{4, 5}},
			{now + ClockSlack.Milliseconds() + hour, 10, []int64{4, 5}},
			{now + ClockSlack.Milliseconds() + hour + 1, 10, []int64{5}},
			{now + 50*hour, 10, []int64{5}},
		} {
			c.ms.Store(step.at)
			before := logged(t, db)
			deleted, err := f.Prune(t.Context(), step.n)
			if err != nil {
				t.Fatal(err)
			}
			left := logged(t, db)
			if diff := cmp.Diff(step.want, left); diff != "" || deleted != int64(len(before)-len(left)) {
				t.Errorf("%d h later: %d deleted\n%s", (step.at-now)/hour, deleted, diff)
			}
		}
	})
}

func logged(t *testing.T, db *sqldb.DB) (list []int64) {
	t.Helper()
	if err := db.Select(t.Context(), &list, `SELECT seq FROM change_log ORDER BY seq`); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestReplicaThatWasAway: entries that it missed and that are pruned make it start over, with all state.
func TestReplicaThatWasAway(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		c := newClock()
		db := open(t, engine, c)
		f, _ := started(t, db)
		away, s := follower(db)
		if err := away.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := away.deleteReplica(t.Context()); engine == sqldb.Postgres && err != nil { // nobody waits for it
			t.Fatal(err)
		}
		until := c.Now().Add(100 * time.Hour).UnixMilli()
		change(t, f, Entry{Kind: TokenRevoked, Key: "state", Until: until}, Entry{Kind: Grants, Key: "evicted"})
		c.advance(ClockSlack + time.Second)
		if n, err := f.Prune(t.Context(), 10); n != 1 || err != nil {
			t.Fatalf("pruned %d, %v; want the eviction", n, err)
		}
		change(t, f, Entry{Kind: Config, Key: "newest"})
		if err := away.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if away.Applied() != 3 || s.resets != 1 {
			t.Errorf("applied up to %d with %d resets; want 3 and 1", away.Applied(), s.resets)
		}
		if got := s.all(); len(got) == 0 || got[0] != (Entry{0, TokenRevoked, "state", until}) {
			t.Errorf("was handed %+v; want the state first", got)
		}
	})
}

// TestFollowersGetTheirKindAlone, in the order in which they were added.
func TestFollowersGetTheirKindAlone(t *testing.T) {
	f := New(Options{DB: open(t, sqldb.SQLite, newClock()), Logger: quiet})
	var got []string
	follow := func(name string, kind Kind) {
		f.Follow(kind, func(e Entry) { got = append(got, name+" "+e.Key) })
	}
	follow("first", Grants)
	follow("config", Config)
	follow("second", Grants)
	start(t, f)
	change(t, f, Entry{Kind: Grants, Key: "a"}, Entry{Kind: IdentityRow, Key: "b"}, Entry{Kind: Config, Key: "c"})
	if diff := cmp.Diff([]string{"first a", "second a", "config c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestKeys(t *testing.T) {
	if first, second := Cut(Key("a", "b")); first != "a" || second != "b" {
		t.Errorf("%q, %q", first, second)
	}
	if first, second := Cut("alone"); first != "alone" || second != "" {
		t.Errorf("%q, %q", first, second)
	}
}

// TestRoundsBeginAfterTheCall: whoever joins shares work, but never work that began before it came.
func TestRoundsBeginAfterTheCall(t *testing.T) {
	var r rounds
	var mu sync.Mutex
	now := 0 // counts beginnings of work and calls
	tick := func() int {
		mu.Lock()
		defer mu.Unlock()
		now++
		return now
	}
	var works, began int
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 200 {
				came := tick()
				err := r.join(func() error {
					mu.Lock()
					now++
					began = now
					works++
					mu.Unlock()
					for range 5 {
						runtime.Gosched() // so that others come meanwhile
					}
					return errOnPurpose
				})
				if !errors.Is(err, errOnPurpose) {
					t.Errorf("got %v; want the outcome of the work", err)
				}
				mu.Lock()
				if last := began; last < came {
					t.Errorf("came at %d and got the work that began at %d", came, last)
				}
				mu.Unlock()
			}
		})
	}
	callers.Wait()
	if works > 1600 {
		t.Errorf("%d rounds for 1600 calls", works)
	}
}
