package member

import (
	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/role"
)

// common are the rights of built-in roles, compiled once: most actors have one such role and nothing else, and need no copy of
// their own.
type common struct{ rights map[string]access.Rights }

// newCommon compiles the rights of roles, whose rules hold no templates.
func newCommon(roles []role.Role, rulesOf func(slug string) ([]access.Rule, bool), resolve func([]access.Grant, int64) (access.Rights, error)) *common {
	c := &common{rights: map[string]access.Rights{}}
	for _, r := range roles {
		rules, ok := rulesOf(r.Slug)
		if !ok {
			continue
		}
		if rights, err := resolve([]access.Grant{{Rules: rules}}, 0); err == nil {
			c.rights[r.Slug] = rights
		}
	}
	return c
}

// of returns the rights of who holds one built-in role for good, and nothing else.
func (c *common) of(stored []storedRole) (access.Rights, bool) {
	if len(stored) != 1 || stored[0].Permissions != nil || stored[0].Temporary {
		return access.Rights{}, false
	}
	rights, ok := c.rights[stored[0].Role]
	return rights, ok
}
