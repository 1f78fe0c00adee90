package result

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Show writes a point as a table for people.
func (p *Point) Show(w io.Writer) error {
	loop := fmt.Sprintf("closed loop, %d callers", p.Callers)
	if p.Rate > 0 {
		loop = fmt.Sprintf("open loop, %g operations/s, at most %d at once", p.Rate, p.Callers)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%s, %.1f s\n", loop, p.Seconds) // a tabwriter keeps its first error for Flush
	fmt.Fprintln(t, "request\tanswers\t/s\tp50 ms\tp90 ms\tp99 ms\tp99.9 ms\tmax ms\terrors\t")
	for _, name := range slices.Sorted(maps.Keys(p.Kinds)) {
		k := p.Kinds[name]
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t\n", name, k.Count, k.PerSecond, k.P50, k.P90, k.P99, k.P999, k.Max, k.errors())
	}
	for _, line := range p.remarks() {
		fmt.Fprintln(t, line)
	}
	return t.Flush()
}

func (k *Kind) errors() string {
	if len(k.Errors) == 0 {
		return "-"
	}
	var words []string
	for _, what := range slices.Sorted(maps.Keys(k.Errors)) {
		words = append(words, fmt.Sprintf("%s: %d", what, k.Errors[what]))
	}
	return strings.Join(words, ", ")
}

// remarks are what a reader of the figures must know.
func (p *Point) remarks() (lines []string) {
	if len(p.Kinds) == 0 {
		lines = append(lines, "Nothing was measured: no request that began after the warm-up has ended.")
	}
	if p.Unsent > 0 {
		lines = append(lines, fmt.Sprintf("The server did not keep up: %d of %d operations had not begun when time was over.", p.Unsent, p.Planned))
	}
	if p.EndedEarly != "" {
		lines = append(lines, "Ended early: "+p.EndedEarly+".")
	}
	if p.StaleAccepts > 0 {
		lines = append(lines, fmt.Sprintf("STALE ACCEPTS: %d uses of a token were accepted after its revoke had been answered.", p.StaleAccepts))
	}
	return lines
}
