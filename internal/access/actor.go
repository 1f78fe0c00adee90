// Package access owns who may do what: actors, rules with conditions, the boundary that nobody hands out more than
// they hold, and trusted addresses. It does not know where rules are stored, nor HTTP.
package access

import (
	"net/netip"

	"github.com/sallyport/sallyport/internal/fault"
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
	Rights        // in its organization
}

// Client is where a request came from, for the audit log and for address rules.
type Client struct {
	IP        netip.Addr
	UserAgent string
	RequestID string
}

// Check returns nil if the actor may do an action to a thing with these fields; see Ability.Allows. Otherwise the
// error is a fault.PermissionDenied, its details the actor's rules for that action and subject.
func (a *Actor) Check(action Action, subject Subject, f Fields) error {
	if a == nil {
		return refuse(nil, action, subject)
	}
	if a.Ability.Allows(action, subject, f) {
		return nil
	}
	return refuse(a.Ability, action, subject)
}

func refuse(a *Ability, action Action, subject Subject) error {
	return fault.New(fault.PermissionDenied,
		"Your roles do not allow the action %q on %q for this target. Ask an administrator for a role that does.",
		action, subject).With(a.RulesFor(action, subject))
}
