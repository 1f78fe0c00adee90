package feed

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Each test here is about a step whose order the guarantee rests on; docs/model shows what goes wrong otherwise.

// TestChangesDuringAReset come in as entries, since whatever is cached after the reset may lack them.
func TestChangesDuringAReset(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		c := newClock()
		db := open(t, engine, c)
		f, _ := started(t, db)
		away, s := follower(db)
		if err := away.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if engine == sqldb.Postgres {
			signOff(t, away)
		}
		change(t, f, Entry{Kind: Grants, Key: "pruned"})
		c.advance(ClockSlack + time.Second)
		if n, err := f.Prune(t.Context(), 10); n != 1 || err != nil {
			t.Fatalf("pruned %d, %v; want 1", n, err)
		}
		late := Entry{Kind: Grants, Key: "during the reset"}
		away.OnReset(func() { change(t, f, late) })
		if err := away.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if late.Seq = 2; !slices.Contains(s.all(), late) {
			t.Errorf("was handed %+v; want %+v among them", s.all(), late)
		}
	})
}

// signOff takes a replica off the register, so that nobody waits for it.
func signOff(t *testing.T, f *Feed) {
	t.Helper()
	if err := f.deleteReplica(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestNoTokenIsBornInsideATransaction: Applied does not grow between the entries of one.
func TestNoTokenIsBornInsideATransaction(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		db := open(t, engine, newClock())
		f, _ := follower(db)
		var applied []int64
		for _, kind := range []Kind{CutIdentity, Config} {
			f.Follow(kind, func(Entry) { applied = append(applied, f.Applied()) })
		}
		start(t, f)
		change(t, f, Entry{Kind: CutIdentity, Key: "i", Until: 1}, Entry{Kind: Config, Key: "i"})
		if diff := cmp.Diff([]int64{0, 0}, applied); diff != "" {
			t.Errorf("applied at each entry (-want +got):\n%s", diff)
		}
		if f.Applied() != 2 {
			t.Errorf("applied up to %d in the end; want 2", f.Applied())
		}
	})
}

// TestDatabaseThatLostChanges, as after a restore under a running replica: its sequence numbers are given out again.
func TestDatabaseThatLostChanges(t *testing.T) {
	db := open(t, sqldb.Postgres, newClock())
	f, s := follower(db)
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	change(t, f, Entry{Kind: Grants, Key: "kept"}, Entry{Kind: Grants, Key: "lost"})
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM change_log WHERE seq = 2`)
		if err == nil {
			_, err = tx.Exec(t.Context(), `UPDATE feed_head SET seq = 1 WHERE id = 'head'`)
		}
		return err
	})
	if err == nil {
		err = f.CatchUp(t.Context())
	}
	if err != nil || f.Applied() != 1 || s.resets != 1 {
		t.Fatalf("applied up to %d with %d resets, %v; want 1 and 1", f.Applied(), s.resets, err)
	}
	change(t, f, Entry{Kind: Grants, Key: "new"})
	if !slices.Contains(s.all(), Entry{Seq: 2, Kind: Grants, Key: "new"}) {
		t.Errorf("was handed %+v; want the new change 2 among them", s.all())
	}
}

// TestSurveyTrustsNothingNewerThanTheRegister: what was applied here after the register was read may be unknown to a
// replica that is not in it.
func TestSurveyTrustsNothingNewerThanTheRegister(t *testing.T) {
	f := &Feed{leaseTime: time.Second}
	f.applied.Store(9)
	for name, tc := range map[string]struct {
		replicas []Replica
		own      int64
		longest  time.Duration
		known    int64
	}{
		"alone":                              {[]Replica{{Self: true, Lease: time.Second, Schema: 1}}, 7, time.Second, 7},
		"behind others":                      {[]Replica{{Self: true, Schema: 1}, {Applied: 8, Lease: time.Second, Schema: 1}}, 7, time.Second, 7},
		"another behind":                     {[]Replica{{Self: true, Schema: 1}, {Applied: 5, Lease: 3 * time.Second, Schema: 1}}, 7, 3 * time.Second, 5},
		"beside one that can decide nothing": {[]Replica{{Self: true, Schema: 1}, {Applied: 5, Lease: 3 * time.Second}}, 7, time.Second, 7},
	} {
		t.Run(name, func(t *testing.T) {
			if longest, known := f.survey(tc.replicas, tc.own); longest != tc.longest || known != tc.known {
				t.Errorf("longest %v, known %d; want %v, %d", longest, known, tc.longest, tc.known)
			}
		})
	}
}

// TestFollowReports also what somebody else has read: whoever waits hears of it at the hint, not at the next renewal.
func TestFollowReports(t *testing.T) {
	db := open(t, sqldb.Postgres, newClock())
	f, _ := follower(db)
	other, _ := follower(db)
	for _, f := range []*Feed{f, other} {
		if err := f.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	signOff(t, f)
	change(t, other, Entry{Kind: Grants, Key: "k"}) // waits for nobody
	if err := f.register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.CatchUp(t.Context()); err != nil { // a request without a lease, say
		t.Fatal(err)
	}
	if err := f.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	replicas, err := f.Replicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range replicas {
		if r.Self && r.Applied != 1 {
			t.Errorf("reported %d; want 1", r.Applied)
		}
	}
}

// TestRoundThatPanics is no success to those who share it.
func TestRoundThatPanics(t *testing.T) {
	var r rounds
	var shared *round
	func() {
		defer func() { _ = recover() }()
		r.running.Lock()
		go func() {
			r.mu.Lock()
			for r.next == nil {
				r.mu.Unlock()
				r.mu.Lock()
			}
			shared = r.next
			r.mu.Unlock()
			r.running.Unlock()
		}()
		_ = r.join(func() error { panic("no") })
	}()
	if <-shared.done; !errors.Is(shared.err, errNoRound) {
		t.Errorf("got %v; want errNoRound", shared.err)
	}
}
