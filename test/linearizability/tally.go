package linearizability

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Result is what a run saw.
type Result struct {
	Elapsed   time.Duration
	Families  int
	Tokens    int
	Uses      map[int]int     // decided and judged requests with a token, by status
	Undecided map[int]int     // requests with a token that decided nothing, by status; 0: no answer came
	Done      int             // changes that were answered 200
	Lost      map[int]int     // changes whose outcome is unknown, by status
	Acks      []time.Duration // how long the former took, shortest first
	Incidents int             // what the nemesis did
	Violation *Violation
	Logs      []string // of the servers, if something went wrong
}

// Checked is how many uses were judged.
func (r *Result) Checked() (n int) {
	for _, count := range r.Uses {
		n += count
	}
	return n
}

// String is one line for people.
func (r *Result) String() string {
	text := fmt.Sprintf("%d uses checked %v, undecided %v, %d tokens of %d identities, %d changes done and %v lost, %d incidents, %.1fs",
		r.Checked(), r.Uses, r.Undecided, r.Tokens, r.Families, r.Done, r.Lost, r.Incidents, r.Elapsed.Seconds())
	if n := len(r.Acks); n > 0 {
		text += fmt.Sprintf("; a change took %s at the median, %s at p99, %s at most",
			r.Acks[n/2].Round(time.Millisecond), r.Acks[n*99/100].Round(time.Millisecond), r.Acks[n-1].Round(time.Millisecond))
	}
	return text
}

// tally gathers a Result while a run goes on.
type tally struct {
	mu  sync.Mutex
	sum Result
}

// family adds what a family did, once it was judged.
func (t *tally) family(f *family, v *Violation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.init()
	t.sum.Families++
	t.sum.Tokens += len(f.tokens())
	for _, u := range f.uses {
		t.sum.Uses[u.status]++
	}
	for status, n := range f.undecided {
		t.sum.Undecided[status] += n
	}
	for _, c := range f.changes {
		t.change(c.call)
	}
	for _, token := range f.tokens() {
		for _, c := range token.revokes {
			t.change(c)
		}
	}
	if t.sum.Violation == nil {
		t.sum.Violation = v
	}
}

func (t *tally) change(c call) {
	switch {
	case c.done():
		t.sum.Done++
		t.sum.Acks = append(t.sum.Acks, c.to-c.from)
	case c.lost():
		t.sum.Lost[c.status]++
	}
}

func (t *tally) incident() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.Incidents++
}

func (t *tally) init() {
	if t.sum.Uses == nil {
		t.sum.Uses, t.sum.Undecided, t.sum.Lost = map[int]int{}, map[int]int{}, map[int]int{}
	}
}

func (t *tally) snapshot(elapsed time.Duration) *Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.init()
	r := t.sum
	r.Elapsed = elapsed
	r.Acks = slices.Sorted(slices.Values(t.sum.Acks))
	r.Uses, r.Undecided, r.Lost = maps.Clone(t.sum.Uses), maps.Clone(t.sum.Undecided), maps.Clone(t.sum.Lost)
	return &r
}

func (t *tally) violation(v *Violation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sum.Violation == nil {
		t.sum.Violation = v
	}
}
