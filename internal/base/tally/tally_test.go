package tally

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// numbered returns an id that sorts by n and lies in a lane that n decides.
func numbered(n int) (id uuid.UUID) {
	binary.BigEndian.PutUint32(id[:], uint32(n))
	id[15] = byte(n)
	return id
}

// TestFlush: counts come in parts, in the order of the ids; what could not be written comes again, with what was counted since.
func TestFlush(t *testing.T) {
	const ids = 2*Step + 100
	var counted Tally
	for n := range ids {
		counted.Add(numbered(ids-n), time.UnixMilli(5))
	}
	counted.Add(numbered(7), time.UnixMilli(3)) // by a clock that is behind
	var parts []int
	failing := func(part []Count) error {
		if parts = append(parts, len(part)); len(parts) == 2 {
			return errors.New("not now")
		}
		return nil
	}
	if err := counted.Flush(failing); err == nil || !slices.Equal(parts, []int{Step, Step}) {
		t.Fatalf("wrote parts of %v: %v", parts, err)
	}
	counted.Add(numbered(ids), time.UnixMilli(9))
	var all []Count
	if err := counted.Flush(func(part []Count) error { all = append(all, part...); return nil }); err != nil {
		t.Fatal(err)
	}
	var want []Count
	for n := Step + 1; n <= ids; n++ {
		want = append(want, Count{numbered(n), 1, 5})
	}
	want[len(want)-1] = Count{numbered(ids), 2, 9}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("counts, want (-), got (+):\n%s", diff)
	}
	if !slices.IsSortedFunc(all, func(a, b Count) int { return bytes.Compare(a.ID[:], b.ID[:]) }) {
		t.Error("the counts are not in order")
	}
	if err := counted.Flush(func([]Count) error { return errors.New("called") }); err != nil {
		t.Errorf("something is left after all was written: %v", err)
	}
}

// TestLatestWins: the last time of an event is the latest, whatever the order in which they are counted.
func TestLatestWins(t *testing.T) {
	var counted Tally
	for _, at := range []int64{3, 8, 5} {
		counted.Add(numbered(1), time.UnixMilli(at))
	}
	_ = counted.Flush(func(part []Count) error {
		if diff := cmp.Diff([]Count{{numbered(1), 3, 8}}, part); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

// TestReadIsTrueAtEveryMoment reads while events are counted and written: what was written and what was not add up to no less than
// was counted before the read, and no more than was counted after it.
func TestReadIsTrueAtEveryMoment(t *testing.T) {
	const events = 2000
	var counted Tally
	var added atomic.Int64
	written := map[uuid.UUID]int64{} // guarded by the tally itself
	id, fails := numbered(3), 0
	write := func(part []Count) error {
		if fails++; fails%3 == 0 {
			return errors.New("not now")
		}
		for _, c := range part {
			written[c.ID] += c.N
		}
		return nil
	}
	var all sync.WaitGroup
	all.Go(func() {
		for n := range events {
			counted.Add(id, time.UnixMilli(int64(n)))
			added.Add(1)
		}
	})
	all.Go(func() {
		for range events / 10 {
			_ = counted.Flush(write) // what fails comes again
		}
	})
	for range events / 10 {
		least := added.Load()
		err := counted.Read(func(unwritten func(uuid.UUID) Count) error {
			if got, most := written[id]+unwritten(id).N, added.Load()+1; got < least || got > most {
				t.Errorf("read %d; between %d and %d were counted", got, least, most)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
}
