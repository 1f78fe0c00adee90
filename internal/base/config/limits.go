package config

import (
	"net/netip"
	"time"
)

// Limits says how often callers may come, and how much one connection may send.
type Limits struct {
	RateLimits     bool          `name:"rate-limits" default:"true" negatable:"" env:"SALLYPORT_RATE_LIMITS" help:"Answer 429 to callers who fail or ask too often. Turn it off with --no-rate-limits."`
	FailureRate    int64         `default:"5" within:"0,1000000000" env:"SALLYPORT_FAILURE_RATE" help:"Failed logins per second that one address (IPv6: /64) may have in the long run, and as many invalid tokens; 0 for no limit."`
	FailureBurst   int64         `default:"100" within:"0,1000000000" env:"SALLYPORT_FAILURE_BURST" help:"How many of them it may have at once."`
	FailureDelay   time.Duration `default:"100ms" within:"0s,10s" env:"SALLYPORT_FAILURE_DELAY" help:"How long an address over the limit waits for each 429."`
	IdentityRate   int64         `default:"2000" within:"0,1000000000" env:"SALLYPORT_IDENTITY_RATE" help:"Requests per second that one identity or user may make in the long run, on each replica; 0 for no limit."`
	IdentityBurst  int64         `default:"20000" within:"0,1000000000" env:"SALLYPORT_IDENTITY_BURST" help:"How many requests it may make at once."`
	UnlimitedNets  []string      `name:"rate-limits-exempt" default:"127.0.0.0/8,::1" env:"SALLYPORT_RATE_LIMITS_EXEMPT" placeholder:"CIDR" help:"Networks whose callers are never limited; none to limit every caller."`
	MemoryLimit    int64         `default:"0" within:"0 or 100663296,1125899906842624" env:"SALLYPORT_MEMORY_LIMIT" help:"Memory in bytes that the server keeps within, at least 96 MiB. Requests share what is left of it, and wait or get 503 when it is used up. 0 takes GOMEMLIMIT, or nine tenths of what the cgroup allows; without either there is no limit, and requests share 1.2 GB."`
	MaxConnections int           `default:"0" within:"0 or 16,10000000" env:"SALLYPORT_MAX_CONNECTIONS" help:"Most connections at once. When there are more, those are closed that have waited for their callers longest. 0 takes one for each 128 KiB of the memory limit, and 12288 where there is none."`
	MaxHeader      int           `default:"65536" within:"4096,1048576" env:"SALLYPORT_MAX_HEADER" help:"Largest request header, in bytes. The server adds 4096 bytes to it."`
}

// Timeouts says how long one connection may take, and how long starting and stopping may.
type Timeouts struct {
	HeaderTimeout   time.Duration `default:"10s" within:"100ms,1h" env:"SALLYPORT_HEADER_TIMEOUT" help:"How long a caller may take to send the header of a request."`
	RequestTimeout  time.Duration `default:"1m" within:"100ms,1h" env:"SALLYPORT_REQUEST_TIMEOUT" help:"How long a caller may take to send a whole request."`
	AnswerTimeout   time.Duration `default:"1m" within:"100ms,1h" env:"SALLYPORT_ANSWER_TIMEOUT" help:"How long an answer may take from the end of the header, until the caller has read it."`
	IdleTimeout     time.Duration `default:"2m" within:"100ms,1h" env:"SALLYPORT_IDLE_TIMEOUT" help:"How long a connection is kept without a request."`
	Drain           time.Duration `default:"5s" within:"0s,1h" env:"SALLYPORT_DRAIN" help:"How long the server keeps serving after it was told to stop, while /readyz answers 503. Set it longer than your proxies need to notice that. 0 stops immediately."`
	ShutdownTimeout time.Duration `default:"15s" within:"100ms,1h" env:"SALLYPORT_SHUTDOWN_TIMEOUT" help:"How long requests in flight may continue after --drain is over."`
	DatabaseWait    time.Duration `default:"1m" within:"0s,24h" env:"SALLYPORT_DATABASE_WAIT" help:"How long a starting server waits for a PostgreSQL that cannot be reached. Meanwhile /healthz answers 200 and every other path 503. 0 does not wait."`
}

// ExemptNetworks returns the networks whose callers are never limited.
func (l *Limits) ExemptNetworks() ([]netip.Prefix, error) {
	if len(l.UnlimitedNets) == 1 && l.UnlimitedNets[0] == "none" {
		return nil, nil
	}
	return ranges("--rate-limits-exempt", l.UnlimitedNets)
}
