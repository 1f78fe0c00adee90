package config

import (
	"fmt"
	"time"
)

// Bounds says how much of the server's work one request may take.
type Bounds struct {
	SearchTime time.Duration `default:"5s" env:"SALLYPORT_SEARCH_TIME" help:"How long the database may look for what one request searches: audit events, identities and users by a part of their name. A search that needs longer is answered with 400."`
	MatchSteps int64         `default:"100000000" env:"SALLYPORT_MATCH_STEPS" help:"Most steps that one request may take to match the caller's rules with what it looks at. 100 million are about a second of processor time. A request that needs more is answered with 400."`
}

func (b *Bounds) validate() error {
	if b.MatchSteps < 1_000_000 || b.MatchSteps > 1_000_000_000_000 {
		return fmt.Errorf("--match-steps must be between 1000000 and 1000000000000")
	}
	if b.SearchTime < 100*time.Millisecond || b.SearchTime > 10*time.Minute {
		return fmt.Errorf("--search-time must be between 100ms and 10m")
	}
	return nil
}
