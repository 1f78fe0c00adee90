// Package access owns who may do what: actors, rules with conditions, the boundary that nobody hands out more than
// they hold, and trusted addresses. It does not know where rules are stored, nor HTTP.
package access

import (
	"net/netip"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// ActorType tells what sort of caller an Actor is.
type ActorType string

// The sorts of caller, with the words of the audit log (docs/reference/identity.md section 9.3).
const (
	ActorIdentity ActorType = "identity"
	ActorUser     ActorType = "user"
	ActorPlatform ActorType = "platform"
	ActorUnknown  ActorType = "unknownUser" // a caller who has proved nothing
)

// Actor is who makes a request: a machine identity or a user, with what it may do. Domain methods take it as
// their first argument after the context; nothing is done on behalf of nobody.
type Actor struct {
	Type          ActorType
	ID            string
	Name          string
	OrgID         string
	AuthMethod    string // how it logged in, such as "token-auth"
	TokenID       string // the access token in use
	InstanceAdmin bool
	Client        Client
	Rights                // in its organization
	Budget        *Budget // of the request; nil bounds each check by itself
}

// Client is where a request came from, for the audit log and for address rules.
type Client struct {
	IP        netip.Addr
	UserAgent string
	RequestID string
}

// Allows reports whether the actor may do an action to a thing with these fields: an allow rule that names both matches the
// fields, and no denial does, whatever the order of the rules. Without fields it is Ability.AllowsSome. A field over 2048
// bytes is refused. With an error nothing was decided, and the request must fail with it: the budget is used up (BadRequest),
// or the context of the request has ended. Taking it for a refusal would leave things out of a list.
func (a *Actor) Allows(action Action, subject Subject, f Fields) (bool, error) {
	if a == nil {
		return false, nil
	}
	return a.Ability.decide(action, subject, f, a.Budget)
}

// Check returns nil if Allows says yes. Otherwise the error is that of Allows, or a fault.PermissionDenied, its details the
// actor's rules for that action and subject.
func (a *Actor) Check(action Action, subject Subject, f Fields) error {
	allowed, err := a.Allows(action, subject, f)
	switch {
	case err != nil:
		return err
	case allowed:
		return nil
	case a == nil:
		return refuse(nil, action, subject)
	}
	return refuse(a.Ability, action, subject)
}

// Undecided returns nil while the actor's budget lasts, and then the error of Allows. Whoever shows the error of a part of an
// answer in its place asks it first.
func (a *Actor) Undecided() error {
	if a == nil || a.Budget == nil {
		return nil
	}
	return a.Budget.fail()
}

// PayFor takes from the actor's budget what it may have taken to compile an ability. Whoever goes through the abilities of many
// projects for one request calls it for each. The errors are those of Allows.
func (a *Actor) PayFor(ability *Ability) error {
	if a.Budget == nil || ability == nil {
		return nil
	}
	a.Budget.spend(int64(len(ability.rules)) * ruleSteps)
	return a.Budget.fail()
}

func refuse(a *Ability, action Action, subject Subject) error {
	return fault.New(fault.PermissionDenied,
		"Your roles do not allow the action %q on %q for this target. Ask an administrator for a role that does.",
		action, subject).With(a.RulesFor(action, subject))
}
