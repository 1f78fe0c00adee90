package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// Limits says how often callers may come before they are answered 429. The zero value limits nobody.
type Limits struct {
	// Failures is what one address may get wrong: tokens that were never ours, and logins, each counted apart. Who has
	// used it up waits, but for tokens that were good a short while ago: so a neighbour's guesses do not stop those who
	// work. Tokens of ours that expired or were revoked do not count, since whole clusters have them at once.
	Failures limit.Rule

	// Delay is how long such a caller waits for its 429, so that it cannot keep the server busy with refusals.
	Delay time.Duration

	// Identity is how many requests one identity or user may make with its tokens, from wherever.
	Identity limit.Rule

	Exempt []netip.Prefix // whose requests are never limited
	Always []string       // paths of open routes that are answered whatever failed before
}

// most is how many addresses, and how many identities, are kept count of: a few megabytes.
const most = 1 << 16

// mostIn is most, or less where there is little memory.
func mostIn(memory *limit.Budget) int {
	if memory == nil {
		return most
	}
	return int(min(most, memory.Size()>>14))
}

// maxStalled bounds how many callers wait for their 429 at once; others lose their connection with it.
const maxStalled = 1024

// The names of the limits, in messages and metrics.
const (
	limitTokens   = "tokens"
	limitLogins   = "logins"
	limitIdentity = "identity"
)

// limiter is Limits at work.
type limiter struct {
	Limits
	tokens, logins *limit.Buckets[netip.Addr]
	identities     *limit.Buckets[string]
	seen           *limit.Seen
	stalled        chan struct{} // one for each caller that waits for its 429
	refused        *prometheus.CounterVec
}

func newLimiter(l Limits, memory *limit.Budget, registry *prometheus.Registry) *limiter {
	most := mostIn(memory)
	n := &limiter{Limits: l, tokens: limit.New[netip.Addr](l.Failures, most), logins: limit.New[netip.Addr](l.Failures, most),
		identities: limit.New[string](l.Identity, most), seen: limit.NewSeen(),
		stalled: make(chan struct{}, maxStalled)}
	n.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sallyport_rate_limited_total", Help: "Requests answered 429, by the limit that was reached.",
	}, []string{"limit"})
	if registry != nil {
		registry.MustRegister(n.refused)
	}
	return n
}

// exempt reports whether an address is never limited. Nor is one that is unknown, as behind a Unix socket.
func (l *limiter) exempt(ip netip.Addr) bool {
	if !ip.IsValid() {
		return true
	}
	for _, network := range l.Exempt {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// origin is what an address is counted as: an IPv6 caller has a network of 64 bits to choose from.
func origin(ip netip.Addr) netip.Addr {
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return ip
}

// heldBack refuses a caller whose address has used up what it may get wrong, before anything is looked at.
func (ex *exchange) heldBack(name string, buckets *limit.Buckets[netip.Addr]) *fault.Error {
	s := buckets.Look(origin(ex.client.IP), ex.started)
	if s.Allowed {
		return nil
	}
	ex.stall()
	return ex.tooMany(name, s, "Too many failed attempts from your address")
}

// stall keeps the caller waiting, or has it connect anew where too many wait already.
func (ex *exchange) stall() {
	l := ex.api.limiter
	if l.Delay <= 0 {
		return
	}
	select {
	case l.stalled <- struct{}{}:
	default:
		ex.Header()["Connection"] = closing
		return
	}
	defer func() { <-l.stalled }()
	wait := time.NewTimer(l.Delay)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ex.ctx.Done():
	}
}

// countFailure counts what the caller got wrong against its address.
func (ex *exchange) countFailure(buckets *limit.Buckets[netip.Addr]) {
	if !ex.exempt {
		buckets.Take(origin(ex.client.IP), ex.started)
	}
}

// spend counts a request of the actor. One that is let through learns what is left as soon as that is less than half.
func (ex *exchange) spend() *fault.Error {
	l := ex.api.limiter
	if ex.exempt || l.identities == nil {
		return nil
	}
	s := l.identities.Take(ex.actor.ID, ex.started)
	if !s.Allowed {
		return ex.tooMany(limitIdentity, s, "Too many requests of this identity")
	}
	if s.Left < s.Limit/2 {
		ex.limitHeaders(s)
	}
	return nil
}

func (ex *exchange) tooMany(name string, s limit.State, what string) *fault.Error {
	ex.api.limiter.refused.WithLabelValues(name).Inc()
	ex.limitHeaders(s)
	f := fault.New(fault.RateLimited, "%s. Try again in %d s; an operator can change the limit.", what, seconds(s.Wait))
	f.RetryAfter = s.Wait
	return f
}

// limitHeaders says what is left (draft-ietf-httpapi-ratelimit-headers-07): of how many, how many, and in how many
// seconds all will be there again.
func (ex *exchange) limitHeaders(s limit.State) {
	h := ex.Header()
	h["Ratelimit-Limit"] = []string{strconv.FormatInt(s.Limit, 10)}
	h["Ratelimit-Remaining"] = []string{strconv.FormatInt(max(0, s.Left), 10)}
	h["Ratelimit-Reset"] = []string{strconv.FormatInt(seconds(s.Full), 10)}
}

// seconds rounds up to whole seconds, at least one.
func seconds(d time.Duration) int64 { return max(1, int64((d+time.Second-1)/time.Second)) }

// guesses are the reasons of a dead token that was never one of ours. The others are known by its signature.
var guesses = []string{"malformed", "algorithm", "signature"}

func guessed(f *fault.Error) bool {
	return f.Kind == fault.DeadToken && slices.Contains(guesses, f.Reason)
}

// isLogin reports whether strangers send credentials to a route, or may.
func (l *limiter) isLogin(r *Route) bool {
	return r.Open && r.Method == http.MethodPost && !slices.Contains(l.Always, r.Path)
}

// failedLogin reports whether a fault means that credentials were not good.
func failedLogin(f *fault.Error) bool {
	return f != nil && (f.Kind == fault.Unauthenticated || f.Kind == fault.BadRequest || f.Kind == fault.Forbidden || guessed(f))
}
