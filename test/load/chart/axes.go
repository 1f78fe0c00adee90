package chart

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/sallyport/sallyport/test/load/result"
)

// axes names and scales the axes of a picture, and returns its lines. Where an axis is logarithmic the lines hold logarithms, and
// its marks tell the values: the library's own logarithmic scale leaves a third of the picture empty.
func axes(kind Kind, p *plot.Plot, results []*result.Result) ([]*series, error) {
	switch kind {
	case Latency:
		p.X.Label.Text, p.Y.Label.Text = "intended load (operations/s)", "latency from the intended start (ms)"
		p.X.Tick.Marker, p.Y.Tick.Marker = decades{}, decades{}
		return byKind(results, latencies), nil
	case Throughput:
		p.X.Label.Text, p.Y.Label.Text = "callers", "answers/s"
		p.X.Tick.Marker, p.Y.Tick.Marker = doublings{}, decades{}
		return byKind(results, throughput), nil
	case Memory:
		p.X.Label.Text, p.Y.Label.Text = "live revocations (thousands)", "resident memory of the server (MB)"
		p.X.Tick.Marker, p.Y.Tick.Marker = steps{}, steps{}
		p.Y.Min = 0
		return memory(results), nil
	}
	return nil, fmt.Errorf("there is no plot of %q", kind)
}

// room leaves space above and below the lines.
func room(p *plot.Plot, kind Kind) {
	if kind != Memory {
		p.Y.Min, p.Y.Max = p.Y.Min-0.1, p.Y.Max+0.1
		return
	}
	p.Y.Max *= 1.1
}

// byKind makes the lines of each kind of request in each result.
func byKind(results []*result.Result, lines func(name string, r *result.Result, kind string) []*series) (all []*series) {
	colour := 0
	for _, r := range results {
		for _, kind := range kinds(r) {
			name := kind
			if r.Settings.Label != "" {
				name += ", " + r.Settings.Label
			}
			found := lines(name, r, kind)
			for _, s := range found {
				s.colour = colour
			}
			if len(found) > 0 {
				colour++
			}
			all = append(all, found...)
		}
	}
	return all
}

// kinds returns the kinds of requests in a result, sorted.
func kinds(r *result.Result) []string {
	set := map[string]bool{}
	for _, p := range r.Points {
		for kind := range p.Kinds {
			set[kind] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func latencies(name string, r *result.Result, kind string) []*series {
	middle, high := &series{name: name + ": p50"}, &series{name: name + ": p99", dashed: true}
	for _, p := range r.Points {
		if k, ok := p.Kinds[kind]; ok && p.Rate > 0 && k.P50 > 0 && k.P99 > 0 {
			middle.points = append(middle.points, plotter.XY{X: math.Log10(p.Rate), Y: math.Log10(k.P50)})
			high.points = append(high.points, plotter.XY{X: math.Log10(p.Rate), Y: math.Log10(k.P99)})
		}
	}
	if len(middle.points) == 0 {
		return nil
	}
	return []*series{middle, high}
}

func throughput(name string, r *result.Result, kind string) []*series {
	s := &series{name: name}
	for _, p := range r.Points {
		if k, ok := p.Kinds[kind]; ok && p.Rate == 0 && p.Callers > 0 && k.PerSecond > 0 {
			s.points = append(s.points, plotter.XY{X: math.Log2(float64(p.Callers)), Y: math.Log10(k.PerSecond)})
		}
	}
	if len(s.points) == 0 {
		return nil
	}
	return []*series{s}
}

// memory makes one line of all results with the same label: each point is a run, at its first replica.
func memory(results []*result.Result) (all []*series) {
	for _, r := range results {
		name := r.Settings.Label
		if name == "" {
			name = "resident memory"
		}
		i := slices.IndexFunc(all, func(s *series) bool { return s.name == name })
		if i < 0 {
			i = len(all)
			all = append(all, &series{name: name, colour: i})
		}
		for _, p := range r.Points {
			if len(p.Replicas) > 0 && p.Replicas[0].MemoryAfter != nil && p.Replicas[0].RevokedAfter != nil {
				all[i].points = append(all[i].points, plotter.XY{X: *p.Replicas[0].RevokedAfter / 1000, Y: *p.Replicas[0].MemoryAfter / 1e6})
			}
		}
	}
	return slices.DeleteFunc(all, func(s *series) bool { return len(s.points) == 0 })
}

// decades marks 1, 2 and 5 of each power of ten, on an axis of logarithms to the base of ten.
type decades struct{}

// Ticks returns the marks between two logarithms.
func (decades) Ticks(least, most float64) (ticks []plot.Tick) {
	for n := math.Floor(least); n <= most; n++ {
		for _, step := range []float64{1, 2, 5} {
			v := step * math.Pow(10, n)
			if at := math.Log10(v); at >= least && at <= most {
				ticks = append(ticks, plot.Tick{Value: at, Label: number(v)})
			}
		}
	}
	return ticks
}

// doublings marks the powers of two, on an axis of logarithms to the base of two.
type doublings struct{}

// Ticks returns the marks between two logarithms.
func (doublings) Ticks(least, most float64) (ticks []plot.Tick) {
	for n := math.Ceil(least); n <= most; n++ {
		ticks = append(ticks, plot.Tick{Value: n, Label: number(math.Pow(2, n))})
	}
	return ticks
}

// steps marks multiples of 1, 2 or 5 times a power of ten: at most seven of them.
type steps struct{}

// Ticks returns the marks between two values.
func (steps) Ticks(least, most float64) (ticks []plot.Tick) {
	step := math.Pow(10, math.Floor(math.Log10((most-least)/6)))
	for _, factor := range []float64{2, 2.5, 2} { // 2, 5 and 10 times the power
		if (most-least)/step > 6 {
			step *= factor
		}
	}
	for n := math.Ceil(least / step); n*step <= most; n++ {
		ticks = append(ticks, plot.Tick{Value: n * step, Label: number(n * step)})
	}
	return ticks
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 7, 64) }
