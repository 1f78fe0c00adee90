package role

import (
	"context"
	"regexp"
	"slices"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// The built-in roles that code names.
const (
	Admin    = "admin"     // grants everything in an organization
	NoAccess = "no-access" // grants nothing
	Custom   = "custom"    // stands for a custom role where only built-in ones have names
)

// Role is a role of an organization or of a project: built in, or made there. Times are milliseconds UTC.
type Role struct {
	ID          string
	OrgID       string
	ProjectID   string // empty for one of the organization
	Slug        string
	Name        string
	Description string
	Rules       []access.Rule
	BuiltIn     bool
	CreatedAt   int64
	UpdatedAt   int64
}

// builtIn lists the built-in roles with the ids that the API gives them (docs/reference/identity.md section 7.5).
var builtIn = []Role{
	{ID: "b11b49a9-09a9-4443-916a-4246f9ff2c69", Slug: Admin, Name: "Admin", Description: "Everything in the organization"},
	{ID: "b11b49a9-09a9-4443-916a-4246f9ff2c70", Slug: "member", Name: "Member", Description: "What most members need"},
	{ID: "b10d49a9-09a9-4443-916a-4246f9ff2c72", Slug: NoAccess, Name: "No Access", Description: "Nothing until another role is added"},
}

// Reach is what the role may let through, for boundary checks before it is handed out.
func (r *Role) Reach() (access.Reach, error) { return ReachOf(r.ProjectID, r.Rules) }

// BuiltIns returns the built-in roles of organizations, without their rules.
func BuiltIns() []Role { return slices.Clone(builtIn) }

// BuiltIn returns a built-in role by its slug or id, or nil.
func BuiltIn(slugOrID string) *Role {
	for _, r := range builtIn {
		if slugOrID == r.Slug || slugOrID == r.ID {
			r.BuiltIn = true
			r.Rules, _ = access.OrgRole(r.Slug)
			return &r
		}
	}
	return nil
}

// Find returns a role of an organization by its slug, or a custom role by its id; NotFound if there is none.
func (s *Service) Find(ctx context.Context, orgID, slugOrID string) (*Role, error) {
	return s.FindIn(ctx, orgID, "", slugOrID)
}

// List returns the roles of the actor's organization: the built-in ones, then its own by slug. Errors: PermissionDenied.
func (s *Service) List(ctx context.Context, actor *access.Actor) ([]Role, error) {
	return s.ListIn(ctx, ofOrganization(actor))
}

// Read returns a role of the actor's organization by its slug or id. Errors: PermissionDenied, NotFound.
func (s *Service) Read(ctx context.Context, actor *access.Actor, slugOrID string) (*Role, error) {
	return s.ReadIn(ctx, ofOrganization(actor), slugOrID)
}

// Changes is what Create and Update set of a role; Update leaves alone what is nil.
type Changes struct {
	Slug, Name, Description *string
	Rules                   *[]access.Rule
}

// Create makes a custom role of the actor's organization. Errors: PermissionDenied, Validation, BadRequest for a slug
// that is taken, Boundary for rules that allow more than the actor may.
func (s *Service) Create(ctx context.Context, actor *access.Actor, c Changes) (*Role, error) {
	return s.CreateIn(ctx, ofOrganization(actor), c)
}

// Update changes a custom role, for everyone who holds it at once. Errors: PermissionDenied, NotFound, Validation,
// BadRequest for a built-in role or a slug that is taken, Boundary where the role before or after allows more than the
// actor may.
func (s *Service) Update(ctx context.Context, actor *access.Actor, roleID string, c Changes) (*Role, error) {
	return s.UpdateIn(ctx, ofOrganization(actor), roleID, c)
}

// Delete removes a custom role that nobody holds. Errors: PermissionDenied, NotFound, BadRequest for a built-in role or
// one in use, Boundary.
func (s *Service) Delete(ctx context.Context, actor *access.Actor, roleID string) (*Role, error) {
	return s.DeleteIn(ctx, ofOrganization(actor), roleID)
}

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// apply sets what the changes name and checks the whole.
func (r *Role) apply(c Changes) error {
	for _, f := range []struct{ to, from *string }{{&r.Slug, c.Slug}, {&r.Name, c.Name}, {&r.Description, c.Description}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if c.Rules != nil {
		r.Rules = access.Tidy(*c.Rules)
		if err := access.CheckSize("role", r.Rules); err != nil {
			return err
		}
	}
	if len(r.Slug) > 64 || !slugForm.MatchString(r.Slug) {
		return fault.Invalid("invalid_string", "A slug has 1 to 64 lower-case letters and digits, with single hyphens between.", "slug")
	}
	if builtInAt(r.ProjectID, r.Slug) != nil || r.Slug == Custom {
		return reserved(r)
	}
	if len(r.Rules) > access.MaxRoleRules {
		return fault.Invalid("too_big", "A role has at most 500 rules. Use several roles.", "permissions")
	}
	_, err := r.Reach()
	return err
}

// reserved refuses a slug of a built-in role, in each scope as its API does.
func reserved(r *Role) error {
	if r.ProjectID != "" {
		return fault.Invalid("custom", "This slug belongs to a built-in role. Choose another.", "slug")
	}
	return fault.New(fault.BadRequest, "The slug %q belongs to a built-in role. Choose another.", r.Slug)
}
