package limit

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// A password hash costs 64 MiB and much time, and anybody may ask for one. So few run at once, fewer where there is little
// memory; the others wait in a line of bounded length and for a bounded time. Callers are served by address in turn, so
// that nobody can take up the line alone.
const (
	hashesAtOnce = 2
	longestLine  = 64
	mostByCaller = 8
	longestWait  = 5 * time.Second
)

// knownCallers bounds how many addresses are remembered from which somebody has logged in.
const knownCallers = 10_000

// Line is where those wait who want a password hashed. It is safe for concurrent use.
type Line struct {
	budget *Budget
	wait   time.Duration
	most   int                             // hashes at once
	known  bounded.Cache[string, struct{}] // callers who have logged in before

	mu      sync.Mutex
	hashing int
	inside  int                // waiting or hashing
	callers map[string]*caller // those inside, by their address
	line    []*caller          // those who wait, the next first
}

// caller is an address with logins that wait or hash.
type caller struct {
	address string
	known   bool
	inside  int
	waiting []chan error // each is sent nil for its turn, or why there will be none
}

// NewLine returns an empty line for hashes that take their memory of a budget.
func NewLine(b *Budget) *Line {
	return &Line{budget: b, wait: longestWait, most: hashesIn(b.Size()), callers: map[string]*caller{},
		known: bounded.New(&bounded.Options[string, struct{}]{MaximumSize: knownCallers})}
}

// hashesIn returns how many hashes may run at once in a budget of so many bytes, so that something is left next to them.
func hashesIn(size int64) int {
	if size < hashesAtOnce*HashBytes+HashBytes/4 {
		return 1
	}
	return hashesAtOnce
}

// Welcome notes that somebody has logged in from an address: a place in the line is kept for it.
func (g *Line) Welcome(address string) { g.known.Set(address, struct{}{}) }

// Enter waits for a turn, and for the memory of a hash. Call leave when done. Errors: RateLimited, or ctx's own.
func (g *Line) Enter(ctx context.Context, address string) (leave func(), err error) {
	c, turn, err := g.join(address)
	if err != nil {
		return nil, err
	}
	if turn != nil {
		err = g.await(ctx, c, turn)
	}
	if err != nil {
		return nil, err
	}
	if err := g.budget.AwaitHash(ctx, g.wait); err != nil {
		g.leave(c)
		return nil, crowdedOr(ctx.Err())
	}
	return func() { g.done(c) }, nil
}

// join takes a place in the line; turn is nil where there is nobody to wait for.
func (g *Line) join(address string) (c *caller, turn chan error, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c = g.callers[address]; c == nil {
		_, known := g.known.GetIfPresent(address)
		c = &caller{address: address, known: known}
	}
	if c.inside >= mostByCaller || g.inside >= longestLine && !g.displace(c) {
		return nil, nil, crowded()
	}
	g.callers[address] = c
	c.inside++
	g.inside++
	if g.hashing < g.most {
		g.hashing++
		return c, nil, nil
	}
	turn = make(chan error, 1)
	if len(c.waiting) == 0 {
		g.line = append(g.line, c)
	}
	c.waiting = append(c.waiting, turn)
	return c, turn, nil
}

// displace makes room for c at the cost of whoever has more places in the line; of those from where somebody has logged in
// before only if that holds for c too. It reports whether there was such a place.
func (g *Line) displace(c *caller) bool {
	var most *caller
	for _, other := range g.line {
		worse := len(other.waiting) > len(c.waiting)+1 || c.known && !other.known
		if other != c && (c.known || !other.known) && worse && (most == nil || len(other.waiting) > len(most.waiting)) {
			most = other
		}
	}
	if most == nil {
		return false
	}
	last := most.waiting[len(most.waiting)-1]
	g.remove(most, last)
	g.gone(most)
	last <- crowded()
	return true
}

// await waits for a turn that was joined for.
func (g *Line) await(ctx context.Context, c *caller, turn chan error) error {
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case err := <-turn:
		return err
	case <-timer.C:
		return g.giveUp(c, turn, crowded())
	case <-ctx.Done():
		return g.giveUp(c, turn, ctx.Err())
	}
}

// giveUp leaves the line with an error. A turn that came meanwhile goes to the next.
func (g *Line) giveUp(c *caller, turn chan error, because error) error {
	g.mu.Lock()
	waits := g.remove(c, turn)
	if waits {
		g.gone(c)
	}
	g.mu.Unlock()
	if !waits && <-turn == nil {
		g.leave(c)
	}
	return because
}

// done ends a hash. What it took is given back to the system: where memory is little before the next takes as much again,
// otherwise after the last.
func (g *Line) done(c *caller) {
	scarce := g.most < hashesAtOnce
	if scarce {
		debug.FreeOSMemory()
	}
	g.budget.GiveHash()
	if idle := g.leave(c); idle && !scarce {
		debug.FreeOSMemory()
	}
}

// leave passes the turn on, and reports whether nobody hashes any more.
func (g *Line) leave(c *caller) (idle bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone(c)
	if len(g.line) > 0 {
		g.pass()
	} else {
		g.hashing--
	}
	return g.hashing == 0
}

// pass hands a turn to the next caller, who then goes to the end of the line.
func (g *Line) pass() {
	next := g.line[0]
	turn := next.waiting[0]
	next.waiting = next.waiting[1:]
	g.line = g.line[1:]
	if len(next.waiting) > 0 {
		g.line = append(g.line, next)
	}
	turn <- nil
}

// remove takes a place out of the line, and reports whether it was there.
func (g *Line) remove(c *caller, turn chan error) bool {
	at := slices.Index(c.waiting, turn)
	if at < 0 {
		return false
	}
	c.waiting = slices.Delete(c.waiting, at, at+1)
	if len(c.waiting) == 0 {
		g.line = slices.DeleteFunc(g.line, func(other *caller) bool { return other == c })
	}
	return true
}

// gone counts one login of a caller off.
func (g *Line) gone(c *caller) {
	g.inside--
	if c.inside--; c.inside == 0 {
		delete(g.callers, c.address)
	}
}

// crowdedOr returns the caller's own error, or crowded.
func crowdedOr(err error) error {
	if err == nil {
		err = crowded()
	}
	return err
}

func crowded() error {
	f := fault.New(fault.RateLimited, "Too many people are logging in at this moment. Try again in a few seconds.")
	f.RetryAfter = longestWait
	return f
}
