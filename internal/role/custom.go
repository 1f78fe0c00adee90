package role

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/id"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// The built-in roles that code names.
const (
	Admin    = "admin"     // grants everything in an organisation
	NoAccess = "no-access" // grants nothing
	custom   = "custom"    // stands for a custom role where only built-in ones have names
)

// Role is a role of an organisation: built in, or made by it. Times are milliseconds UTC.
type Role struct {
	ID          string
	OrgID       string
	Slug        string
	Name        string
	Description string
	Rules       []access.Rule
	BuiltIn     bool
	CreatedAt   int64
	UpdatedAt   int64
}

// builtIn lists the built-in roles with the ids that the API gives them (identity.md section 7.5).
var builtIn = []Role{
	{ID: "b11b49a9-09a9-4443-916a-4246f9ff2c69", Slug: Admin, Name: "Admin", Description: "Everything in the organization"},
	{ID: "b11b49a9-09a9-4443-916a-4246f9ff2c70", Slug: "member", Name: "Member", Description: "What most members need"},
	{ID: "b10d49a9-09a9-4443-916a-4246f9ff2c72", Slug: NoAccess, Name: "No Access", Description: "Nothing until another role is added"},
}

// Ability compiles the rules of the role, for boundary checks before it is handed out.
func (r *Role) Ability() (*access.Ability, error) { return access.Compile(r.Rules) }

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

// Find returns a role of an organisation by its slug, or a custom role by its id; NotFound if there is none.
func (s *Service) Find(ctx context.Context, orgID, slugOrID string) (*Role, error) {
	if r := BuiltIn(slugOrID); r != nil {
		r.OrgID = orgID
		return r, nil
	}
	r, err := s.readCustom(ctx, orgID, slugOrID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = unknown(slugOrID)
	}
	return r, err
}

func unknown(slugOrID string) error {
	return fault.New(fault.NotFound, "There is no organization role %q. List the roles of your organization to see their slugs and ids.", slugOrID)
}

// List returns the roles of the actor's organisation: the built-in ones, then its own by slug. Errors: PermissionDenied.
func (s *Service) List(ctx context.Context, actor *access.Actor) ([]Role, error) {
	if err := actor.Check(access.Read, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	var roles []Role
	for _, r := range builtIn {
		found, err := s.Find(ctx, actor.OrgID, r.Slug)
		if err != nil {
			return nil, err
		}
		roles = append(roles, *found)
	}
	own, err := s.customs(ctx, actor.OrgID)
	return append(roles, own...), err
}

// Read returns a role of the actor's organisation by its slug or id. Errors: PermissionDenied, NotFound.
func (s *Service) Read(ctx context.Context, actor *access.Actor, slugOrID string) (*Role, error) {
	if err := actor.Check(access.Read, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	return s.Find(ctx, actor.OrgID, slugOrID)
}

// Changes is what Create and Update set of a role; Update leaves alone what is nil.
type Changes struct {
	Slug, Name, Description *string
	Rules                   *[]access.Rule
}

// Create makes a custom role of the actor's organisation. Errors: PermissionDenied, Validation, BadRequest for a slug
// that is taken, Boundary for rules that allow more than the actor may.
func (s *Service) Create(ctx context.Context, actor *access.Actor, c Changes) (*Role, error) {
	if err := actor.Check(access.Create, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	r := &Role{ID: id.New(), OrgID: actor.OrgID}
	if err := r.apply(c); err != nil {
		return nil, err
	}
	if err := mayGrant(actor, r.Rules, "The role was not created"); err != nil {
		return nil, err
	}
	return r, s.feed.Change(ctx, func(tx *feed.Tx) error {
		r.CreatedAt = tx.Now().UnixMilli()
		r.UpdatedAt = r.CreatedAt
		if err := insertCustom(ctx, tx.Tx, r); err != nil {
			return err
		}
		return s.record(ctx, tx.Tx, actor, "create-org-role", r)
	})
}

// Update changes a custom role, for everybody who holds it at once. Errors: PermissionDenied, NotFound, Validation,
// BadRequest for a built-in role or a slug that is taken, Boundary where the role before or after allows more than the
// actor may.
func (s *Service) Update(ctx context.Context, actor *access.Actor, roleID string, c Changes) (*Role, error) {
	if err := actor.Check(access.Edit, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	var r *Role
	err := s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if r, err = s.lockCustom(ctx, tx, actor.OrgID, roleID); err != nil {
			return err
		}
		const base = "The role was not changed"
		if err := mayGrant(actor, r.Rules, base); err != nil {
			return err
		}
		if err := r.apply(c); err != nil {
			return err
		}
		if err := mayGrant(actor, r.Rules, base); err != nil {
			return err
		}
		if err := storeCustom(ctx, tx.Tx, r); err != nil {
			return err
		}
		tx.Append(feed.Roles, actor.OrgID, feed.Evict)
		return s.record(ctx, tx.Tx, actor, "update-org-role", r)
	})
	return r, err
}

// Delete removes a custom role that nobody holds. Errors: PermissionDenied, NotFound, BadRequest for a built-in role or
// one in use, Boundary.
func (s *Service) Delete(ctx context.Context, actor *access.Actor, roleID string) (*Role, error) {
	if err := actor.Check(access.Delete, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	var r *Role
	err := s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if r, err = s.lockCustom(ctx, tx, actor.OrgID, roleID); err != nil {
			return err
		}
		if err := mayGrant(actor, r.Rules, "The role was not deleted"); err != nil {
			return err
		}
		if err := deleteCustom(ctx, tx.Tx, r.ID); err != nil {
			return err
		}
		return s.record(ctx, tx.Tx, actor, "delete-org-role", r)
	})
	return r, err
}

// mayGrant asks that the actor holds all that the rules allow, and all that they deny: who takes a denial away gives
// what it denied, to whoever also holds a role that allows it.
func mayGrant(actor *access.Actor, rules []access.Rule, base string) error {
	denied := slices.Clone(rules)
	denied = slices.DeleteFunc(denied, func(r access.Rule) bool { return !r.Inverted })
	for i := range denied {
		denied[i].Inverted = false
	}
	for _, all := range [][]access.Rule{rules, denied} {
		ability, err := access.Compile(all)
		if err == nil {
			err = actor.Covers(ability, base)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
		r.Rules = *c.Rules
	}
	if len(r.Slug) > 64 || !slugForm.MatchString(r.Slug) {
		return fault.Invalid("invalid_string", "A slug has 1 to 64 lower-case letters and digits, with single hyphens between.", "slug")
	}
	if slices.ContainsFunc(builtIn, func(b Role) bool { return b.Slug == r.Slug }) || r.Slug == custom {
		return fault.New(fault.BadRequest, "The slug %q is one of a built-in role. Choose another.", r.Slug)
	}
	if len(r.Rules) > access.MaxRoleRules {
		return fault.Invalid("too_big", "A role has at most 500 rules. Use several roles.", "permissions")
	}
	_, err := access.Compile(r.Rules)
	return err
}

func (s *Service) record(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, event string, r *Role) error {
	rules, err := json.Marshal(r.Rules)
	if err != nil {
		return err
	}
	return s.audit.Record(ctx, tx, actor, audit.Event{Type: event, Metadata: map[string]any{
		"roleId": r.ID, "slug": r.Slug, "name": r.Name, "description": r.Description, "permissions": string(rules),
	}})
}
