package config

import "time"

// Bounds says how much of the server's work one request may take.
type Bounds struct {
	SearchTime time.Duration `default:"5s" within:"100ms,10m" env:"SALLYPORT_SEARCH_TIME" help:"How long the database may look for what one request searches: audit events, identities and users by a part of their name. A search that needs longer is answered with 400."`
	MatchSteps int64         `default:"100000000" within:"1000000,1000000000000" env:"SALLYPORT_MATCH_STEPS" help:"Most steps that one request may take to match the caller's rules with what it looks at. 100 million are about a second of processor time. A request that needs more is answered with 400."`
}
