package chart

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/sallyport/sallyport/cmd/sallyport-load/result"
)

// axes names and scales the axes of a picture, and returns its lines.
func axes(kind Kind, p *plot.Plot, results []*result.Result) ([]*series, error) {
	switch kind {
	case Latency:
		p.X.Label.Text, p.Y.Label.Text = "intended load (operations/s)", "latency from the intended start (ms)"
		logarithmic(&p.X)
		logarithmic(&p.Y)
		return byKind(results, latencies), nil
	case Throughput:
		p.X.Label.Text, p.Y.Label.Text = "callers", "answers/s"
		logarithmic(&p.X)
		p.X.Tick.Marker = doublings{}
		p.Y.Min = 0
		return byKind(results, throughput), nil
	case Memory:
		p.X.Label.Text, p.Y.Label.Text = "live revocations (thousands)", "resident memory of the server (MB)"
		p.Y.Min = 0
		return memory(results), nil
	}
	return nil, fmt.Errorf("there is no picture of %q", kind)
}

// room widens axes of a single value, which a logarithmic scale cannot show, and leaves space above the lines.
func room(p *plot.Plot, kind Kind) {
	if p.X.Min == p.X.Max && kind != Memory {
		p.X.Min, p.X.Max = p.X.Min/2, p.X.Max*2
	}
	if kind == Latency {
		p.Y.Min, p.Y.Max = p.Y.Min/1.5, p.Y.Max*1.5
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
			middle.points = append(middle.points, plotter.XY{X: p.Rate, Y: k.P50})
			high.points = append(high.points, plotter.XY{X: p.Rate, Y: k.P99})
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
		if k, ok := p.Kinds[kind]; ok && p.Rate == 0 && p.Callers > 0 && k.Count > 0 {
			s.points = append(s.points, plotter.XY{X: float64(p.Callers), Y: k.PerSecond})
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

func logarithmic(a *plot.Axis) {
	a.Scale = plot.LogScale{}
	a.Tick.Marker = decades{}
}

// decades marks 1, 2 and 5 of each power of ten.
type decades struct{}

// Ticks returns the marks between two values above 0.
func (decades) Ticks(least, most float64) (ticks []plot.Tick) {
	for power := math.Pow(10, math.Floor(math.Log10(least))); power <= most; power *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if v := step * power; v >= least && v <= most {
				ticks = append(ticks, tick(v))
			}
		}
	}
	return ticks
}

// doublings marks the powers of two.
type doublings struct{}

// Ticks returns the marks between two values above 0.
func (doublings) Ticks(least, most float64) (ticks []plot.Tick) {
	for v := 1.0; v <= most; v *= 2 {
		if v >= least {
			ticks = append(ticks, tick(v))
		}
	}
	return ticks
}

func tick(v float64) plot.Tick {
	return plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 6, 64)}
}
