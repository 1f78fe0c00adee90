package lockout

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

var rule = Rule{Threshold: 3, Duration: 5 * time.Minute, Reset: time.Minute}

// fixture counts failures of one target, with a clock that only the test moves.
type fixture struct {
	*Counter
	t  *testing.T
	ms atomic.Int64
}

func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			f := &fixture{t: t}
			f.ms.Store(1_790_000_000_000)
			f.Counter = New(sqldbtest.OpenWith(t, engine, sqldb.Options{Now: func() time.Time { return time.UnixMilli(f.ms.Load()) }}))
			fn(t, f)
		})
	}
}

func (f *fixture) advance(d time.Duration) { f.ms.Add(d.Milliseconds()) }

func (f *fixture) fail(ip string, times int) {
	f.t.Helper()
	for range times {
		if err := f.Fail(f.t.Context(), "m", "target", netip.MustParseAddr(ip), rule); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *fixture) locked(ip string, r Rule) bool {
	f.t.Helper()
	known, err := f.Failures(f.t.Context(), "m", "target", netip.MustParseAddr(ip))
	if err != nil {
		f.t.Fatal(err)
	}
	return known.Locked(r, time.UnixMilli(f.ms.Load()))
}

func (f *fixture) want(ip string, locked bool) {
	f.t.Helper()
	if got := f.locked(ip, rule); got != locked {
		f.t.Fatalf("%s is locked: %v, want %v", ip, got, locked)
	}
}

func TestCallersAreLockedAtTheThreshold(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.fail("192.0.2.1", 2)
		f.want("192.0.2.1", false)
		f.fail("192.0.2.1", 1)
		f.want("192.0.2.1", true)
		f.want("::ffff:192.0.2.1", true)
		f.want("192.0.2.2", false)
		if f.locked("192.0.2.1", Rule{}) {
			t.Error("the zero rule locks")
		}
		f.advance(rule.Duration - time.Millisecond)
		f.want("192.0.2.1", true)
		f.advance(time.Millisecond)
		f.want("192.0.2.1", false)
	})
}

func TestCallersOfANetworkAreOne(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for n := range 3 {
			f.fail(fmt.Sprintf("2001:db8::%d", n), 1)
		}
		f.want("2001:db8::ffff", true)
		f.want("2001:db8:0:1::1", false)
	})
}

func TestFailuresAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.fail("192.0.2.1", 2)
		f.advance(rule.Reset + time.Millisecond)
		f.fail("192.0.2.1", 2)
		f.want("192.0.2.1", false)
		if err := f.Forgive(t.Context(), "m", "target", netip.MustParseAddr("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		f.fail("192.0.2.1", 2)
		f.want("192.0.2.1", false)
		f.fail("192.0.2.1", 1)
		f.want("192.0.2.1", true)
	})
}

func TestWhereEverybodyFailsTheFirstFailureLocks(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for n := range ceiling {
			f.fail(fmt.Sprintf("198.51.100.%d", n), 2)
		}
		f.want("198.51.100.1", false)
		f.fail("198.51.100.100", 2)
		for n := range ceiling - 2 {
			f.fail(fmt.Sprintf("203.0.113.%d", n), 1)
		}
		f.want("198.51.100.1", true)
		f.want("192.0.2.1", false) // who does not fail is let in
		f.advance(rule.Reset)
		f.want("198.51.100.1", false)
	})
}

// TestFailuresAtOnceAreAllCounted: 40 at once are 40.
func TestFailuresAtOnceAreAllCounted(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		patient := Rule{Threshold: 40, Duration: time.Minute, Reset: time.Minute}
		ip := netip.MustParseAddr("192.0.2.1")
		var group sync.WaitGroup
		for range 39 {
			group.Go(func() {
				if err := f.Fail(t.Context(), "m", "target", ip, patient); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if f.locked("192.0.2.1", patient) {
			t.Error("39 failures lock")
		}
		if err := f.Fail(t.Context(), "m", "target", ip, patient); err != nil {
			t.Fatal(err)
		}
		if !f.locked("192.0.2.1", patient) {
			t.Error("40 failures do not lock")
		}
	})
}

func TestClearAndClean(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.fail("192.0.2.1", 3)
		f.fail("192.0.2.2", 1)
		var locked int64
		err := f.db.Write(t.Context(), func(tx *sqldb.Tx) (err error) {
			locked, err = Clear(t.Context(), tx, "m", "target")
			return err
		})
		if err != nil || locked != 1 {
			t.Fatalf("%d were locked, %v; want 1", locked, err)
		}
		f.want("192.0.2.1", false)
		f.fail("192.0.2.1", 1) // a row of its own, and one of all callers
		f.advance(24 * time.Hour)
		if n, err := f.Clean(t.Context(), 10); err != nil || n != 0 {
			t.Errorf("after a day %d rows were deleted, %v", n, err)
		}
		f.advance(time.Millisecond)
		if n, err := f.Clean(t.Context(), 10); err != nil || n != 2 {
			t.Errorf("after more than a day %d rows were deleted, %v; want 2", n, err)
		}
	})
}
