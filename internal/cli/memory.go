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

// limitMemory has the garbage collector keep the server below nine tenths of what its cgroup allows. GOMEMLIMIT, where it
// is set, counts instead; without a cgroup there is no limit.
func limitMemory(log *slog.Logger) {
	limit, err := memlimit.Set(memlimit.WithRatio(0.9), memlimit.WithProvider(memlimit.FromCgroup))
	if err != nil {
		log.Debug("the cgroup's limit of memory cannot be read, so none holds", "error", err)
		return
	}
	log.Debug("the garbage collector keeps to a limit of memory", "bytes", limit)
}

// headroom is how much memory, in bytes, the server sets aside and never touches. The garbage collector counts it as in
// use, and waits until as much garbage has come up again. The heap itself is so small that it would else run at every
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
