package user

import "context"

// SignIn is a way to prove to be a user: the extension point of sign-ins, as auth.Method is for identities. What all ways
// share is around its one verb: the queue for expensive checks, lockouts, audit events and the session.
type SignIn struct {
	Slug string // such as "email": in lockouts and in the audit log

	// Verify reports whether a proof that a caller sent belongs to what is stored for a user. It takes as long where there is
	// no such user: then stored is empty, and the answer is no.
	Verify func(ctx context.Context, stored, proof string) (bool, error)
}
