package main

import (
	"errors"
	"fmt"
	"time"
)

// What may grow from the end of the warm-up to the end of the run, along the line that fits the samples best.
const (
	rssShare      = 0.10 // of its mean
	rssLeast      = 8e6  // bytes; what the garbage collector's timing alone may show
	perRevocation = 256  // bytes more for each revocation that has to be remembered: that is no leak
	moreThreads   = 8    // goroutines
	moreFiles     = 4
)

// judge prints how much each figure rose, and returns an error that names those which rose too much.
func judge(samples []sample, warmup time.Duration) error {
	for len(samples) > 0 && samples[0].at < warmup {
		samples = samples[1:]
	}
	if len(samples) < 3 {
		return errors.New("too few samples to judge by; run for longer")
	}
	first, last := samples[0], samples[len(samples)-1]
	remembered := last.revocations - first.revocations
	rss, level := rise(samples, func(s sample) float64 { return s.rss })
	goroutines, _ := rise(samples, func(s sample) float64 { return s.goroutines })
	files, _ := rise(samples, func(s sample) float64 { return s.files })
	bound := max(rssLeast, rssShare*level) + perRevocation*remembered
	fmt.Printf("over %s: RSS %+.1f MB (bound %.1f, of which %.1f for %.0f more revocations), goroutines %+.1f (bound %d), files %+.1f (bound %d)\n",
		(last.at - first.at).Round(time.Second), rss/1e6, bound/1e6, perRevocation*remembered/1e6, remembered, goroutines, moreThreads, files, moreFiles)
	var errs []error
	for what, grew := range map[string]bool{"memory": rss > bound, "goroutines": goroutines > moreThreads, "open files": files > moreFiles} {
		if grew {
			errs = append(errs, fmt.Errorf("the server leaks: %s", what))
		}
	}
	return errors.Join(errs...)
}

// rise fits a line to a figure by least squares. It returns by how much the line rises from the first sample to the last,
// and the mean.
func rise(samples []sample, figure func(sample) float64) (rises, level float64) {
	n := float64(len(samples))
	var middle float64
	for _, s := range samples {
		middle += s.at.Seconds() / n
		level += figure(s) / n
	}
	var slope, spread float64
	for _, s := range samples {
		x := s.at.Seconds() - middle
		slope += x * (figure(s) - level)
		spread += x * x
	}
	return slope / spread * (samples[len(samples)-1].at - samples[0].at).Seconds(), level
}
