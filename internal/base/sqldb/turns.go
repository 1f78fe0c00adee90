package sqldb

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
)

const (
	longestLine = 16               // searches of one key that wait
	longestWait = 10 * time.Second // of a search for its turn
)

var errBusy = &fault.Error{Kind: fault.RateLimited, RetryAfter: time.Second,
	Message: "Too many searches run at this moment. Send one after the other, or try again in a few seconds."}

// turns lets few searches run at once, over all and of one key, so that connections are left for everyone else. Those that
// wait are served by key in turn: nobody can take up the line alone.
type turns struct {
	most, each int
	wait       time.Duration

	mu      sync.Mutex
	running int
	lanes   map[string]*lane // those with searches that run or wait
	line    []*lane          // those with searches that wait, the next first
}

// lane are the searches of one key.
type lane struct {
	key     string
	running int
	waiting []chan struct{} // each is closed for its turn
}

// newTurns divides a pool of connections: searches get half of it, one key half of that.
func newTurns(connections int) *turns {
	most := max(1, connections/2)
	return &turns{most: most, each: max(1, most/2), wait: longestWait, lanes: map[string]*lane{}}
}

// take waits for a turn. Call leave when done. Errors: errBusy, or ctx's own.
func (t *turns) take(ctx context.Context, key string) (leave func(), err error) {
	l, turn, err := t.join(key)
	if err == nil && turn != nil {
		err = t.await(ctx, l, turn)
	}
	if err != nil {
		return nil, err
	}
	return func() { t.leave(l) }, nil
}

// join takes a place in the line; turn is nil where there is nobody to wait for.
func (t *turns) join(key string) (l *lane, turn chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l = t.lanes[key]; l == nil {
		l = &lane{key: key}
		t.lanes[key] = l
	}
	switch {
	case t.running < t.most && l.running < t.each:
		t.begin(l)
		return l, nil, nil
	case len(l.waiting) >= longestLine:
		return nil, nil, errBusy
	}
	turn = make(chan struct{})
	if len(l.waiting) == 0 {
		t.line = append(t.line, l)
	}
	l.waiting = append(l.waiting, turn)
	return l, turn, nil
}

func (t *turns) begin(l *lane) { t.running, l.running = t.running+1, l.running+1 }

func (t *turns) await(ctx context.Context, l *lane, turn chan struct{}) error {
	timer := time.NewTimer(t.wait)
	defer timer.Stop()
	select {
	case <-turn:
		return nil
	case <-timer.C:
		return t.giveUp(l, turn, errBusy)
	case <-ctx.Done():
		return t.giveUp(l, turn, ctx.Err())
	}
}

// giveUp leaves the line with an error. A turn that came meanwhile goes to the next.
func (t *turns) giveUp(l *lane, turn chan struct{}, because error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := slices.Index(l.waiting, turn)
	if at < 0 {
		t.end(l)
		return because
	}
	l.waiting = slices.Delete(l.waiting, at, at+1)
	if len(l.waiting) == 0 {
		t.line = slices.DeleteFunc(t.line, func(other *lane) bool { return other == l })
	}
	t.tidy(l)
	return because
}

func (t *turns) leave(l *lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(l)
}

// end counts a search off and passes its turn on.
func (t *turns) end(l *lane) {
	t.running, l.running = t.running-1, l.running-1
	t.tidy(l)
	for t.running < t.most {
		at := slices.IndexFunc(t.line, func(l *lane) bool { return l.running < t.each })
		if at < 0 {
			return
		}
		t.pass(at)
	}
}

// pass hands a turn to a lane of the line, which then goes to the end of it.
func (t *turns) pass(at int) {
	next := t.line[at]
	t.line = slices.Delete(t.line, at, at+1)
	turn := next.waiting[0]
	if next.waiting = next.waiting[1:]; len(next.waiting) > 0 {
		t.line = append(t.line, next)
	}
	t.begin(next)
	close(turn)
}

// tidy forgets a lane that nobody is in.
func (t *turns) tidy(l *lane) {
	if l.running == 0 && len(l.waiting) == 0 {
		delete(t.lanes, l.key)
	}
}
