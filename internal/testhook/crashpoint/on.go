//go:build crashpoints

package crashpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// In this build the environment variable SALLYPORT_CRASHPOINT, a point or point:n, says where the process ends: when it
// comes to that point for the n-th time. SALLYPORT_CRASHPOINT_PACE replaces what Pace is asked about.
var (
	armed, left = arm(os.Getenv("SALLYPORT_CRASHPOINT"))
	pace        = os.Getenv("SALLYPORT_CRASHPOINT_PACE")
)

// arm reads the variable. A point that does not exist would never be reached, and the test that wanted it see nothing.
func arm(text string) (Point, *atomic.Int64) {
	name, times, counted := strings.Cut(text, ":")
	n := 1
	if counted {
		var err error
		if n, err = strconv.Atoi(times); err != nil || n < 1 {
			panic(fmt.Sprintf("SALLYPORT_CRASHPOINT=%q: after the colon there must be a number from 1 up", text))
		}
	}
	left := &atomic.Int64{}
	left.Store(int64(n))
	return Point(name), left
}

// Reach ends the process with SIGKILL if p is the armed point and this is the time to.
func Reach(p Point) {
	if p != armed || left.Add(-1) != 0 {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // nobody may refuse that of itself
	select {}                                      // nothing behind the point may happen
}

// Pace returns d, or what the environment says instead.
func Pace(d time.Duration) time.Duration {
	if other, err := time.ParseDuration(pace); err == nil {
		return other
	}
	return d
}

// Hurried reports whether the environment sets a pace: what is slow on purpose is to be fast then.
func Hurried() bool { return pace != "" }
