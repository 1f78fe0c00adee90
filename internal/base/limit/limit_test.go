package limit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/limit"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// TestTake: three at once, two a second.
func TestTake(t *testing.T) {
	full := 1500 * time.Millisecond
	tests := map[string]struct {
		before []time.Duration // when others were taken
		at     time.Duration
		want   limit.State
	}{
		"allowed/first":               {nil, 0, limit.State{Allowed: true, Limit: 3, Left: 2, Full: full / 3}},
		"allowed/last":                {[]time.Duration{0, 0}, 0, limit.State{Allowed: true, Limit: 3, Wait: full / 3, Full: full}},
		"refused/empty":               {[]time.Duration{0, 0, 0}, 0, limit.State{Limit: 3, Wait: full / 3, Full: full}},
		"refused/just before":         {[]time.Duration{0, 0, 0}, full/3 - 1, limit.State{Limit: 3, Wait: 1, Full: full - full/3 + 1}},
		"allowed/one is there again":  {[]time.Duration{0, 0, 0}, full / 3, limit.State{Allowed: true, Limit: 3, Wait: full / 3, Full: full}},
		"refused/refusals cost none":  {[]time.Duration{0, 0, 0, 0, 0, 0}, 0, limit.State{Limit: 3, Wait: full / 3, Full: full}},
		"allowed/full after a while":  {[]time.Duration{0, 0, 0}, time.Hour, limit.State{Allowed: true, Limit: 3, Left: 2, Full: full / 3}},
		"refused/clock was set back":  {[]time.Duration{time.Hour}, 0, limit.State{Limit: 3, Wait: full / 3, Full: full}},
		"allowed/back, and then on":   {[]time.Duration{time.Hour, 0}, full / 3, limit.State{Allowed: true, Limit: 3, Wait: full / 3, Full: full}},
		"allowed/clock was set ahead": {[]time.Duration{0, 0, 0, time.Hour}, time.Hour, limit.State{Allowed: true, Limit: 3, Left: 1, Full: 2 * full / 3}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := limit.New[string](limit.Rule{Rate: 2, Burst: 3}, 10)
			for _, at := range test.before {
				b.Take("a", start.Add(at))
			}
			looked := b.Look("a", start.Add(test.at))
			got := b.Take("a", start.Add(test.at))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(- want, + got)\n%s", diff)
			}
			if looked.Allowed != got.Allowed {
				t.Errorf("Look said %v", looked.Allowed)
			}
			if other := b.Take("b", start.Add(test.at)); !other.Allowed || other.Left != 2 {
				t.Errorf("the bucket of another: %+v", other)
			}
		})
	}
}

func TestOffLimitsNothing(t *testing.T) {
	b := limit.New[string](limit.Rule{Burst: 1}, 10)
	for range 5 {
		if got := b.Take("a", start); !got.Allowed || !b.Look("a", start).Allowed {
			t.Fatalf("%+v", got)
		}
	}
}

// TestNeverMoreThanTheRule: whatever the times, no span of time sees more than the burst and what the rate adds in it.
func TestNeverMoreThanTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := limit.Rule{Rate: rapid.Int64Range(1, 1000).Draw(t, "rate"), Burst: rapid.Int64Range(1, 50).Draw(t, "burst")}
		b := limit.New[int](r, 10)
		now, taken := start, []time.Time{}
		for _, pause := range rapid.SliceOfN(rapid.Int64Range(0, int64(time.Second)/r.Rate), 1, 200).Draw(t, "pauses") {
			now = now.Add(time.Duration(pause))
			before := b.Look(1, now)
			got := b.Take(1, now)
			if got.Allowed {
				taken = append(taken, now)
			}
			if got.Allowed != (before.Left > 0) || got.Allowed != (before.Wait == 0) {
				t.Fatalf("allowed %v, though Look said %+v", got.Allowed, before)
			}
		}
		for i := range taken {
			n, span := int64(len(taken)-i), taken[len(taken)-1].Sub(taken[i])
			if most := r.Burst + int64(span)*r.Rate/int64(time.Second) + 1; n > most {
				t.Fatalf("%d within %s; at most %d are allowed", n, span, most)
			}
		}
	})
}

// TestAtOnce: however many take at once, exactly the burst gets through.
func TestAtOnce(t *testing.T) {
	b := limit.New[string](limit.Rule{Rate: 1, Burst: 500}, 10)
	var allowed atomic.Int64
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for range 200 {
				if b.Take("a", start).Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	done.Wait()
	if allowed.Load() != 500 {
		t.Errorf("%d got through, want 500", allowed.Load())
	}
}

// TestMemoryIsBounded: a caller with ever new addresses gets no more than the buckets that there are, and does not make
// anybody's bucket full who goes on asking.
func TestMemoryIsBounded(t *testing.T) {
	b := limit.New[int](limit.Rule{Rate: 1, Burst: 2}, 100)
	for i := range 20_000 {
		b.Take(i+1, start)
		b.Take(0, start)
	}
	if n := b.Keys(); n > 200 {
		t.Errorf("%d buckets are kept, of at most 100", n)
	}
	if b.Look(0, start).Allowed {
		t.Error("the bucket of a busy caller was thrown out")
	}
}

func TestSeen(t *testing.T) {
	s := limit.NewSeen()
	if s.Has("a") {
		t.Error("it has seen what it was never told of")
	}
	s.Add("a")
	s.Add("a")
	if !s.Has("a") || s.Has("b") {
		t.Errorf("has a %v, has b %v", s.Has("a"), s.Has("b"))
	}
	for i := range 100_000 {
		s.Add(fmt.Sprint("text ", i))
	}
	if !s.Has("text 99999") {
		t.Error("it has no room for a new text")
	}
}

func BenchmarkTake(b *testing.B) {
	buckets := limit.New[string](limit.Rule{Rate: 1_000_000_000, Burst: 1_000_000_000}, 65536)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		buckets.Take("01a20370-272c-7000-8000-000000000001", now)
	}
}

func BenchmarkSeen(b *testing.B) {
	s, token := limit.NewSeen(), fmt.Sprintf("%0900d", 7)
	b.ReportAllocs()
	for b.Loop() {
		if !s.Has(token) {
			s.Add(token)
		}
	}
}
