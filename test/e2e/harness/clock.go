package harness

import (
	"sync/atomic"
	"time"
)

// Clock is the server's clock. It stands still unless a test moves it.
type Clock struct{ milliseconds atomic.Int64 }

func newClock() *Clock {
	c := &Clock{}
	c.milliseconds.Store(time.Now().Truncate(time.Second).UnixMilli())
	return c
}

// Now returns the time.
func (c *Clock) Now() time.Time { return time.UnixMilli(c.milliseconds.Load()) }

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) { c.milliseconds.Add(d.Milliseconds()) }
