//go:build !crashpoints

package crashpoint

import "time"

// Reach tells that the program has come to a point. In every ordinary build it does nothing, and the compiler leaves
// nothing of it.
func Reach(Point) {}

// Pace returns d, how often something is done that a test otherwise would have to wait for.
func Pace(d time.Duration) time.Duration { return d }

// Hurried reports whether a test asks for what is slow on purpose to be fast. In every ordinary build it is false.
func Hurried() bool { return false }
