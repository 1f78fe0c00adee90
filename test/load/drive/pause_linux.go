package drive

import (
	"syscall"
	"time"
)

// nap waits in the kernel, which is exact to some 50 µs. A timer of Go waits in epoll_wait, which counts whole
// milliseconds: each request would begin up to one late, and that would look like the server's latency.
func nap(d time.Duration) {
	left := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&left, nil) // a signal ends it early; Until looks at the clock again
}
