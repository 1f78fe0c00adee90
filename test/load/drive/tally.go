package drive

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms hold microseconds up to two hours with three digits, about 190 KB for each kind of request.
const (
	leastLatency = 1
	mostLatency  = int64(2 * time.Hour / time.Microsecond)
	digits       = 3
)

// Tally counts requests by their kind. It is safe for concurrent use.
type Tally struct {
	mu    sync.Mutex
	kinds map[string]*Kind // of what was measured
	wrong map[string]int64 // all that failed, in the warm-up too, by what came instead

	sent, failed, stale atomic.Int64
}

// Kind is what was measured of one kind of request.
type Kind struct {
	Latency *hdrhistogram.Histogram // of the answers that were as expected, in microseconds
	Errors  map[string]int64        // all other requests, by what came instead
}

// NewTally returns an empty tally.
func NewTally() *Tally { return &Tally{kinds: map[string]*Kind{}, wrong: map[string]int64{}} }

// add counts a request, and returns how many there are and how many of them failed, those of the warm-up included.
func (t *Tally) add(kind, failure string, took time.Duration, measured bool) (sent, failed int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if measured {
		t.measure(kind, failure, took)
	}
	if failure != "" {
		t.wrong[failure]++
		t.failed.Add(1)
	}
	return t.sent.Add(1), t.failed.Load()
}

func (t *Tally) measure(kind, failure string, took time.Duration) {
	k := t.kinds[kind]
	if k == nil {
		k = &Kind{hdrhistogram.New(leastLatency, mostLatency, digits), map[string]int64{}}
		t.kinds[kind] = k
	}
	if failure != "" {
		k.Errors[failure]++
		return
	}
	_ = k.Latency.RecordValue(min(max(took.Microseconds(), leastLatency), mostLatency)) // within its bounds it never fails
}

// Kinds returns what was measured, by kind. Call it when the run is over.
func (t *Tally) Kinds() map[string]*Kind {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.kinds)
}

// Sent returns how many requests have ended so far, those of the warm-up included.
func (t *Tally) Sent() int64 { return t.sent.Load() }

// StaleAccepts returns how often the server accepted what had been revoked before, in the warm-up too.
func (t *Tally) StaleAccepts() int64 { return t.stale.Load() }

// failures tells what came instead of the expected answers, as "429: 12, 503: 1".
func (t *Tally) failures() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var words []string
	for _, failure := range slices.Sorted(maps.Keys(t.wrong)) {
		words = append(words, fmt.Sprintf("%s: %d", failure, t.wrong[failure]))
	}
	return strings.Join(words, ", ")
}
