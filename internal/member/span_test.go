package member

import (
	"testing"
	"time"
)

// TestParseSpan: a span is written as the reference reads it, in any case and with every spelling of a unit.
func TestParseSpan(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"1h": time.Hour, "1H": time.Hour, "7 days": 7 * day, "2 hrs": 2 * time.Hour, "30 minutes": 30 * time.Minute, "1 week": 7 * day,
		"1 year": 8766 * time.Hour, "10 secs": 10 * time.Second, "2.5h": 150 * time.Minute, ".5 h": 30 * time.Minute, "1500": 1500 * time.Millisecond,
		"5 msecs": 5 * time.Millisecond, "1 Yr": 8766 * time.Hour, " 3d ": 3 * day, "1 MINUTE": time.Minute, "20ms": 20 * time.Millisecond,
	} {
		if got, err := ParseSpan(text); got != want || err != nil {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "h", "-1h", "0h", "1 month", "1h 30m", "one day", "101y", "0.1ms", "1e3s", "1hh", "."} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}
