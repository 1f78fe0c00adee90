package feed

import (
	"errors"
	"sync"
)

// errNoRound is what callers get whose round ended in a panic.
var errNoRound = errors.New("reading the log did not finish")

// rounds lets callers share work that must begin after each of them came: whoever comes while a round runs waits for
// the next one.
type rounds struct {
	running sync.Mutex
	mu      sync.Mutex
	next    *round
}

type round struct {
	done chan struct{}
	err  error
}

// join returns the outcome of a round of work that began after the call.
func (r *rounds) join(work func() error) error {
	r.mu.Lock()
	mine, first := r.next, r.next == nil
	if first {
		mine = &round{done: make(chan struct{})}
		r.next = mine
	}
	r.mu.Unlock()
	if !first {
		<-mine.done
		return mine.err
	}
	r.running.Lock()
	defer r.running.Unlock()
	r.mu.Lock()
	r.next = nil // from here on callers join the next round
	r.mu.Unlock()
	defer close(mine.done)
	mine.err = errNoRound
	mine.err = work()
	return mine.err
}
