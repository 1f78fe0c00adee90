package feed

import (
	"context"
	"hash/maphash"
	"math"
	"sync"

	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/testhook/bug"
)

// stripes is how many groups of keys a cache tells apart when it decides whether a read raced with a change. A
// collision only means that one value is read again.
const stripes = 256

// Cache keeps values that were read from the database in memory, until the feed says that they changed. It is
// bounded: what was not used for long goes first.
type Cache[V any] struct {
	items bounded.Cache[string, any] // of V; not named here, so that it is compiled once
	seed  maphash.Seed
	lanes [stripes]lane
}

type lane struct {
	sync.Mutex
	changes uint64 // how many entries for keys of this lane were applied
}

// ordinary is about how many bytes of memory a value without much text takes, with its key and its place in the cache.
const ordinary = 512

// NewCache returns a cache of at most size values that are evicted by entries of a kind with the value's key. It is bounded by
// bytes: weigh, which may be nil, returns those that a value has beyond what is ordinary. Where memory is little, the
// bound is a part of that (Options.Caches).
func NewCache[V any](f *Feed, kind Kind, size int, weigh func(V) int) *Cache[V] {
	weight := func(any) int { return ordinary }
	if weigh != nil {
		weight = func(v any) int { return ordinary + weigh(v.(V)) }
	}
	c := &Cache[V]{
		items: newItems(int64(size)*ordinary*f.share()/whole, weight),
		seed:  maphash.MakeSeed(),
	}
	f.Follow(kind, func(e Entry) { c.Evict(e.Key) })
	f.OnReset(c.Clear)
	return c
}

// whole is what share returns where caches are as large as they were made for.
const whole = 1000

// share returns how many thousandths caches have of the bytes that they were made for.
func (f *Feed) share() int64 {
	if f.caches <= 0 {
		return whole
	}
	return max(1, min(whole, f.caches*whole/allCaches))
}

func newItems(bytes int64, weight func(any) int) bounded.Cache[string, any] {
	return bounded.New(&bounded.Options[string, any]{MaximumWeight: uint64(max(bytes, ordinary)),
		Weigher: func(_ string, v any) uint32 { return uint32(min(weight(v), math.MaxUint32)) }}) //nolint:gosec // bounded
}

// Load returns the value of key from memory, or else reads it. A value that was read while a change of it came in is
// given to this caller, who asked before the change was acknowledged, but it is not kept. Of values that were read beside
// each other the first to be kept is the one that all are given, so that nobody sees a change come and go again.
func (c *Cache[V]) Load(ctx context.Context, key string, read func(context.Context) (V, error)) (V, error) {
	if v, ok := c.Peek(key); ok {
		return v, nil
	}
	l := c.lane(key)
	l.Lock()
	before := l.changes
	l.Unlock()
	v, err := read(ctx)
	if err != nil {
		return v, err
	}
	l.Lock()
	defer l.Unlock()
	if l.changes == before || bug.LateFill {
		kept, _ := c.items.SetIfAbsent(key, v)
		return kept.(V), nil
	}
	return v, nil
}

// Peek returns the value of key if it is in memory.
func (c *Cache[V]) Peek(key string) (v V, ok bool) {
	kept, ok := c.items.GetIfPresent(key)
	if ok {
		v = kept.(V)
	}
	return v, ok
}

// Evict forgets one value, also if it is being read now.
func (c *Cache[V]) Evict(key string) {
	l := c.lane(key)
	l.Lock()
	defer l.Unlock()
	l.changes++
	c.items.Invalidate(key)
}

// Clear forgets everything, and whatever is being read now.
func (c *Cache[V]) Clear() {
	for i := range c.lanes {
		c.lanes[i].Lock()
		c.lanes[i].changes++
		c.lanes[i].Unlock()
	}
	c.items.InvalidateAll()
}

func (c *Cache[V]) lane(key string) *lane {
	return &c.lanes[maphash.String(c.seed, key)%stripes]
}
