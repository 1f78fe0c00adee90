package role

import (
	"slices"

	"github.com/sallyport/sallyport/internal/access"
)

// projectBuiltIn lists the built-in roles of projects. Their ids never change, so that clients may keep them.
var projectBuiltIn = []Role{
	{ID: "c21b49a9-09a9-4443-916a-4246f9ff2c01", Slug: Admin, Name: "Admin", Description: "Everything in the project"},
	{ID: "c21b49a9-09a9-4443-916a-4246f9ff2c02", Slug: "member", Name: "Developer", Description: "Reads and writes secrets in every environment"},
	{ID: "c21b49a9-09a9-4443-916a-4246f9ff2c03", Slug: "viewer", Name: "Viewer", Description: "Reads, secret values too, and changes nothing"},
	{ID: "c21b49a9-09a9-4443-916a-4246f9ff2c04", Slug: NoAccess, Name: "No Access", Description: "Nothing until another role is added"},
	{ID: "c21b49a9-09a9-4443-916a-4246f9ff2c05", Slug: "cryptographic-operator", Name: "Cryptographic Operator", Description: "Uses keys, and sees no secrets"},
}

// ProjectBuiltIns returns the built-in roles of projects, without their rules.
func ProjectBuiltIns() []Role { return slices.Clone(projectBuiltIn) }

// ProjectBuiltIn returns a built-in role of projects by its slug or id, or nil.
func ProjectBuiltIn(slugOrID string) *Role {
	for _, r := range projectBuiltIn {
		if slugOrID == r.Slug || slugOrID == r.ID {
			r.BuiltIn = true
			r.Rules, _ = access.ProjectRole(r.Slug)
			return &r
		}
	}
	return nil
}
