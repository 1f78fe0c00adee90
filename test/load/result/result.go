// Package result owns the form in which a load run is written down, and how it is read again. It measures nothing.
package result

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/sallyport/sallyport/test/load/drive"
)

// Schema is the version of the form. It grows when a field changes its meaning or goes away.
const Schema = 1

// Result is one run, or a sweep of several.
type Result struct {
	Schema   int       `json:"schema"`
	At       time.Time `json:"at"` // when it began, UTC
	Server   string    `json:"serverVersion,omitempty"`
	Settings Settings  `json:"settings"`
	Points   []Point   `json:"points"` // one of a run, one for each value of a sweep
}

// Settings are the flags of the command that all points share. The token is not among them.
type Settings struct {
	URLs      []string `json:"urls"`
	Mix       string   `json:"mix"`
	Label     string   `json:"label,omitempty"` // what plots call it
	WarmUp    float64  `json:"warmUpSeconds"`
	Duration  float64  `json:"durationSeconds"`
	MaxErrors float64  `json:"maxErrors"` // share of the requests
	Secrets   int      `json:"secrets"`   // in the folder
	Mass      int      `json:"massTokens"`
}

// Point is what was measured with so many callers at one rate.
type Point struct {
	Callers      int             `json:"callers"`
	Rate         float64         `json:"rate"`    // operations a second that were meant; 0 for a closed loop
	Seconds      float64         `json:"seconds"` // that were measured
	Planned      int64           `json:"planned,omitempty"`
	Unsent       int64           `json:"unsent,omitempty"` // of the planned: not begun when time was over
	StaleAccepts int64           `json:"staleAccepts"`
	EndedEarly   string          `json:"endedEarly,omitempty"` // why
	Kinds        map[string]Kind `json:"kinds"`                // of requests
	Replicas     []Replica       `json:"replicas"`
}

// Kind is what was measured of one kind of request. Latencies are in milliseconds, of the answers that were as expected.
type Kind struct {
	Count     int64            `json:"count"` // of the answers that were as expected
	PerSecond float64          `json:"perSecond"`
	Errors    map[string]int64 `json:"errors"` // other answers by status, and "no answer"
	P50       float64          `json:"p50ms"`
	P90       float64          `json:"p90ms"`
	P99       float64          `json:"p99ms"`
	P999      float64          `json:"p999ms"`
	Max       float64          `json:"maxMs"`
	Histogram string           `json:"histogram"` // HdrHistogram V2, compressed, base64; in microseconds
}

// Replica is what one server told of itself (GET /metrics), before and after. Missing is what it did not tell.
type Replica struct {
	URL           string   `json:"url"`
	MemoryBefore  *float64 `json:"residentBytesBefore,omitempty"`
	MemoryAfter   *float64 `json:"residentBytesAfter,omitempty"`
	RevokedBefore *float64 `json:"revokedTokensBefore,omitempty"`
	RevokedAfter  *float64 `json:"revokedTokensAfter,omitempty"`
}

// NewPoint sums up what was measured with so many callers at a rate.
func NewPoint(callers int, rate float64, m *drive.Measured) (Point, error) {
	p := Point{Callers: callers, Rate: rate, Seconds: round(m.Elapsed.Seconds()), Planned: m.Planned, Unsent: m.Unsent,
		StaleAccepts: m.StaleAccepts(), Kinds: map[string]Kind{}}
	if m.Err != nil {
		p.EndedEarly = m.Err.Error()
	}
	for name, measured := range m.Kinds() {
		k, err := newKind(measured, m.Elapsed)
		if err != nil {
			return p, err
		}
		p.Kinds[name] = k
	}
	return p, nil
}

func newKind(m *drive.Kind, elapsed time.Duration) (Kind, error) {
	h := m.Latency
	ms := func(percentile float64) float64 { return float64(h.ValueAtPercentile(percentile)) / 1000 }
	k := Kind{Count: h.TotalCount(), Errors: m.Errors, P50: ms(50), P90: ms(90), P99: ms(99), P999: ms(99.9), Max: float64(h.Max()) / 1000}
	if elapsed > 0 {
		k.PerSecond = round(float64(k.Count) / elapsed.Seconds())
	}
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	k.Histogram = string(encoded)
	return k, err
}

// round keeps three digits after the point, which is more than is known.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// Write writes a result into a file, for its owner alone.
func Write(path string, r *Result) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// maxFile bounds how much is read of a file of results.
const maxFile = 64 << 20

// Read reads a file that Write wrote.
func Read(path string) (*Result, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s is too large for a file of results: more than %d bytes", path, maxFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Parse reads the text of a file of results. What it returns can be drawn: no figure in it is below 0, or absurd.
func Parse(text []byte) (*Result, error) {
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("this is not a file of results: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("these are results of schema %d, and this program reads schema %d", r.Schema, Schema)
	}
	for i := range r.Points {
		if !r.Points[i].sane() {
			return nil, fmt.Errorf("point %d has a figure that cannot be", i+1)
		}
	}
	return r, nil
}

// absurd is more than any figure of a run can be: a petabyte, in bytes.
const absurd = 1e15

func (p *Point) sane() bool {
	figures := []float64{float64(p.Callers), p.Rate}
	for _, k := range p.Kinds {
		figures = append(figures, float64(k.Count), k.PerSecond, k.P50, k.P99)
	}
	for _, r := range p.Replicas {
		for _, v := range []*float64{r.MemoryAfter, r.RevokedAfter} {
			if v != nil {
				figures = append(figures, *v)
			}
		}
	}
	return !slices.ContainsFunc(figures, func(v float64) bool { return v < 0 || v > absurd })
}
