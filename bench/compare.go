package main

import "slices"

// rounds is how often each thing is measured. The machine has other work: of the rounds the median is shown.
const rounds = 5

// compared is one round: what the floor and we came to, right after one another.
type compared struct{ floor, ours float64 }

// compare measures the floor and us by turns and returns the round with the median ratio. Who begins changes from round
// to round, so that a machine that gets slower or faster favours nobody.
func compare(floor, ours func() (float64, error)) (compared, error) {
	found := make([]compared, rounds)
	for i := range found {
		order := []struct {
			measure func() (float64, error)
			to      *float64
		}{{floor, &found[i].floor}, {ours, &found[i].ours}}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, o := range order {
			var err error
			if *o.to, err = o.measure(); err != nil {
				return compared{}, err
			}
		}
	}
	slices.SortFunc(found, func(a, b compared) int {
		if a.ours*b.floor < b.ours*a.floor {
			return -1
		}
		return 1
	})
	return found[rounds/2], nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
