package auth_test

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// pinSettings is the configuration of the example's method. A pointer tells a PIN that was left out from an empty one.
type pinSettings struct {
	auth.Shared
	PIN *string `json:"pin,omitempty" writeOnly:"true" doc:"The PIN of the identity, at least 6 digits"`
}

// Key is the name under which the API answers with the configuration.
func (*pinSettings) Key() string { return "identityPinAuth" }

// pinLogin is the body of a login.
type pinLogin struct {
	IdentityID string `json:"identityId"`
	PIN        string `json:"pin"`
}

// pinMethod is a whole login method: auth.Mount gives it its routes, its storage and its audit events.
var pinMethod = auth.Method[pinSettings, pinLogin, *pinSettings]{
	Slug:  "pin-auth",
	Title: "PIN Auth",
	Check: func(_ context.Context, s *pinSettings) error {
		if s.PIN == nil || len(*s.PIN) < 6 {
			return fault.Invalid("too_small", "The PIN must have at least 6 digits.", "pin")
		}
		return nil
	},
	Identify: func(_ context.Context, login *pinLogin, _ access.Client) (string, error) {
		return login.IdentityID, nil
	},
	Verify: func(_ context.Context, s *pinSettings, login *pinLogin, _ access.Client) (auth.Proof, error) {
		if subtle.ConstantTimeCompare([]byte(*s.PIN), []byte(login.PIN)) != 1 {
			return auth.Proof{}, auth.Refuse("wrong_pin", "The PIN is wrong. Check it and log in again.")
		}
		return auth.Proof{Facts: map[string]any{"digits": len(login.PIN)}}, nil
	},
}

// A login method is a value: how its settings are checked, whom a login is for, and how its credentials are verified.
func ExampleMethod() {
	ctx, pin, short := context.Background(), "271828", "27"

	fmt.Println(pinMethod.Check(ctx, &pinSettings{PIN: &short}))

	settings := &pinSettings{PIN: &pin}
	proof, err := pinMethod.Verify(ctx, settings, &pinLogin{IdentityID: "ci", PIN: "271828"}, access.Client{})
	fmt.Println(proof.Facts, err)
	_, err = pinMethod.Verify(ctx, settings, &pinLogin{IdentityID: "ci", PIN: "314159"}, access.Client{})
	fmt.Println(err)
	// Output:
	// The PIN must have at least 6 digits.
	// map[digits:6] <nil>
	// The PIN is wrong. Check it and log in again.
}
