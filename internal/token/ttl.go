package token

import "math"

// MaxTTL is the longest TTL or MaxTTL that a configuration may name, in seconds: 10 years of 365 days.
const MaxTTL = 315_360_000

// lifetime returns how long a JWT may live that is issued at now for a token created at created, in seconds: the least
// of its TTL, what is left of its MaxTTL, and the ceiling of the server. A ttl or maxTTL of 0 sets no limit. A
// periodic token lives one period each time and has no MaxTTL. The result is 0 or less when nothing is left.
func lifetime(ttl, maxTTL, period, created, now, ceiling int64) int64 {
	if period > 0 {
		return min(period, ceiling)
	}
	left := int64(math.MaxInt64)
	if maxTTL > 0 {
		left = created + maxTTL - now
	}
	if ttl > 0 {
		left = min(left, ttl)
	}
	return min(left, ceiling)
}
