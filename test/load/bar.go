package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// bar shows on a terminal how far a run is, on one line that is written over again and again. Elsewhere it shows nothing.
type bar struct {
	out      io.Writer
	terminal bool
	width    int // of what stands on the line
}

func newBar(out io.Writer) *bar {
	file, ok := out.(*os.File)
	if !ok {
		return &bar{out: out}
	}
	info, err := file.Stat()
	return &bar{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// redraw is how often the line changes.
const redraw = 100 * time.Millisecond

// follow shows a run of known length until stop is called, which returns when the line is empty.
func (b *bar) follow(what string, whole time.Duration, sent func() int64) (stop func()) {
	if !b.terminal {
		return func() {}
	}
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick, began := time.NewTicker(redraw), time.Now()
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.draw(line(what, time.Since(began), whole, sent()))
			case <-ended:
				b.draw("")
				b.print("\r")
				return
			}
		}
	}()
	return func() {
		close(ended)
		<-gone
	}
}

const barWidth = 20

// line is what a terminal shows, such as: [####......]  41%   20500 requests/s  verify with 16 callers
func line(what string, passed, whole time.Duration, sent int64) string {
	full := int(min(passed*barWidth/whole, barWidth))
	return fmt.Sprintf("[%s%s] %3d%% %7.0f requests/s  %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full),
		int(min(100*passed/whole, 100)), float64(sent)/passed.Seconds(), what)
}

// draw writes over what stands on the line.
func (b *bar) draw(text string) {
	b.print("\r%-*s", b.width, text)
	b.width = len(text)
}

func (b *bar) print(format string, args ...any) {
	_, _ = fmt.Fprintf(b.out, format, args...) // nobody else is there to tell
}
