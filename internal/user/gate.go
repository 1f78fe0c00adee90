package user

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/lockout"
)

// A password hash costs 64 MiB and much time, and anybody may ask for one. So few run at once, the others wait in a line
// of bounded length and for a bounded time, and nobody can take up the line alone.
const (
	hashesAtOnce = 2
	longestLine  = 64
	mostByCaller = 8
	longestWait  = 5 * time.Second
)

// gate lets logins through to the hashing of passwords.
type gate struct {
	slots chan struct{}
	wait  time.Duration

	mu      sync.Mutex
	inside  int            // waiting or hashing
	callers map[string]int // how many of them, by the caller's address
}

func newGate() *gate {
	return &gate{slots: make(chan struct{}, hashesAtOnce), wait: longestWait, callers: map[string]int{}}
}

// enter waits for a turn. Call leave when done. Errors: RateLimited, or ctx's own.
func (g *gate) enter(ctx context.Context, ip netip.Addr) (leave func(), err error) {
	caller := lockout.Caller(ip)
	if !g.queue(caller) {
		return nil, busy()
	}
	if err := g.turn(ctx); err != nil {
		g.unqueue(caller)
		return nil, err
	}
	return func() { <-g.slots; g.unqueue(caller) }, nil
}

// turn waits for a slot.
func (g *gate) turn(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return busy()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// queue takes a place in the line, if there is one.
func (g *gate) queue(caller string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside >= longestLine || g.callers[caller] >= mostByCaller {
		return false
	}
	g.inside++
	g.callers[caller]++
	return true
}

func (g *gate) unqueue(caller string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.callers[caller]--; g.callers[caller] == 0 {
		delete(g.callers, caller)
	}
}

func busy() error {
	f := fault.New(fault.RateLimited, "Too many people are logging in at this moment. Try again in a few seconds.")
	f.RetryAfter = longestWait
	return f
}
