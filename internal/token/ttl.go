package token

import "github.com/sallyport/sallyport/internal/testhook/bug"

// MaxTTL is the longest TTL or MaxTTL that a configuration may name, in seconds: 10 years of 365 days.
const MaxTTL = 315_360_000

// Limits bounds the life of a token, in seconds. A TTL or MaxTTL of 0 sets no limit. A periodic token, one with a
// Period, lives one period each time and can be renewed without end: its TTL and MaxTTL are void.
type Limits struct{ TTL, MaxTTL, Period int64 }

// end returns when a JWT expires that is issued at now, in seconds since 1970, for a token created at created. ceiling is
// the longest life of one JWT. Nothing is left when the end is not after now.
func (l Limits) end(created, now, ceiling int64) int64 {
	end := now + least(l.ttl(), ceiling)
	if maxTTL := l.maxTTL(); maxTTL > 0 {
		end = min(end, created+maxTTL)
	}
	return end
}

// lastEnd returns when every JWT that was issued up to now has expired, under any configuration that there was. ceiling is the
// greatest that any replica ever had. Of the limits only MaxTTL shortens it, where it holds: it ends at a fixed time,
// while a TTL or a period counts from the clock of the replica that issued the JWT.
func (l Limits) lastEnd(created, now, ceiling int64) int64 {
	if bug.ForgetsEarly {
		return Limits{MaxTTL: l.MaxTTL}.end(created, now, ceiling)
	}
	return Limits{MaxTTL: l.maxTTL()}.end(created, now, ceiling)
}

// lesser returns the limits that allow what both l and other allow. The result is periodic only if both are.
func (l Limits) lesser(other Limits) Limits {
	ttl, maxTTL := least(l.ttl(), other.ttl()), least(l.maxTTL(), other.maxTTL())
	if l.Period > 0 && other.Period > 0 {
		return Limits{Period: ttl}
	}
	return Limits{TTL: ttl, MaxTTL: maxTTL}
}

// least returns the smaller of two limits, of which 0 is none.
func least(a, b int64) int64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// ttl is the limit of one JWT, 0 for none.
func (l Limits) ttl() int64 {
	if l.Period > 0 {
		return l.Period
	}
	return l.TTL
}

// maxTTL is the MaxTTL where it holds, and 0 where there is none.
func (l Limits) maxTTL() int64 {
	if l.Period > 0 {
		return 0
	}
	return l.MaxTTL
}
