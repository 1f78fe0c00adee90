package audit

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// told is what the log says of the failures of a type: how many events, and how many failures they tell of.
type told struct{ Events, Failures int }

func (f *fixture) told(eventType string) (sum told) {
	f.t.Helper()
	if err := f.Flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	var texts []string
	if err := f.db.Select(f.t.Context(), &texts, `SELECT event_metadata FROM audit_logs WHERE event_type = $1`, eventType); err != nil {
		f.t.Fatal(err)
	}
	for _, text := range texts {
		var metadata struct{ SuppressedRepeats int }
		if err := json.Unmarshal([]byte(text), &metadata); err != nil {
			f.t.Fatal(err)
		}
		sum.Events++
		sum.Failures += max(1, metadata.SuppressedRepeats)
	}
	return sum
}

func (f *fixture) fail(actor access.Actor, ip string, reason string) {
	f.t.Helper()
	actor.Client.IP = netip.MustParseAddr(ip)
	if err := f.NoteFailure(f.t.Context(), &actor, Event{Type: Type{"failed"}, Metadata: map[string]any{"message": "no"}}, reason); err != nil {
		f.t.Fatal(err)
	}
}

// TestAStrangerCannotFillTheLog: what one caller does again and again is counted, and nothing of it is forgotten.
func TestAStrangerCannotFillTheLog(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := *admin(t)
		for range 5000 {
			f.fail(actor, "192.0.2.7", "wrong")
		}
		step := func(name string, after time.Duration, want told) {
			t.Helper()
			f.clock.advance(after)
			if diff := cmp.Diff(want, f.told("failed")); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		step("at once", 0, told{RepeatsKept, RepeatsKept})
		step("before the count is due", firstCount-time.Millisecond, told{RepeatsKept, RepeatsKept})
		step("when it is due", time.Millisecond, told{RepeatsKept + 1, 5000})
		f.fail(actor, "192.0.2.7", "wrong")
		step("the next count is not due", firstCount, told{RepeatsKept + 1, 5000})
		step("the next count", laterCounts-firstCount, told{RepeatsKept + 2, 5001})
		f.clock.advance(RepeatWindow)
		step("after the window", 0, told{RepeatsKept + 2, 5001})
		f.fail(actor, "192.0.2.7", "wrong")
		step("a new window", 0, told{RepeatsKept + 3, 5002})
		if n := len(f.repeats.open); n != 1 {
			t.Errorf("%d series are remembered", n)
		}
	})
}

// TestFailuresAreToldApart: by what failed, why, for whom and from which network. The 64 bits that an IPv6 caller has for itself
// are one network.
func TestFailuresAreToldApart(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		a := *admin(t)
		b, c := a, a
		b.ID, c.OrgID = id.New(), id.New()
		repeat := func(actor access.Actor, ip, reason string) {
			for range RepeatsKept + 1 {
				f.fail(actor, ip, reason)
			}
		}
		for _, actor := range []access.Actor{a, b, c} {
			repeat(actor, "192.0.2.7", "wrong")
		}
		repeat(a, "192.0.2.8", "wrong")
		repeat(a, "192.0.2.7", "locked")
		repeat(a, "2001:db8::1", "wrong")
		repeat(a, "2001:db8::2", "wrong")
		const apart = 6
		if diff := cmp.Diff(told{apart * RepeatsKept, apart * RepeatsKept}, f.told("failed")); diff != "" {
			t.Error(diff)
		}
		f.clock.advance(firstCount)
		if diff := cmp.Diff(told{apart*RepeatsKept + apart, 7 * (RepeatsKept + 1)}, f.told("failed")); diff != "" {
			t.Error(diff)
		}
	})
}

// TestManyStrangersCannotFillTheLog: from however many addresses they come, what they write and what is remembered of them
// is bounded, and every failure is counted.
func TestManyStrangersCannotFillTheLog(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor, hours, failures := *admin(t), 3, 0
		for range hours {
			for n := range 2000 {
				f.fail(actor, fmt.Sprintf("2001:db8:%x::1", n), "wrong")
				failures++
				f.clock.advance(RepeatWindow / 2000)
			}
			if n := len(f.repeats.open); n > 2*maxFailures+2 {
				t.Errorf("%d series are remembered", n)
			}
		}
		f.clock.advance(RepeatWindow)
		got := f.told("failed")
		if most := hours * (maxFailures + 4) * 2; got.Failures != failures || got.Events > most {
			t.Errorf("the log tells of %d failures in %d events; there were %d, and at most %d events", got.Failures, got.Events, failures, most)
		}
		if len(f.repeats.open) != 0 || len(f.repeats.apart) != 0 {
			t.Errorf("%d series are remembered when all are over, and %d organizations", len(f.repeats.open), len(f.repeats.apart))
		}
	})
}

// TestAFailureOfNobody belongs to the organization that the server was set up with: somebody can read it.
func TestAFailureOfNobody(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		reader := admin(t)
		sqldbtest.Exec(t, f.db, `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', 'o', 1, 1)`, id.New())
		sqldbtest.Exec(t, f.db, `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'p', 'p', 0, 0)`, reader.OrgID)
		nobody := access.Actor{Type: access.ActorUnknown, Client: reader.Client}
		f.fail(nobody, "192.0.2.7", "unknown_user")
		f.record(&nobody, Event{Type: Type{"recorded"}})
		got := f.query(reader, Filter{Limit: 10, ActorType: "unknownUser"})
		if len(got) != 2 {
			t.Fatalf("found %+v", got)
		}
		if want := `{"message":"no","reasonCode":"unknown_user"}`; string(got[0].Event.Metadata) != want && string(got[1].Event.Metadata) != want {
			t.Errorf("the metadata is %s and %s", got[0].Event.Metadata, got[1].Event.Metadata)
		}
	})
}

// TestCountsAreToldAtTheEnd: a server that ends keeps none to itself.
func TestCountsAreToldAtTheEnd(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for range 2 * RepeatsKept {
			f.fail(*admin(t), "192.0.2.7", "wrong")
		}
		actor := *admin(t)
		for range 2 * RepeatsKept {
			f.fail(actor, "192.0.2.7", "wrong")
		}
		f.repeats.end()
		if got := f.told("failed"); got.Failures != 4*RepeatsKept {
			t.Errorf("%+v", got)
		}
	})
}
