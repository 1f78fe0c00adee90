package main

import (
	"slices"
	"time"
)

// spread is what a sort of change takes: each alone in milliseconds, and all together in changes a second.
type spread struct{ median, high, rate float64 }

// middle returns the median of each figure over rounds.
func middle(rounds []spread) spread {
	pick := func(of func(spread) float64) float64 {
		values := make([]float64, len(rounds))
		for i, r := range rounds {
			values[i] = of(r)
		}
		return median(values)
	}
	return spread{pick(func(s spread) float64 { return s.median }), pick(func(s spread) float64 { return s.high }),
		pick(func(s spread) float64 { return s.rate })}
}

// spreadOf sums up the changes of one round, which took so long in all.
func spreadOf(each []time.Duration, all time.Duration) spread {
	slices.Sort(each)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return spread{ms(each[len(each)/2]), ms(each[len(each)*99/100]), float64(len(each)) / all.Seconds()}
}
