package access_test

import (
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// A rule that forbids beats every rule that allows, whatever the order.
func ExampleAbility_Allows() {
	ability, err := access.CompileProject([]access.Rule{
		{Subject: access.SubjectSecrets, Actions: access.Actions{access.ReadValue}, Inverted: true,
			Conditions: access.Conditions{"environment": "prod"}},
		{Subject: access.SubjectSecrets, Actions: access.Actions{access.ReadValue},
			Conditions: access.Conditions{"secretPath": map[string]any{"$glob": "/app/**"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	may := func(environment, path string) bool {
		return ability.Allows(access.ReadValue, access.SubjectSecrets,
			access.Fields{access.Environment(environment), access.SecretPath(path), access.SecretName("KEY")})
	}

	fmt.Println("dev /app/web: ", may("dev", "/app/web"))
	fmt.Println("prod /app/web:", may("prod", "/app/web"))
	fmt.Println("dev /other:   ", may("dev", "/other"))
	// Output:
	// dev /app/web:  true
	// prod /app/web: false
	// dev /other:    false
}

// A domain method checks the permission in its first statement, and returns the error as it is.
func ExampleActor_Check() {
	rules, _ := access.OrgRole("member")
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	actor := &access.Actor{Type: access.ActorIdentity, ID: "ci", Rights: rights}

	fmt.Println(actor.Check(access.Create, access.SubjectIdentity, nil))
	err = actor.Check(access.EditAuth, access.SubjectIdentity, nil)
	fmt.Println(fault.Is(err, fault.PermissionDenied))
	// Output:
	// <nil>
	// true
}

// Nobody hands out more than they hold. A refusal names what is missing.
func ExampleActor_Covers() {
	member, _ := access.OrgRole("member")
	rights, err := access.Resolve([]access.Grant{{Rules: member}}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	actor := &access.Actor{Rights: rights}
	target, err := access.ReachOf([]access.Rule{
		{Subject: access.SubjectIdentity, Actions: access.Actions{access.Read, access.CreateToken}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	err = actor.Covers(target, "The role cannot be given")
	var refused *fault.Error
	if errors.As(err, &refused) {
		for _, missing := range refused.Details.(access.BoundaryDetails).MissingPermissions {
			fmt.Println("missing:", missing.Action, "on", missing.Subject)
		}
	}
	// Output:
	// missing: create-token on identity
}
