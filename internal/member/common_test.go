package member

import (
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/role"
)

// TestCommonRights: who holds one built-in role shares its rights with all who do, and they are those of the role.
func TestCommonRights(t *testing.T) {
	for name, c := range map[string]struct {
		common  *common
		roles   []role.Role
		rulesOf func(string) ([]access.Rule, bool)
	}{
		"organization": {newCommon(role.BuiltIns(), access.OrgRole, access.Resolve), role.BuiltIns(), access.OrgRole},
		"project":      {newCommon(role.ProjectBuiltIns(), access.ProjectRole, access.ResolveProject), role.ProjectBuiltIns(), access.ProjectRole},
	} {
		for _, r := range c.roles {
			rights, ok := c.common.of([]storedRole{{Role: r.Slug}})
			rules, _ := c.rulesOf(r.Slug)
			if !ok || len(rights.Ability.Rules()) != len(rules) || rights.ChangesAt != 0 {
				t.Errorf("%s: the rights of %s are not shared", name, r.Slug)
			}
		}
		own := "[]"
		start, end := int64(1), int64(2)
		for what, stored := range map[string][]storedRole{
			"nobody":           nil,
			"a custom role":    {{Role: "custom", Permissions: &own}},
			"for a time":       {{Role: role.Admin, Temporary: true, AccessStart: &start, AccessEnd: &end}},
			"two roles":        {{Role: role.NoAccess}, {Role: role.Admin}},
			"an unknown role":  {{Role: "of-the-future"}},
			"with a privilege": {{Role: role.NoAccess}, {Role: "custom", Permissions: &own, Privilege: true}},
		} {
			if _, ok := c.common.of(stored); ok {
				t.Errorf("%s: %s shares rights", name, what)
			}
		}
	}
}
