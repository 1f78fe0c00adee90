//go:build !linux

package drive

import "time"

// nap waits for a timer.
func nap(d time.Duration) { <-time.After(d) }
