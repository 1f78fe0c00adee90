// Package tally counts events in memory, by what they happened to, until someone writes the counts down together. It
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
type Tally struct {
	lanes [lanes]lane

	writing sync.RWMutex        // held while counts are written, so that a reader finds each either here or there
	waiting map[uuid.UUID]count // what Flush has taken and not yet written
}

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
		if err := t.flush(part, write); err != nil {
			t.putBack(all)
			return err
		}
		all = all[len(part):]
	}
	return nil
}

// flush writes a part. Readers wait meanwhile.
func (t *Tally) flush(part []Count, write func([]Count) error) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	err := write(part)
	if err == nil {
		t.drop(part)
	}
	return err
}

// putBack counts again what could not be written.
func (t *Tally) putBack(all []Count) {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.drop(all)
	for _, c := range all {
		t.add(c)
	}
}

// drop takes counts off what waits. Another Flush may have taken more of the same.
func (t *Tally) drop(part []Count) {
	for _, c := range part {
		left := t.waiting[c.ID]
		if left.n -= c.N; left.n > 0 {
			t.waiting[c.ID] = left
		} else {
			delete(t.waiting, c.ID)
		}
	}
}

// Read calls read, which reads what was written, and hands it what is counted here and not written yet: together they
// are the true count. Nothing is written meanwhile, so read must not call Flush.
func (t *Tally) Read(read func(unwritten func(uuid.UUID) Count) error) error {
	t.writing.RLock()
	defer t.writing.RUnlock()
	return read(t.unwritten)
}

func (t *Tally) unwritten(id uuid.UUID) Count {
	l := &t.lanes[id[15]%lanes]
	l.Lock()
	defer l.Unlock()
	here, waiting := l.counts[id], t.waiting[id]
	return Count{id, here.n + waiting.n, max(here.last, waiting.last)}
}

// take moves the counters to what waits, and returns them.
func (t *Tally) take() []Count {
	t.writing.Lock()
	defer t.writing.Unlock()
	if t.waiting == nil {
		t.waiting = map[uuid.UUID]count{}
	}
	var all []Count
	for i := range t.lanes {
		l := &t.lanes[i]
		l.Lock()
		for id, c := range l.counts {
			all = append(all, Count{id, c.n, c.last})
			was := t.waiting[id]
			t.waiting[id] = count{was.n + c.n, max(was.last, c.last)}
		}
		clear(l.counts)
		l.Unlock()
	}
	slices.SortFunc(all, func(a, b Count) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return all
}
