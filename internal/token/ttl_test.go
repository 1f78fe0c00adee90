package token

import (
	"testing"

	"pgregory.net/rapid"
)

func TestEnd(t *testing.T) {
	const created, ceiling = 1_000_000, 7_776_000
	for name, c := range map[string]struct {
		ttl, maxTTL, period, age, ceiling, want int64
	}{
		"ttl":                          {ttl: 60, maxTTL: 600, ceiling: ceiling, want: 60},
		"ttl alone":                    {ttl: 60, ceiling: ceiling, want: 60},
		"what is left of max ttl":      {ttl: 60, maxTTL: 600, age: 570, ceiling: ceiling, want: 30},
		"the last second of max ttl":   {ttl: 60, maxTTL: 600, age: 599, ceiling: ceiling, want: 1},
		"nothing left":                 {ttl: 60, maxTTL: 600, age: 600, ceiling: ceiling, want: 0},
		"less than nothing left":       {ttl: 60, maxTTL: 600, age: 700, ceiling: ceiling, want: -100},
		"max ttl where ttl is 0":       {maxTTL: 600, age: 100, ceiling: ceiling, want: 500},
		"ceiling where both are 0":     {ceiling: ceiling, want: ceiling},
		"ceiling where both are old":   {age: 1_000_000_000, ceiling: ceiling, want: ceiling},
		"ceiling below ttl":            {ttl: 60, ceiling: 10, want: 10},
		"ceiling below max ttl":        {maxTTL: 600, ceiling: 10, want: 10},
		"period":                       {period: 300, ceiling: ceiling, want: 300},
		"period, however old":          {period: 300, age: 1_000_000_000, ceiling: ceiling, want: 300},
		"period before ttl, max ttl":   {ttl: 60, maxTTL: 600, period: 300, age: 1000, ceiling: ceiling, want: 300},
		"ceiling below period":         {period: 300, ceiling: 10, want: 10},
		"the longest that can be set":  {ttl: MaxTTL, maxTTL: MaxTTL, ceiling: MaxTTL, want: MaxTTL},
		"a clock set back adds no ttl": {ttl: 60, maxTTL: 600, age: -1000, ceiling: ceiling, want: 60},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (Limits{c.ttl, c.maxTTL, c.period}).end(created, created+c.age, c.ceiling) - created - c.age; got != c.want {
				t.Errorf("%d seconds; want %d", got, c.want)
			}
		})
	}
}

// TestEndIsTheTightestLimit draws any limits and asks that none is passed, and that one of them is reached.
func TestEndIsTheTightestLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(0, MaxTTL)
		ttl, maxTTL, period := seconds.Draw(t, "ttl"), seconds.Draw(t, "maxTTL"), rapid.OneOf(rapid.Just(int64(0)), seconds).Draw(t, "period")
		created := rapid.Int64Range(0, 1<<40).Draw(t, "created")
		now := created + rapid.Int64Range(-1000, 2*MaxTTL).Draw(t, "age")
		ceiling := rapid.Int64Range(1, MaxTTL).Draw(t, "ceiling")
		limits := []int64{ceiling}
		if period > 0 {
			limits = append(limits, period)
		}
		if period == 0 && ttl > 0 {
			limits = append(limits, ttl)
		}
		if period == 0 && maxTTL > 0 {
			limits = append(limits, created+maxTTL-now)
		}
		got, reached := Limits{ttl, maxTTL, period}.end(created, now, ceiling)-now, false
		for _, limit := range limits {
			if got > limit {
				t.Fatalf("%d seconds pass the limit of %d", got, limit)
			}
			reached = reached || got == limit
		}
		if !reached {
			t.Fatalf("%d seconds; some limit of %v is to be reached", got, limits)
		}
	})
}

// TestNoJWTOutlivesTheLastEnd: a JWT that was issued earlier, under a lower ceiling and any other configuration, expires by
// the end that the claims tell now.
func TestNoJWTOutlivesTheLastEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, MaxTTL))
		l := Limits{seconds.Draw(t, "ttl"), seconds.Draw(t, "maxTTL"), seconds.Draw(t, "period")}
		created := rapid.Int64Range(0, 1<<40).Draw(t, "created")
		issued := created + rapid.Int64Range(0, 2*MaxTTL).Draw(t, "issued after")
		now := issued + rapid.Int64Range(0, MaxTTL).Draw(t, "now after")
		ceiling := rapid.Int64Range(1, MaxTTL).Draw(t, "ceiling")
		greatest := ceiling + rapid.Int64Range(0, MaxTTL).Draw(t, "raised by")
		if was, bound := l.end(created, issued, ceiling), l.lastEnd(created, now, greatest); was > bound {
			t.Fatalf("a JWT of %+v expires at %d, after %d", l, was, bound)
		}
	})
}

// TestLesserAllowsWhatBothAllow: under the lesser of two limits a JWT lives exactly as long as under the tighter one, and there
// is no max TTL only where neither has one.
func TestLesserAllowsWhatBothAllow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, MaxTTL))
		draw := func(name string) Limits {
			return Limits{seconds.Draw(t, name+" ttl"), seconds.Draw(t, name+" maxTTL"), seconds.Draw(t, name+" period")}
		}
		one, other := draw("one"), draw("other")
		created := rapid.Int64Range(0, 1<<40).Draw(t, "created")
		now := created + rapid.Int64Range(0, 2*MaxTTL).Draw(t, "age")
		ceiling := rapid.Int64Range(1, MaxTTL).Draw(t, "ceiling")
		both := one.lesser(other)
		if got, want := both.end(created, now, ceiling), min(one.end(created, now, ceiling), other.end(created, now, ceiling)); got != want {
			t.Fatalf("%+v and %+v: %+v ends at %d; want %d", one, other, both, got, want)
		}
		if endless := one.maxTTL() == 0 && other.maxTTL() == 0; (both.maxTTL() == 0) != endless {
			t.Fatalf("%+v and %+v: max TTL %d", one, other, both.maxTTL())
		}
	})
}
