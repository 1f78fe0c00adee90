package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGrowthTable shows what was measured at each size, what was not, and a budget that was missed.
func TestGrowthTable(t *testing.T) {
	table := &growths{}
	put := func(subject, what string, most float64, n int64, value float64) {
		table.put(growth{subject: subject, what: what, unit: "ms", most: most}, n, value)
	}
	put("tokens", "list", 0, 1_000, 2)
	put("tokens", "list", 0, 10_000_000, 5)
	put("tokens", "pause", 50, 1_000, 20)
	put("tokens", "pause", 50, 10_000, 51)
	put("events", "list", 0, 1_000, 0)
	var text strings.Builder
	if err := table.show(&text); err != nil {
		t.Fatal(err)
	}
	var got []string
	for row := range strings.Lines(text.String()) {
		got = append(got, strings.Join(strings.Fields(row), " "))
	}
	want := []string{
		"| what | unit | 1,000 | 10,000 | 100,000 | 1,000,000 | 10,000,000 | growth |",
		"|--- |--- |--: |--: |--: |--: |--: |--: |",
		"| **tokens** | | | | | | | |",
		"| list | ms | 2 | - | - | - | 5 | ×2.5 |",
		"| pause | ms, <= 50.0 | 20.0 | 51.0 MISSED | - | - | - | ×2.55 |",
		"| **events** | | | | | | | |",
		"| list | ms | 0 | - | - | - | - | - |",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestGrowthFails when a budget is missed by more than a tenth, at any size.
func TestGrowthFails(t *testing.T) {
	for name, c := range map[string]struct {
		row  growth
		want bool
	}{
		"passes/within":              {growth{most: 50, at: map[int64]float64{1_000: 50}}, false},
		"passes/missed by a tenth":   {growth{most: 50, at: map[int64]float64{1_000: 55}}, false},
		"passes/no budget":           {growth{at: map[int64]float64{1_000: 1e9}}, false},
		"fails/missed by more":       {growth{most: 50, at: map[int64]float64{1_000: 56}}, true},
		"fails/missed at one of two": {growth{most: 50, at: map[int64]float64{1_000: 1, 10_000: 56}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.row.failed(); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
