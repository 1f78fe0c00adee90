package member

import (
	"regexp"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// spanForm is how the API writes spans of time, with every spelling of a unit that the reference reads.
var spanForm = regexp.MustCompile(`^\s*(\d{0,9}(?:\.\d{1,9})?)\s*(?i:` +
	`(milliseconds?|msecs?|ms)|(seconds?|secs?|s)|(minutes?|mins?|m)|(hours?|hrs?|h)|(days?|d)|(weeks?|w)|(years?|yrs?|y))?\s*$`)

// units are the units in the order of spanForm; none means milliseconds.
var units = []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 8766 * time.Hour}

// maxSpan is the longest time for which a role can be given: 100 years.
const maxSpan = 100 * 8766 * time.Hour

// ParseSpan reads a span of time such as "30m", "2.5 hrs" or "7 days": more than nothing and at most 100 years.
func ParseSpan(text string) (time.Duration, error) {
	if m := spanForm.FindStringSubmatch(text); m != nil {
		n, err := strconv.ParseFloat(m[1], 64)
		if span := n * float64(unit(m[2:])); err == nil && span >= float64(time.Millisecond) && span <= float64(maxSpan) {
			return time.Duration(span), nil
		}
	}
	return 0, fault.Invalid("custom", "Write the range as a positive number and a unit (s, m, h, d, w, y), such as 7d or 7 days.", "temporaryRange")
}

// unit returns the unit whose spelling was found.
func unit(found []string) time.Duration {
	for i, spelling := range found {
		if spelling != "" {
			return units[i]
		}
	}
	return time.Millisecond
}
