package role

import (
	"regexp"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/internal/fault"
)

var spanForm = regexp.MustCompile(`^\s*(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d|w|y)?\s*$`)

// units are the units in which the API writes spans of time; none means milliseconds.
var units = map[string]time.Duration{"": time.Millisecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute,
	"h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "y": 8766 * time.Hour}

// maxSpan is the longest time for which a role can be given: 100 years.
const maxSpan = 100 * 8766 * time.Hour

// ParseSpan reads a span of time such as "30m", "2.5h" or "7d": more than nothing and at most 100 years.
func ParseSpan(text string) (time.Duration, error) {
	if m := spanForm.FindStringSubmatch(text); m != nil {
		n, err := strconv.ParseFloat(m[1], 64)
		if span := n * float64(units[m[2]]); err == nil && span > 0 && span <= float64(maxSpan) {
			return time.Duration(span), nil
		}
	}
	return 0, fault.Invalid("custom", "Write the range as a positive number and a unit (s, m, h, d, w, y), such as 7d.", "temporaryRange")
}
