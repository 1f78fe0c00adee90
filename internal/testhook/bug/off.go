//go:build !plantedbugs

// Package bug holds switches that put known bugs into the server, so that the tests which look for such bugs can be
// shown to find them. In every ordinary build all of them are false constants, and the compiler leaves nothing of them.
package bug

// The known bugs.
const (
	AckBeforeWait     = false // a change is acknowledged before other replicas know it
	ServeWithoutLease = false // a replica answers from memory although its lease is over
	ApplyOutOfOrder   = false // an entry of the log overtakes those before it, which are then taken for applied
	LateFill          = false // a value that was read before a change is cached after it
	RenewForgetsBorn  = false // a renewed token escapes the cut-offs of its past
	ForgetsEarly      = false // a revocation is remembered up to a max TTL that does not hold
	AckBeforeCommit   = false // a change is acknowledged before it is committed
	OldVerdict        = false // what was found of a token is taken for true after a change
	PanicWithSecret   = false // a request of the user agent Panicker panics, and quotes its token and its body
)

// Panicker is the user agent that PanicWithSecret is for.
const Panicker = "panicker"
