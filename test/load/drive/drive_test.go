package drive

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

// clock is a time that passes when a test says so.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Pause(_ context.Context, until time.Time) error {
	if until.After(c.now) {
		c.now = until
	}
	return nil
}

// driven runs a plan with one caller on a clock of its own; each operation takes so long.
func driven(p Plan, took time.Duration) *Measured {
	c := &clock{time.UnixMilli(0)}
	p.Callers, p.Now, p.Pause = 1, c.Now, c.Pause
	if p.Work == nil {
		p.Work = func(_ context.Context, t *Turn) error {
			c.now = c.now.Add(took)
			t.Done("it", "")
			return nil
		}
	}
	return p.Run(context.Background(), NewTally())
}

// latencies returns what was recorded of a kind, in whole milliseconds, shortest first.
func latencies(m *Measured, kind string) (all []int64) {
	k := m.Kinds()[kind]
	if k == nil {
		return nil
	}
	for _, bar := range k.Latency.Distribution() {
		for range bar.Count {
			all = append(all, ((bar.From+bar.To)/2+500)/1000)
		}
	}
	return all
}

func TestLatencyCounts(t *testing.T) {
	for _, c := range []struct {
		name            string
		plan            Plan
		took            time.Duration
		want            []int64
		planned, unsent int64
	}{
		{"from the intended start in an open loop", Plan{Rate: 10, Duration: time.Second}, 300 * ms, []int64{300, 500, 700, 900}, 10, 6},
		{"only its own time in an open loop that keeps up", Plan{Rate: 10, Duration: 500 * ms}, 40 * ms, []int64{40, 40, 40, 40, 40}, 5, 0},
		{"from its own start in a closed loop", Plan{Duration: time.Second}, 300 * ms, []int64{300, 300, 300, 300}, 0, 0},
		{"not in the warm-up", Plan{Rate: 10, WarmUp: 200 * ms, Duration: 300 * ms}, 100 * ms, []int64{100, 100, 100}, 5, 0},
		{"late from the warm-up on", Plan{Rate: 10, WarmUp: 100 * ms, Duration: 400 * ms}, 200 * ms, []int64{300, 400}, 5, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := driven(c.plan, c.took)
			if diff := cmp.Diff(c.want, latencies(m, "it")); diff != "" {
				t.Errorf("latencies (-want +got):\n%s", diff)
			}
			if m.Planned != c.planned || m.Unsent != c.unsent || m.Err != nil {
				t.Errorf("planned %d, unsent %d, %v; want %d, %d and no error", m.Planned, m.Unsent, m.Err, c.planned, c.unsent)
			}
		})
	}
}

func TestLaterRequestsOfAnOperationCountFromTheOneBefore(t *testing.T) {
	c := &clock{time.UnixMilli(0)}
	p := Plan{Callers: 1, Rate: 1, Duration: 2 * time.Second, Now: c.Now, Pause: c.Pause}
	p.Work = func(_ context.Context, turn *Turn) error {
		c.now = c.now.Add(1500 * ms)
		turn.Done("first", "")
		c.now = c.now.Add(20 * ms)
		turn.Done("second", "")
		c.now = c.now.Add(time.Second)
		turn.Prepared()
		c.now = c.now.Add(30 * ms)
		turn.Done("third", "")
		return nil
	}
	m := p.Run(context.Background(), NewTally())
	got := map[string][]int64{"first": latencies(m, "first"), "second": latencies(m, "second"), "third": latencies(m, "third")}
	want := map[string][]int64{"first": {1500}, "second": {20}, "third": {30}} // the second operation is too late to begin
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("latencies (-want +got):\n%s", diff)
	}
}

func TestRunEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		fail int // of so many requests the last ones fail
		of   int
		most float64
		want string // part of why it ended early; "" for not
	}{
		{"in time/few errors", 9, 9, 0, ""},
		{"in time/within the limit", 20, 100, 0.2, ""},
		{"early/over the limit", 21, 101, 0.2, "21 of 101 requests failed (429: 20, 503: 1)"},
		{"early/nothing but errors", 10, 10, 0.5, "10 of 10 requests failed (429: 9, 503: 1)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			p := Plan{Duration: time.Second, MaxErrors: c.most, Work: func(_ context.Context, t *Turn) error {
				n++
				switch {
				case n > c.of:
					return ErrExhausted
				case n == c.of:
					t.Done("it", "503")
				case n > c.of-c.fail:
					t.Done("it", "429")
				default:
					t.Done("it", "")
				}
				return nil
			}}
			m := driven(p, 0)
			early := !errors.Is(m.Err, ErrExhausted)
			if early != (c.want != "") || early && !strings.Contains(m.Err.Error(), c.want) {
				t.Errorf("ended by %v, want %q", m.Err, c.want)
			}
			if k := m.Kinds()["it"]; k.Latency.TotalCount()+k.Errors["429"]+k.Errors["503"] != m.Sent() || k.Errors["503"] != 1 {
				t.Errorf("%d answers and errors %v, of %d sent", k.Latency.TotalCount(), k.Errors, m.Sent())
			}
		})
	}
}

func TestWhatEndsAfterAnInterruptDoesNotCount(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	p := Plan{Callers: 1, Duration: time.Hour, Now: time.Now, Work: func(_ context.Context, turn *Turn) error {
		turn.Done("it", "")
		interrupt()
		turn.Done("it", "no answer")
		return nil
	}}
	m := p.Run(ctx, NewTally())
	if m.Sent() != 1 || !errors.Is(m.Err, context.Canceled) {
		t.Errorf("%d requests counted, ended by %v; want 1, ended by the interrupt", m.Sent(), m.Err)
	}
}

func TestUntil(t *testing.T) {
	t.Run("waits", func(t *testing.T) {
		moment := time.Now().Add(4 * ms) // longer than what is left to nap
		if err := Until(t.Context(), moment); err != nil || time.Now().Before(moment) {
			t.Errorf("returned too early, with %v", err)
		}
	})
	t.Run("ends early when interrupted", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), ms)
		defer cancel()
		if err := Until(ctx, time.Now().Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("returned %v", err)
		}
	})
}

func TestWhatIsUnderWayCountsWhenNothingIsLeft(t *testing.T) {
	var taken atomic.Int64
	empty := make(chan struct{})
	p := Plan{Callers: 2, Duration: time.Hour, Now: time.Now, Work: func(ctx context.Context, turn *Turn) error {
		if taken.Add(1) > 1 {
			close(empty)
			return ErrExhausted
		}
		<-empty
		turn.Done("it", "")
		return nil
	}}
	if m := p.Run(t.Context(), NewTally()); m.Sent() != 1 || !errors.Is(m.Err, ErrExhausted) {
		t.Errorf("%d requests counted, ended by %v; want 1, since there was nothing left", m.Sent(), m.Err)
	}
}
