package api

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"time"
)

// Rule allows, or denies, actions on a subject.
type Rule struct {
	Subject    string
	Actions    []string        `json:"action"`
	Conditions json.RawMessage `json:"conditions"`
	Inverted   bool
}

// Conditional reports whether the rule counts for some things only.
func (r Rule) Conditional() bool { return len(r.Conditions) > 2 } // {} is none

// Origin is a role with what it allows.
type Origin struct {
	Role, Name string
	Custom     *string    `json:"customRoleId"`
	Temporary  bool       `json:"isTemporary"`
	End        *time.Time `json:"temporaryAccessEndTime"`
	InForce    bool
	Rules      []Rule `json:"permissions"`
}

// Rights is what someone may do, by where it comes from.
type Rights struct {
	InstanceAdmin bool `json:"isInstanceAdmin"`
	Origins       []Origin
}

// Own reads the rights of the caller.
func (c *Caller) Own(ctx context.Context) (r Rights, err error) {
	return r, c.get(ctx, "/api/v1/access/permissions", nil, &r)
}

// RightsOf reads those of an identity or a user.
func (c *Caller) RightsOf(ctx context.Context, actorID string) (r Rights, err error) {
	return r, c.get(ctx, path("api", "v1", "access", "actors", actorID, "permissions"), nil, &r)
}

// Can guesses whether a request that needs an action on a subject has a chance: some rule allows it, and none denies it without
// conditions. Pages show buttons by it; the API alone decides.
func (r Rights) Can(action, subject string) bool {
	allowed := false
	for _, o := range r.Origins {
		for _, rule := range o.Rules {
			if !o.InForce || rule.Subject != subject || !slices.Contains(rule.Actions, action) {
				continue
			}
			if rule.Inverted && !rule.Conditional() {
				return false
			}
			allowed = allowed || !rule.Inverted
		}
	}
	return allowed
}

// Decision tells whether someone may do something, and the rule that decided.
type Decision struct {
	Allowed  bool
	Role     *string
	RoleName *string
	Rule     *Rule
}

// Decide asks for a decision.
func (c *Caller) Decide(ctx context.Context, actorID, action, subject string) (d Decision, err error) {
	return d, c.get(ctx, path("api", "v1", "access", "actors", actorID, "decision"), url.Values{"action": {action}, "subject": {subject}}, &d)
}
