// Package limit owns token buckets in bounded memory: how often somebody may do something, and when they may again. It
// does not know who is limited, nor how a caller who has to wait is answered.
package limit

import (
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/internal/base/bounded"
)

// Rule is the size of a bucket: Burst at once, and Rate a second for ever. A rule without a rate limits nothing.
type Rule struct{ Rate, Burst int64 }

// Off reports whether the rule limits nothing.
func (r Rule) Off() bool { return r.Rate <= 0 }

// Buckets are one bucket for each key. A bucket is one number, the time at which it will be full again, so that taking
// from it needs no lock (the generic cell rate algorithm of ITU-T I.371). A nil *Buckets limits nothing. Buckets are
// safe for concurrent use.
type Buckets[K comparable] struct {
	rule  Rule
	each  int64 // nanoseconds until one more may be taken
	whole int64 // nanoseconds until an empty bucket is full
	items bounded.Cache[K, *atomic.Int64]
}

// New returns buckets of a rule for at most so many keys; nil for a rule that is off. When there are more keys, those go
// that are asked for least, and their buckets are full again. So who sends from ever new addresses throws out these.
func New[K comparable](r Rule, most int) *Buckets[K] {
	if r.Off() {
		return nil
	}
	r.Burst = max(1, r.Burst)
	each := max(1, int64(time.Second)/r.Rate)
	return &Buckets[K]{rule: r, each: each, whole: each * r.Burst,
		items: bounded.New(&bounded.Options[K, *atomic.Int64]{MaximumSize: most})}
}

// State is what is in a bucket.
type State struct {
	Allowed bool          // one could be taken
	Limit   int64         // how many a full bucket holds
	Left    int64         // how many may still be taken at once
	Wait    time.Duration // until one may be taken; 0 if one may be now
	Full    time.Duration // until the bucket is full again
}

// Take takes one from a key's bucket, if one is there.
func (b *Buckets[K]) Take(key K, now time.Time) State {
	if b == nil {
		return State{Allowed: true}
	}
	item, ok := b.items.GetIfPresent(key)
	if !ok {
		item, _ = b.items.SetIfAbsent(key, new(atomic.Int64))
	}
	for {
		full := item.Load()
		next := b.start(full, now) + b.each
		allowed := next-now.UnixNano() <= b.whole
		if !allowed {
			next -= b.each
		}
		if next == full || item.CompareAndSwap(full, next) {
			return b.state(next, now, allowed)
		}
	}
}

// Look returns what is in a key's bucket, and takes nothing.
func (b *Buckets[K]) Look(key K, now time.Time) State {
	if b == nil {
		return State{Allowed: true}
	}
	item, ok := b.items.GetIfPresent(key)
	if !ok {
		return State{Allowed: true, Limit: b.rule.Burst, Left: b.rule.Burst}
	}
	full := b.start(item.Load(), now)
	return b.state(full, now, full+b.each-now.UnixNano() <= b.whole)
}

// start returns when a bucket will be full: not before now, and not later than an empty one, as it would seem after the
// clock was set back.
func (b *Buckets[K]) start(full int64, now time.Time) int64 {
	return min(max(full, now.UnixNano()), now.UnixNano()+b.whole)
}

func (b *Buckets[K]) state(full int64, now time.Time, allowed bool) State {
	lacks := full - now.UnixNano()
	return State{Allowed: allowed, Limit: b.rule.Burst, Left: (b.whole - lacks) / b.each,
		Wait: time.Duration(max(0, lacks+b.each-b.whole)), Full: time.Duration(lacks)}
}
