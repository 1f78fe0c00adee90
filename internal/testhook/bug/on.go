//go:build plantedbugs

// Package bug holds switches that put known bugs into the server; see off.go. In this build the environment variable
// SALLYPORT_PLANTED_BUG names the one that is put in.
package bug

import "os"

var planted = os.Getenv("SALLYPORT_PLANTED_BUG")

// The known bugs.
var (
	AckBeforeWait     = planted == "ack-before-wait"
	ServeWithoutLease = planted == "serve-without-lease"
	ApplyOutOfOrder   = planted == "apply-out-of-order"
	LateFill          = planted == "late-fill"
	RenewForgetsBorn  = planted == "renew-forgets-born"
	ForgetsEarly      = planted == "forgets-early"
	AckBeforeCommit   = planted == "ack-before-commit"
	OldVerdict        = planted == "old-verdict"
	PanicWithSecret   = planted == "panic-with-secret"
)

// Panicker is the user agent that PanicWithSecret is for.
const Panicker = "panicker"
