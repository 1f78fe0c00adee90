package result

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/test/load/drive"
)

// measured returns what a run measures whose requests take so many microseconds each.
func measured(micros []int64) *drive.Measured {
	now, n := time.UnixMilli(0), 0
	p := drive.Plan{Callers: 1, Duration: 24 * time.Hour * 365, Now: func() time.Time { return now }, Work: func(_ context.Context, t *drive.Turn) error {
		if n == len(micros) {
			return drive.ErrExhausted
		}
		now = now.Add(time.Duration(micros[n]) * time.Microsecond)
		n++
		t.Done("it", "")
		return nil
	}}
	return p.Run(context.Background(), drive.NewTally())
}

// TestFiguresAreTrue compares with the latencies themselves, sorted: a histogram of three digits may be off by a thousandth.
func TestFiguresAreTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.SliceOfN(rapid.Int64Range(1, 100_000_000), 1, 300).Draw(t, "micros")
		m := measured(micros)
		p, err := NewPoint(1, 0, m)
		if err != nil {
			t.Fatal(err)
		}
		k := p.Kinds["it"]
		slices.Sort(micros)
		for _, f := range []struct {
			percentile float64
			got        float64
		}{{50, k.P50}, {90, k.P90}, {99, k.P99}, {99.9, k.P999}, {100, k.Max}} {
			rank := f.percentile / 100 * float64(len(micros))
			least, most := float64(micros[max(0, int(rank)-1)])/1000, float64(micros[int(math.Ceil(rank))-1])/1000
			if f.got < least*0.999-0.001 || f.got > most*1.001+0.001 {
				t.Errorf("percentile %g is %g ms, want %g to %g", f.percentile, f.got, least, most)
			}
		}
		if k.Count != int64(len(micros)) || math.Abs(k.PerSecond*m.Elapsed.Seconds()-float64(k.Count)) > 0.01*float64(k.Count)+m.Elapsed.Seconds()/1000 {
			t.Errorf("%d answers at %g/s in %v, want %d", k.Count, k.PerSecond, m.Elapsed, len(micros))
		}
		kept, err := hdrhistogram.Decode([]byte(k.Histogram))
		if err != nil || kept.TotalCount() != k.Count || float64(kept.ValueAtPercentile(50))/1000 != k.P50 {
			t.Errorf("the histogram that was written down does not say the same: %v", err)
		}
	})
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"read", `{"schema":1,"points":[{"callers":4,"kinds":{"verify":{"count":3}}}]}`, ""},
		{"refused/no JSON", `schema`, "not a file of results"},
		{"refused/another schema", `{"schema":2}`, "schema 2"},
		{"refused/a count below 0", `{"schema":1,"points":[{"callers":-1}]}`, "point 1"},
		{"refused/an absurd latency", `{"schema":1,"points":[{},{"kinds":{"verify":{"p99ms":1e300}}}]}`, "point 2"},
		{"refused/an absurd memory", `{"schema":1,"points":[{"replicas":[{"residentBytesAfter":1e300}]}]}`, "point 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if got := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
