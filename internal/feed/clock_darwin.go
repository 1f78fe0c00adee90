package feed

import "golang.org/x/sys/unix"

// suspendClock goes on while a Mac sleeps (clock_gettime(3) of macOS), unlike the one of the same name on Linux.
const suspendClock = unix.CLOCK_MONOTONIC
