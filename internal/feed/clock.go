package feed

import (
	"time"

	"golang.org/x/sys/unix"
)

// Clock reads a clock that nobody can set and that runs on while the machine sleeps. Only differences of its readings
// mean anything.
type Clock func() time.Duration

// BootTime reads the clock that runs on during suspend: CLOCK_BOOTTIME on Linux (clock_gettime(2)). Go's own monotonic reading will not do: it stops during suspend.
func BootTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(suspendClock, &t); err != nil {
		return 0 // every system that the server runs on has it; without a clock no lease ever counts, which is safe
	}
	return time.Duration(t.Nano())
}
