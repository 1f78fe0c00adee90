package token

import (
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"
)

// manyRevoked returns a set of n tokens whose ids somebody chose, of which every part-th is over at time 1, and the rest at 9.
func manyRevoked(n, part int) *revokedSet {
	s := newRevokedSet()
	var t revokedToken
	for i := range n {
		binary.BigEndian.PutUint32(t.token[:], uint32(i))
		until := int64(9)
		if i%part == 0 {
			until = 1
		}
		s.add(t, until)
	}
	return s
}

// TestLanesAreEven: whatever the ids are, no lane holds much more than its part, since others wait while it is walked.
func TestLanesAreEven(t *testing.T) {
	const n = 200 * setLanes
	s := manyRevoked(n, 1)
	for i := range s.lanes {
		if held := len(s.lanes[i].until); held > 2*n/setLanes {
			t.Fatalf("a lane holds %d of %d", held, n)
		}
	}
	if s.size() != n {
		t.Errorf("%d of %d are kept", s.size(), n)
	}
}

// BenchmarkForget tells how long a lane is locked at most while a million revocations are walked, of which none, half or all
// are over. It is processor time: a busy machine takes the processor away from whoever holds a lock as from anybody.
func BenchmarkForget(b *testing.B) {
	for name, part := range map[string]int{"none": 1 << 40, "half": 2, "all": 1} {
		b.Run(name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			longest := time.Duration(0)
			for range b.N {
				b.StopTimer()
				s := manyRevoked(1_000_000, part)
				b.StartTimer()
				for i := range s.lanes {
					begin := processorTime(b)
					s.lanes[i].forget(5)
					longest = max(longest, processorTime(b)-begin)
				}
			}
			b.ReportMetric(float64(longest.Microseconds()), "µs-locked")
		})
	}
}

// processorTime is what this thread has used.
func processorTime(t testing.TB) time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Nano())
}

func BenchmarkRevokedSetHas(b *testing.B) {
	s := manyRevoked(100_000, 1)
	t := revokedToken{token: uuid.New()}
	b.ReportAllocs()
	for b.Loop() {
		s.has(t)
	}
}
