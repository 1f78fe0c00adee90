package feed

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// tooNew makes the schema one that no program of today can serve.
const tooNew = `UPDATE feed_head SET oldest = 9000`

// mustEnd fails the test unless a feed is at its end and refuses everything.
func mustEnd(t *testing.T, f *Feed, err error) {
	t.Helper()
	if !fault.Is(err, fault.Unavailable) || !superseded(err) {
		t.Errorf("refused with %v; want 503 with the reason", err)
	}
	select {
	case <-f.ending.over:
	default:
		t.Fatal("the server goes on")
	}
	var why *sqldb.Superseded
	if err := f.Superseded(t.Context()); !errors.As(err, &why) || why.Oldest != 9000 {
		t.Errorf("the server is to end with %v; want the reason", err)
	}
	if f.LeaseLeft() > 0 {
		t.Error("it still has a lease")
	}
	if err := f.Current(t.Context()); !superseded(err) {
		t.Errorf("a request is answered after %v; want 503", err)
	}
}

// TestOlderReplicaEnds: one that was struck off, and wakes up next to a newer schema, decides nothing, changes nothing and ends,
// however it notices.
func TestOlderReplicaEnds(t *testing.T) {
	for name, notices := range map[string]func(*Feed, context.Context) error{
		"by a request without a lease": func(f *Feed, ctx context.Context) error { f.lease.extend(0); return f.Current(ctx) },
		"by renewing":                  (*Feed).renew,
		"by following":                 (*Feed).follow,
		"by a change": func(f *Feed, ctx context.Context) error {
			return f.Change(ctx, func(tx *Tx) error {
				tx.Append(Grants, "k", Evict)
				_, err := tx.Exec(ctx, `INSERT INTO assertions (id, expires_at) VALUES ('trace', 0)`)
				return err
			})
		},
	} {
		t.Run("ends/"+name, func(t *testing.T) {
			db := open(t, sqldb.Postgres, newClock())
			f, _ := follower(db)
			if err := f.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			sqldbtest.Exec(t, db, tooNew)
			mustEnd(t, f, notices(f, t.Context()))
			var n int
			if err := db.Get(t.Context(), &n, `SELECT count(*) FROM assertions`); err != nil || n != 0 {
				t.Errorf("%d rows of a refused change are there, %v; want none", n, err)
			}
		})
	}
	t.Run("ends/by registering again", func(t *testing.T) {
		db := open(t, sqldb.Postgres, newClock())
		f, _ := follower(db)
		if err := f.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		signOff(t, f)
		sqldbtest.Exec(t, db, tooNew)
		if err := f.renew(t.Context()); !superseded(err) {
			t.Errorf("registered again: %v", err)
		}
		if replicas, err := f.Replicas(t.Context()); err != nil || len(replicas) != 0 {
			t.Errorf("the register has %v, %v; want nobody", replicas, err)
		}
		f.lease.extend(0)
		mustEnd(t, f, f.Current(t.Context()))
	})
	t.Run("refused/at its start", func(t *testing.T) {
		db := open(t, sqldb.Postgres, newClock())
		sqldbtest.Exec(t, db, tooNew)
		f, _ := follower(db)
		if err := f.Start(t.Context()); !superseded(err) {
			t.Errorf("started: %v", err)
		}
	})
	t.Run("refused/at its start, next to an older database", func(t *testing.T) {
		db := open(t, sqldb.Postgres, newClock())
		sqldbtest.Exec(t, db, `DELETE FROM sallyport_versions WHERE version_id = $1`, db.Schema())
		f, _ := follower(db)
		if err := f.Start(t.Context()); err == nil || superseded(err) {
			t.Errorf("started: %v", err)
		}
	})
}

// TestRegisteringWaitsForWhoeverChangesTheSchema, and looks at the schema afterwards.
func TestRegisteringWaitsForWhoeverChangesTheSchema(t *testing.T) {
	db := open(t, sqldb.Postgres, newClock())
	f, _ := follower(db)
	registered := make(chan error, 1)
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, int64(0x73616c6c79706f72)); err != nil {
			return err
		}
		go func() { registered <- f.Start(context.WithoutCancel(t.Context())) }()
		for waiting := 0; waiting == 0 && len(registered) == 0; {
			if err := tx.Get(t.Context(), &waiting, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`); err != nil {
				return err
			}
		}
		if len(registered) > 0 {
			return errors.New("it registered while the schema was being changed")
		}
		_, err := tx.Exec(t.Context(), tooNew)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-registered; !superseded(err) {
		t.Errorf("it registered next to a schema that it cannot serve: %v", err)
	}
}

// TestNobodyWaitsForAProgramThatDecidesNothing: one from before the version guard never knows a change, however often it beats.
func TestNobodyWaitsForAProgramThatDecidesNothing(t *testing.T) {
	db := open(t, sqldb.Postgres, newClock())
	f, _ := follower(db)
	f.clock = func() time.Duration { return 0 } // a wait for a lease never ends
	start(t, f)
	sqldbtest.Exec(t, db, `INSERT INTO replicas (id, name, lease, beat, applied, started_at, seen_at) VALUES ('old', 'old', 600000, 1, 0, 0, 0)`)
	programs, err := f.Programs(t.Context())
	if err != nil || programs[Program{}] != 1 || programs[Program{Schema: db.Schema()}] != 1 {
		t.Errorf("the register tells of %v, %v; want one old and one of today", programs, err)
	}
	change(t, f, Entry{Kind: Grants, Key: "k"})
	if replicas, err := f.Replicas(t.Context()); err != nil || len(replicas) != 1 {
		t.Errorf("the register has %+v, %v; want the one that serves", replicas, err)
	}
}
