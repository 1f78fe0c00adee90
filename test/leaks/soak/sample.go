package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// sample is what the server uses at one moment.
type sample struct {
	at          time.Duration // since the load began
	rss         float64       // bytes
	heap        float64       // bytes, live and not yet collected
	goroutines  float64
	files       float64
	revocations float64 // that it must remember
	answers     int64
}

// rows is how many rows the table has.
const rows = 12

// watch takes samples until ctx ends, and prints one in so many.
func (s *site) watch(ctx context.Context, duration time.Duration) (taken []sample) {
	const perRow = 30
	began, tick := time.Now(), time.NewTicker(duration/rows/perRow)
	defer tick.Stop()
	fmt.Printf("%8s %10s %10s %12s %8s %14s %12s\n", "after", "RSS MB", "heap MB", "goroutines", "files", "revocations", "answers")
	for {
		select {
		case <-ctx.Done():
			return taken
		case <-tick.C:
		}
		next, err := s.sample(ctx)
		if err != nil {
			continue // the last one may be cut off; a server that is gone ends the load
		}
		next.at = time.Since(began)
		if taken = append(taken, next); len(taken)%perRow == 0 {
			fmt.Println(mean(taken[len(taken)-perRow:]))
		}
	}
}

// mean is the middle of several samples, at the time of the last.
func mean(of []sample) sample {
	last := of[len(of)-1]
	m := sample{at: last.at, revocations: last.revocations, answers: last.answers}
	n := float64(len(of))
	for _, s := range of {
		m.rss += s.rss / n
		m.heap += s.heap / n
		m.goroutines += s.goroutines / n
		m.files += s.files / n
	}
	return m
}

func (s sample) String() string {
	return fmt.Sprintf("%8s %10.1f %10.1f %12.1f %8.1f %14.0f %12d",
		s.at.Round(time.Second), s.rss/1e6, s.heap/1e6, s.goroutines, s.files, s.revocations, s.answers)
}

func (s *site) sample(ctx context.Context) (sample, error) {
	proc := fmt.Sprintf("/proc/%d/", s.PID())
	statm, err := os.ReadFile(proc + "statm")
	if err != nil {
		return sample{}, err
	}
	files, err := os.ReadDir(proc + "fd")
	if err != nil {
		return sample{}, err
	}
	a, err := s.Call(ctx, "GET", "/metrics", "", nil)
	if err != nil {
		return sample{}, err
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(statm))[1], 64)
	metric := func(name string) float64 {
		found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(a.Body)
		if found == nil {
			err = fmt.Errorf("there is no metric %s", name)
			return 0
		}
		value, _ := strconv.ParseFloat(string(found[1]), 64)
		return value
	}
	return sample{rss: pages * float64(os.Getpagesize()), heap: metric("go_memstats_heap_alloc_bytes"), goroutines: metric("go_goroutines"),
		files: float64(len(files)), revocations: metric("sallyport_revoked_tokens"), answers: s.answers.Load()}, err
}
