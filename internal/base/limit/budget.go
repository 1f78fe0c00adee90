package limit

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
)

const (
	base  = 24 << 20 // bytes that the server takes without any work
	spare = 6        // the part of the memory that is left to connections, caches and garbage

	// assumed is the limit of memory in bytes where the machine and its operator name none.
	assumed = 3 << 29

	// largest is what the largest request takes that callers expect to be served, a body of 8 MB.
	largest = 50 << 20

	// least is the size of the smallest budget: a password hash, and some small work next to it.
	least = HashBytes + 4<<20
)

// HashBytes is what hashing a password takes for as long as it runs.
const HashBytes = 64 << 20

// Strangers holds what is taken for callers who have not proved who they are.
const Strangers = ""

// Budget is the memory in bytes that all requests of a server share: bodies as they arrive, what is read from the
// database, answers, and hashes of passwords. One holder has at most half of it, three quarters where it is small, and strangers together an eighth, so that nobody
// can take it all. It is safe for concurrent use.
type Budget struct {
	size int64

	mu   sync.Mutex
	free int64
	by   map[string]int64 // what holders have
	line []*claim         // who waits, the first first
}

// claim is a part of a budget that somebody waits for.
type claim struct {
	holder string
	n      int64
	whole  bool          // the holder's share does not count
	given  chan struct{} // closed once the claim has what it wants
}

// NewBudget returns the budget of a server whose memory is limited to so many bytes; 0 stands for no known limit.
func NewBudget(memory int64) *Budget {
	if memory <= 0 {
		memory = assumed
	}
	size := max(least, memory-base-memory/spare)
	return &Budget{size: size, free: size, by: map[string]int64{}}
}

// Caches returns how many bytes caches may take in a server whose memory is limited to so many bytes; 0 for no known limit. They
// are a part of what the budget leaves.
func Caches(memory int64) int64 {
	if memory <= 0 {
		memory = assumed
	}
	return max(4<<20, memory/8-8<<20)
}

// Size returns the bytes of the whole budget.
func (b *Budget) Size() int64 { return b.size }

// Used returns how many bytes are taken now.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.size - b.free
}

// Share returns how many bytes one holder may have.
func (b *Budget) Share(holder string) int64 {
	if holder == Strangers {
		return b.size / 8
	}
	return max(b.size/2, min(b.size/4*3, largest))
}

// Take takes n bytes for a holder at once, and reports whether they were there. While somebody waits for memory, that is not
// passed by. Give them back with Give.
func (b *Budget) Take(holder string, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &claim{holder: holder, n: n}
	if b.serve(); slices.ContainsFunc(b.line, b.within) || !b.within(c) || n > b.free {
		return false
	}
	b.grant(c)
	return true
}

// take is Take with an error: Unavailable.
func (b *Budget) take(holder string, n int64) error {
	if !b.Take(holder, n) {
		return busy()
	}
	return nil
}

// Await is Take for whoever can wait for a time. Errors: Unavailable, or ctx's own.
func (b *Budget) Await(ctx context.Context, holder string, n int64, wait time.Duration) error {
	return b.await(ctx, &claim{holder: holder, n: n, given: make(chan struct{})}, wait)
}

// AwaitHash waits for the memory of a password hash, which no share counts. Errors are those of Await.
func (b *Budget) AwaitHash(ctx context.Context, wait time.Duration) error {
	return b.await(ctx, &claim{holder: Strangers, n: HashBytes, whole: true, given: make(chan struct{})}, wait)
}

// GiveHash gives back what AwaitHash took.
func (b *Budget) GiveHash() { b.give(&claim{n: HashBytes, whole: true}) }

// Give gives bytes of a holder back.
func (b *Budget) Give(holder string, n int64) { b.give(&claim{holder: holder, n: n}) }

func (b *Budget) await(ctx context.Context, c *claim, wait time.Duration) error {
	b.mu.Lock()
	b.line = append(b.line, c)
	b.serve()
	b.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-c.given:
		return nil
	case <-timer.C:
		return b.giveUp(c, busy())
	case <-ctx.Done():
		return b.giveUp(c, ctx.Err())
	}
}

// giveUp leaves the line, unless the claim was served meanwhile.
func (b *Budget) giveUp(c *claim, because error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.Index(b.line, c)
	if at < 0 {
		return nil
	}
	b.line = slices.Delete(b.line, at, at+1)
	b.serve() // it may have been in the way of others
	return because
}

func (b *Budget) give(c *claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += c.n
	if !c.whole {
		if b.by[c.holder] -= c.n; b.by[c.holder] == 0 {
			delete(b.by, c.holder)
		}
	}
	b.serve()
}

// serve gives those who wait what they wait for, in their order. A holder that has its share waits for itself alone.
func (b *Budget) serve() {
	b.line = slices.DeleteFunc(b.line, func() func(c *claim) bool {
		blocked := false
		return func(c *claim) bool {
			if blocked || !b.within(c) {
				return false
			}
			if blocked = c.n > b.free; blocked {
				return false
			}
			b.grant(c)
			close(c.given)
			return true
		}
	}())
}

// within reports whether a claim leaves its holder within the share.
func (b *Budget) within(c *claim) bool { return c.whole || b.by[c.holder]+c.n <= b.Share(c.holder) }

func (b *Budget) grant(c *claim) {
	b.free -= c.n
	if !c.whole {
		b.by[c.holder] += c.n
	}
}

// busy is the fault of a request that finds no memory.
func busy() *fault.Error {
	f := fault.New(fault.Unavailable, "The server has no memory left for this request at the moment. Try again in a second.")
	f.RetryAfter = time.Second
	return f
}
