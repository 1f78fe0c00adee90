package main

import (
	"cmp"
	"slices"
)

// rounds is how often each thing is measured. The machine has other work: of the rounds the median is shown.
const rounds = 5

// compared is one round: what the floor and we came to.
type compared struct{ floor, ours float64 }

// compare measures the floor and us in rounds, one after the other, and returns the round with the median ratio. Who
// begins changes from round to round.
func compare(floor, ours func() (float64, error)) (compared, error) {
	found := make([]compared, rounds)
	for i := range found {
		var err error
		if found[i], err = oneTurn(i, floor, ours); err != nil {
			return compared{}, err
		}
	}
	slices.SortFunc(found, func(a, b compared) int { return cmp.Compare(a.ours*b.floor, b.ours*a.floor) })
	return found[rounds/2], nil
}

func oneTurn(n int, floor, ours func() (float64, error)) (c compared, err error) {
	if n%2 == 0 {
		if c.floor, err = floor(); err == nil {
			c.ours, err = ours()
		}
		return c, err
	}
	if c.ours, err = ours(); err == nil {
		c.floor, err = floor()
	}
	return c, err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
