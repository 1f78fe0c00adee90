//go:build !windows

package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/cli/terminal"
	"github.com/sallyport/sallyport/internal/ops/transfer"
)

// bar shows how far a move has come: on a terminal one line that is written over again and again, elsewhere a line for
// each table that is done.
type bar struct {
	out      io.Writer
	unit     string // what is counted
	terminal bool
	now      func() time.Time
	step     transfer.Step
	began    time.Time // the step
	from     int64     // rows that were done when it began
	drawn    time.Time
	width    int // of what stands on the line
}

func newBar(out io.Writer, now func() time.Time) *bar {
	return &bar{out: out, unit: "rows", terminal: terminal.IsTerminal(out), now: now}
}

// redraw is how often the line changes at most.
const redraw = 100 * time.Millisecond

// show takes a report of the move.
func (b *bar) show(p transfer.Progress) {
	now := b.now()
	if p.Step != b.step {
		b.step, b.began, b.from, b.drawn = p.Step, now, p.All, time.Time{}
	}
	switch {
	case !b.terminal && p.Done:
		b.print("%s %s: %d rows (%d%%)\n", p.Step, p.Table, p.Rows, percent(p))
	case b.terminal && now.Sub(b.drawn) >= redraw:
		b.drawn = now
		b.draw(b.line(p, now))
	}
}

const barWidth = 20

// line is what a terminal shows, such as: copying [####......] 41% 20500 rows/s audit_logs
func (b *bar) line(p transfer.Progress, now time.Time) string {
	full := percent(p) * barWidth / 100
	rate := int64(0)
	if passed := now.Sub(b.began); passed > 0 {
		rate = int64(float64(p.All-b.from) / passed.Seconds())
	}
	return fmt.Sprintf("%-9s [%s%s] %3d%% %7d %s/s  %s", p.Step, strings.Repeat("#", full), strings.Repeat(".", barWidth-full),
		percent(p), rate, b.unit, p.Table)
}

func percent(p transfer.Progress) int {
	if p.AllOf == 0 {
		return 100
	}
	return int(min(100*p.All/p.AllOf, 100))
}

// draw writes over what stands on the line.
func (b *bar) draw(text string) {
	b.print("\r%-*s", b.width, text)
	b.width = len(text)
}

// clear leaves an empty line on a terminal.
func (b *bar) clear() {
	if b.terminal && b.width > 0 {
		b.draw("")
		b.print("\r")
		b.width = 0
	}
}

func (b *bar) print(format string, args ...any) {
	_, _ = fmt.Fprintf(b.out, format, args...) // nobody else is there to tell
}
