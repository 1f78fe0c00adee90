// Package tally counts events in memory, by what they happened to, until somebody writes the counts down together. It
// does not write them itself.
package tally

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// lanes spreads the counters over locks, so that callers do not queue for one.
const lanes = 16

// Tally counts events. The zero value is ready. It holds only what happened since the last Take.
type Tally struct{ lanes [lanes]lane }

type lane struct {
	sync.Mutex
	counts map[uuid.UUID]Count
}

// Count is how often something happened, and when last, in milliseconds UTC.
type Count struct {
	N    int64
	Last int64
}

// Add notes one event at a time. The last byte of a UUIDv7 is random, so that ids spread well.
func (t *Tally) Add(id uuid.UUID, now time.Time) { t.add(id, Count{1, now.UnixMilli()}) }

func (t *Tally) add(id uuid.UUID, more Count) {
	l := &t.lanes[id[15]%lanes]
	l.Lock()
	defer l.Unlock()
	if l.counts == nil {
		l.counts = map[uuid.UUID]Count{}
	}
	was := l.counts[id]
	l.counts[id] = Count{was.N + more.N, max(was.Last, more.Last)}
}

// step is how many counts are written at a time, so that writing them never holds others up for long.
const step = 500

// Flush hands all counts to write, in parts of bounded size. What write fails on, and what comes after it, is counted
// again.
func (t *Tally) Flush(write func(part map[uuid.UUID]Count) error) error {
	all := t.take()
	for len(all) > 0 {
		part := map[uuid.UUID]Count{}
		for id, c := range all {
			part[id] = c
			if delete(all, id); len(part) == step {
				break
			}
		}
		if err := write(part); err != nil {
			t.putBack(part)
			t.putBack(all)
			return err
		}
	}
	return nil
}

// take empties the counters.
func (t *Tally) take() map[uuid.UUID]Count {
	all := map[uuid.UUID]Count{}
	for i := range t.lanes {
		l := &t.lanes[i]
		l.Lock()
		for id, c := range l.counts {
			all[id] = c
		}
		clear(l.counts)
		l.Unlock()
	}
	return all
}

func (t *Tally) putBack(counts map[uuid.UUID]Count) {
	for id, c := range counts {
		t.add(id, c)
	}
}
