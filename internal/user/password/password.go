// Package password owns how a user signs in with a password. It does not know what a session is, nor who is locked out; user
// does.
package password

import (
	"context"

	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/user"
)

// SignIn returns the way to sign in with an e-mail address and a password, whose hash orgs made.
func SignIn(orgs *org.Service) user.SignIn {
	return user.SignIn{Slug: user.Method, Verify: func(_ context.Context, stored, proof string) (bool, error) {
		return orgs.CheckPassword(stored, proof)
	}}
}
