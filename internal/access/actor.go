package access

import "net/netip"

// ActorType tells what sort of caller an Actor is.
type ActorType string

// The sorts of caller, with the words of the audit log (identity.md section 9.3).
const (
	ActorIdentity ActorType = "identity"
	ActorUser     ActorType = "user"
	ActorPlatform ActorType = "platform"
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
	Ability       *Ability // its compiled rules in its organisation
	Client        Client
}

// Client is where a request came from, for the audit log and for address rules.
type Client struct {
	IP        netip.Addr
	UserAgent string
	RequestID string
}
