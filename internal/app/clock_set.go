//go:build plantedbugs

package app

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// wallClock returns a clock of a machine that someone sets while the server runs: the file clock-shift in the data
// folder says by how much it is wrong, such as "-10m". It carries no reading of the monotonic clock, which would hide
// the jump from differences of times.
func wallClock(dataDir string) func() time.Time {
	return func() time.Time {
		text, _ := os.ReadFile(filepath.Join(dataDir, "clock-shift"))   // none: the clock is right
		shift, _ := time.ParseDuration(strings.TrimSpace(string(text))) // nor is it wrong by what is no duration
		return time.Now().Round(0).Add(shift)
	}
}
