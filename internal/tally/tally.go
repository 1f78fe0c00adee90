// Package tally counts events in memory, by what they happened to, until somebody writes the counts down together. It
// does not write them itself.
package tally

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// lanes spreads the counters over locks, so that callers do not queue for one.
const lanes = 16

// Tally counts events. The zero value is ready. It holds only what happened since the last Flush.
type Tally struct{ lanes [lanes]lane }

type lane struct {
	sync.Mutex
	counts map[uuid.UUID]count
}

type count struct{ n, last int64 }

// Count is how often something happened to what has the ID, and when last, in milliseconds UTC.
type Count struct {
	ID      uuid.UUID
	N, Last int64
}

// Add notes one event at a time. The last byte of a UUIDv7 is random, so that ids spread well.
func (t *Tally) Add(id uuid.UUID, now time.Time) { t.add(Count{id, 1, now.UnixMilli()}) }

func (t *Tally) add(more Count) {
	l := &t.lanes[more.ID[15]%lanes]
	l.Lock()
	defer l.Unlock()
	if l.counts == nil {
		l.counts = map[uuid.UUID]count{}
	}
	was := l.counts[more.ID]
	l.counts[more.ID] = count{was.n + more.N, max(was.last, more.Last)}
}

// Step is how many counts are written at a time, so that writing them never holds others up for long.
const Step = 500

// Flush hands all counts to write, at most Step at a time, sorted by ID: replicas that write at the same time wait for each
// other then, instead of locking each other out. What write fails on, and what comes after it, is counted again.
func (t *Tally) Flush(write func([]Count) error) error {
	all := t.take()
	for len(all) > 0 {
		part := all[:min(len(all), Step)]
		if err := write(part); err != nil {
			for _, c := range all {
				t.add(c)
			}
			return err
		}
		all = all[len(part):]
	}
	return nil
}

// take empties the counters.
func (t *Tally) take() []Count {
	var all []Count
	for i := range t.lanes {
		l := &t.lanes[i]
		l.Lock()
		for id, c := range l.counts {
			all = append(all, Count{id, c.n, c.last})
		}
		clear(l.counts)
		l.Unlock()
	}
	slices.SortFunc(all, func(a, b Count) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return all
}
