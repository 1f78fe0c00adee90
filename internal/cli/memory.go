//go:build !windows

package cli

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"golang.org/x/sys/unix"
)

// leaveNoCore has the system write no core file when the process dies, since its memory holds keys. An error says that the
// system refused.
func leaveNoCore() error {
	return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}

// outsideHeap is about how many bytes the server holds that the garbage collector does not know of: the program itself, and the
// pages and values that SQLite has in hand, which may be some copies of the largest secret.
const outsideHeap = 36 << 20

// limitMemory has the garbage collector keep the server below nine tenths of what its cgroup allows, and returns that limit
// in bytes. GOMEMLIMIT, where it is set, counts instead, and the setting before both. Without any there is no limit: 0.
func limitMemory(log *slog.Logger, setting int64) int64 {
	limit := setting
	if limit == 0 {
		limit = foundLimit(log)
	}
	if limit == 0 {
		return 0
	}
	debug.SetMemoryLimit(max(limit-outsideHeap, limit/2))
	log.Debug("the garbage collector keeps to a memory limit", "bytes", limit)
	return limit
}

// beyondAll is more memory in bytes than any machine has: a limit above it is none.
const beyondAll = 1 << 50

// foundLimit returns the limit that the environment or the cgroup names; 0 for none.
func foundLimit(log *slog.Logger) int64 {
	limit, err := memlimit.Set(memlimit.WithRatio(0.9), memlimit.WithProvider(memlimit.FromCgroup))
	if err != nil {
		log.Debug("the cgroup's limit of memory cannot be read", "error", err)
	}
	if limit == 0 {
		limit = debug.SetMemoryLimit(-1) // GOMEMLIMIT
	}
	if limit > beyondAll {
		return 0
	}
	return limit
}

// headroom is how much memory, in bytes, the server sets aside and never touches. The garbage collector counts it as in
// use, and waits until as much garbage has come up again. The heap itself is so small that it otherwise would run at every
// 800th request, and take a sixth of the processor time of each. What is never touched takes no room: resident memory
// grows by the garbage alone, and that is given back. A higher GOGC would do the same for a small heap, but multiply a
// large one.
const headroom = 16 << 20

// giveBackEvery is how often memory that is not in use is given back to the system.
const giveBackEvery = time.Minute

// giveBack returns unused memory to the system until ctx ends: at once, since starting leaves much behind, and then
// again and again, so that a server without work is small.
func giveBack(ctx context.Context) {
	tick := time.NewTicker(giveBackEvery)
	defer tick.Stop()
	for {
		debug.FreeOSMemory()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
