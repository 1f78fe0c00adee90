package member

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// maxPrivileges is how many additional privileges one member has at most.
const maxPrivileges = 50

// Privilege is what one identity may do in a project beside its roles, for good or for a time. Times are milliseconds UTC.
type Privilege struct {
	ID           string  `db:"id"`
	MembershipID string  `db:"membership_id"`
	ProjectID    string  `db:"project_id"`
	IdentityID   string  `db:"identity_id"`
	Slug         string  `db:"slug"`
	Permissions  string  `db:"permissions"` // JSON list of rules
	Temporary    bool    `db:"temporary"`
	Mode         *string `db:"temporary_mode"`
	Range        *string `db:"temporary_range"`
	AccessStart  *int64  `db:"access_start"`
	AccessEnd    *int64  `db:"access_end"`
	CreatedAt    int64   `db:"created_at"`
	UpdatedAt    int64   `db:"updated_at"`
}

const privilegeQuery = `SELECT v.id, v.membership_id, m.project_id, m.identity_id, v.slug, v.permissions, v.temporary, v.temporary_mode, v.temporary_range,
	v.access_start, v.access_end, v.created_at, v.updated_at FROM privileges v JOIN memberships m ON m.id = v.membership_id
	JOIN projects p ON p.id = m.project_id AND p.deleted_at IS NULL WHERE m.identity_id IS NOT NULL AND `

var privilegeSlug = regexp.MustCompile(`^[a-z0-9]+(?:[_-][a-z0-9]+)*$`)

// Rules returns what the privilege allows and denies.
func (v *Privilege) Rules() (rules []access.Rule, err error) {
	return rules, json.Unmarshal([]byte(v.Permissions), &rules)
}

// PrivilegeChanges is what AddPrivilege and UpdatePrivilege set; UpdatePrivilege leaves alone what is nil. Span says from
// when to when, or for good; of it only what is about time counts.
type PrivilegeChanges struct {
	Slug  *string
	Rules *[]access.Rule
	Span  *Assignment
}

// apply sets what the changes name and checks the whole.
func (v *Privilege) apply(c PrivilegeChanges) error {
	if c.Slug != nil {
		v.Slug = *c.Slug
	}
	if len(v.Slug) > 60 || !privilegeSlug.MatchString(v.Slug) || id.Valid(v.Slug) {
		return fault.Invalid("invalid_string", "A slug has 1 to 60 lower-case letters and digits, with single hyphens or underscores between, and is not a UUID.", "slug")
	}
	if c.Rules != nil {
		if len(*c.Rules) > access.MaxRoleRules {
			return fault.Invalid("too_big", "A privilege has at most 500 rules. Use several.", "permissions")
		}
		rules := access.Tidy(*c.Rules)
		if err := access.CheckSize("privilege", rules); err != nil {
			return err
		}
		if _, err := access.CompileProject(rules); err != nil {
			return err
		}
		text, err := json.Marshal(rules)
		if err != nil {
			return err
		}
		v.Permissions = string(text)
	}
	if c.Span != nil {
		v.last(*c.Span)
	}
	return nil
}

// mayGive asks that the actor may edit the identity, and holds all that the privilege allows and denies. The privilege then
// ends when the actor no longer holds what it allows.
func (sc Scope) mayGive(v *Privilege, base string, now time.Time) error {
	if err := sc.Check(access.Edit, access.SubjectIdentity, sc.fields(v.IdentityID)); err != nil {
		return err
	}
	rules, err := v.Rules()
	if err != nil {
		return err
	}
	until, err := role.MayGrant(sc, sc.ProjectID, rules, base)
	if err != nil {
		return err
	}
	span, err := v.span().EndingBy(until, now, base)
	v.last(span)
	return err
}

// mayTakeBack asks that the actor may edit the identity and take back what the privilege allows and denies.
func (sc Scope) mayTakeBack(v *Privilege, base string) error {
	if err := sc.Check(access.Edit, access.SubjectIdentity, sc.fields(v.IdentityID)); err != nil {
		return err
	}
	rules, err := v.Rules()
	if err != nil {
		return err
	}
	return role.MayUndo(sc, sc.ProjectID, rules, base)
}

// span returns from when to when the privilege is.
func (v *Privilege) span() Assignment {
	if !v.Temporary {
		return Assignment{}
	}
	return Assignment{Temporary: true, Range: *v.Range, Start: *v.AccessStart, End: *v.AccessEnd}
}

// last sets from when to when the privilege is.
func (v *Privilege) last(span Assignment) {
	v.Temporary, v.Mode, v.Range, v.AccessStart, v.AccessEnd = span.Temporary, nil, nil, nil, nil
	if relative := "relative"; v.Temporary {
		v.Mode, v.Range, v.AccessStart, v.AccessEnd = &relative, &span.Range, &span.Start, &span.End
	}
}

// AddPrivilege gives a member an additional privilege. Errors: those of entering the project, PermissionDenied, NotFound for
// an identity that is not a member, Validation, Boundary, BadRequest for a slug that is taken or one privilege too many.
func (s *Service) AddPrivilege(ctx context.Context, actor *access.Actor, projectID, identityID string, c PrivilegeChanges) (*Privilege, error) {
	sc, err := s.enterProject(ctx, actor, projectID)
	if err != nil {
		return nil, err
	}
	return s.addPrivilege(ctx, sc, identityID, c)
}

// AddPrivilegeAt is AddPrivilege in the project with a slug.
func (s *Service) AddPrivilegeAt(ctx context.Context, actor *access.Actor, projectSlug, identityID string, c PrivilegeChanges) (*Privilege, error) {
	sc, err := s.projectScopes.EnterSlug(ctx, actor, projectSlug)
	if err != nil {
		return nil, err
	}
	return s.addPrivilege(ctx, sc, identityID, c)
}

func (s *Service) addPrivilege(ctx context.Context, sc Scope, identityID string, c PrivilegeChanges) (*Privilege, error) {
	const base = "The privilege was not given"
	if err := sc.Check(access.Edit, access.SubjectIdentity, sc.fields(identityID)); err != nil {
		return nil, err
	}
	v := &Privilege{ID: id.New(), ProjectID: sc.ProjectID, IdentityID: identityID, Permissions: "[]"}
	if err := v.apply(c); err != nil {
		return nil, err
	}
	if err := sc.mayGive(v, base, s.db.Now()); err != nil {
		return nil, err
	}
	err := s.coversMember(ctx, sc, identityID, base)
	if errors.Is(err, errNotInProject) {
		err = fault.New(fault.NotFound, "The identity %q is not a member of the project. Add it first.", shortened(identityID))
	}
	if err != nil {
		return nil, err
	}
	return v, s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := insertPrivilege(ctx, tx.Tx, v); err != nil {
			return err
		}
		Changed(tx, identityID, sc.ProjectID)
		return s.recordPrivilege(ctx, tx, sc, v, audit.CreateIdentityProjectAdditionalPrivilege)
	})
}

func (s *Service) recordPrivilege(ctx context.Context, tx *feed.Tx, sc Scope, v *Privilege, event audit.Type) error {
	return s.record(ctx, tx, sc, event, facts{"privilegeId": v.ID, "identityId": v.IdentityID, "slug": v.Slug,
		"permissions": v.Permissions, "isTemporary": v.Temporary})
}

// insertPrivilege stores a new privilege of a member, whose row is locked so that no one is missed in the count.
func insertPrivilege(ctx context.Context, tx *sqldb.Tx, v *Privilege) error {
	v.CreatedAt = tx.Now().UnixMilli()
	v.UpdatedAt = v.CreatedAt
	err := tx.Get(ctx, &v.MembershipID, `UPDATE memberships SET active = active WHERE project_id = $1 AND identity_id = $2 RETURNING id`,
		v.ProjectID, v.IdentityID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return fault.New(fault.NotFound, "The identity is not a member of the project. Add it first.")
	}
	if err != nil {
		return err
	}
	var n int64
	if err := tx.Get(ctx, &n, `SELECT count(*) FROM privileges WHERE membership_id = $1`, v.MembershipID); err != nil {
		return err
	}
	if n >= maxPrivileges {
		return fault.New(fault.BadRequest, "The identity has %d additional privileges here, which is the maximum. Delete one, or create a role from them.", n)
	}
	n, err = tx.Exec(ctx, `INSERT INTO privileges (id, membership_id, slug, permissions, temporary, temporary_mode, temporary_range, access_start,
		access_end, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) ON CONFLICT DO NOTHING`,
		v.ID, v.MembershipID, v.Slug, v.Permissions, v.Temporary, v.Mode, v.Range, v.AccessStart, v.AccessEnd, v.CreatedAt)
	if err == nil && n == 0 {
		return errPrivilegeTaken
	}
	return err
}

var errPrivilegeTaken = fault.New(fault.BadRequest, "The identity has an additional privilege with this slug already. Choose another slug.")

// enterPrivilege finds a privilege by its id and lets the actor into its project. Errors: NotFound, those of entering the
// project, PermissionDenied.
func (s *Service) enterPrivilege(ctx context.Context, actor *access.Actor, privilegeID string, action access.Action) (*Privilege, Scope, error) {
	v, err := s.findPrivilege(ctx, privilegeID, `v.id = $1 AND p.org_id = $2`, privilegeID, actor.OrgID)
	if err != nil {
		return nil, Scope{}, err
	}
	sc, err := s.enterProject(ctx, actor, v.ProjectID)
	if err != nil {
		return nil, sc, err
	}
	return v, sc, sc.Check(action, access.SubjectIdentity, sc.fields(v.IdentityID))
}

func (s *Service) findPrivilege(ctx context.Context, ref, where string, args ...any) (*Privilege, error) {
	v := &Privilege{}
	err := s.db.Get(ctx, v, privilegeQuery+where, args...)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no additional privilege %q in the projects of your organization.", shortened(ref))
	}
	return v, err
}

// ReadPrivilege returns a privilege by its id. Errors: those of enterPrivilege.
func (s *Service) ReadPrivilege(ctx context.Context, actor *access.Actor, privilegeID string) (*Privilege, error) {
	v, _, err := s.enterPrivilege(ctx, actor, privilegeID, access.Read)
	return v, err
}

// PrivilegeName is how a privilege is named without its id.
type PrivilegeName struct{ ProjectSlug, IdentityID, Slug string }

// namedPrivilege finds a privilege by its name. A caller who may not look into the project learns nothing of its privileges.
// Errors: NotFound, those of entering the project, PermissionDenied.
func (s *Service) namedPrivilege(ctx context.Context, actor *access.Actor, name PrivilegeName, action access.Action) (*Privilege, Scope, error) {
	sc, err := s.projectScopes.EnterSlug(ctx, actor, name.ProjectSlug)
	if err != nil {
		return nil, sc, err
	}
	if err := sc.Check(action, access.SubjectIdentity, sc.fields(name.IdentityID)); err != nil {
		return nil, sc, err
	}
	v, err := s.findPrivilege(ctx, name.Slug, `m.project_id = $1 AND m.identity_id = $2 AND v.slug = $3`, sc.ProjectID, name.IdentityID, name.Slug)
	return v, sc, err
}

// ReadPrivilegeNamed returns a privilege by its name. Errors: those of namedPrivilege.
func (s *Service) ReadPrivilegeNamed(ctx context.Context, actor *access.Actor, name PrivilegeName) (*Privilege, error) {
	v, _, err := s.namedPrivilege(ctx, actor, name, access.Read)
	return v, err
}

// Privileges returns the privileges of an identity in a project, oldest first. Errors: those of entering the project,
// PermissionDenied.
func (s *Service) Privileges(ctx context.Context, actor *access.Actor, projectID, identityID string) ([]Privilege, error) {
	sc, err := s.enterProject(ctx, actor, projectID)
	if err != nil {
		return nil, err
	}
	return s.privileges(ctx, sc, identityID)
}

// PrivilegesAt is Privileges in the project with a slug.
func (s *Service) PrivilegesAt(ctx context.Context, actor *access.Actor, projectSlug, identityID string) ([]Privilege, error) {
	sc, err := s.projectScopes.EnterSlug(ctx, actor, projectSlug)
	if err != nil {
		return nil, err
	}
	return s.privileges(ctx, sc, identityID)
}

func (s *Service) privileges(ctx context.Context, sc Scope, identityID string) (found []Privilege, err error) {
	if err := sc.Check(access.Read, access.SubjectIdentity, sc.fields(identityID)); err != nil {
		return nil, err
	}
	return found, s.db.Select(ctx, &found, privilegeQuery+`m.project_id = $1 AND m.identity_id = $2 ORDER BY v.created_at, v.id`, sc.ProjectID, identityID)
}

// UpdatePrivilege changes a privilege. Errors: those of enterPrivilege, Validation, Boundary where it allows or denies,
// before or after, more than the actor holds; BadRequest for a slug that is taken.
func (s *Service) UpdatePrivilege(ctx context.Context, actor *access.Actor, privilegeID string, c PrivilegeChanges) (*Privilege, error) {
	v, sc, err := s.enterPrivilege(ctx, actor, privilegeID, access.Edit)
	if err != nil {
		return nil, err
	}
	return s.updatePrivilege(ctx, sc, v, c)
}

// UpdatePrivilegeNamed is UpdatePrivilege by name.
func (s *Service) UpdatePrivilegeNamed(ctx context.Context, actor *access.Actor, name PrivilegeName, c PrivilegeChanges) (*Privilege, error) {
	v, sc, err := s.namedPrivilege(ctx, actor, name, access.Edit)
	if err != nil {
		return nil, err
	}
	return s.updatePrivilege(ctx, sc, v, c)
}

func (s *Service) updatePrivilege(ctx context.Context, sc Scope, found *Privilege, c PrivilegeChanges) (*Privilege, error) {
	const base = "The privilege was not changed"
	if err := s.coversMember(ctx, sc, found.IdentityID, base); err != nil {
		return nil, err
	}
	var v *Privilege
	return v, s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if v, err = lockPrivilege(ctx, tx, found.ID); err != nil {
			return err
		}
		if err := sc.mayTakeBack(v, base); err != nil {
			return err
		}
		if err := v.apply(c); err != nil {
			return err
		}
		if err := sc.mayGive(v, base, tx.Now()); err != nil {
			return err
		}
		if err := storePrivilege(ctx, tx, v); err != nil {
			return err
		}
		Changed(tx, v.IdentityID, v.ProjectID)
		return s.recordPrivilege(ctx, tx, sc, v, audit.UpdateIdentityProjectAdditionalPrivilege)
	})
}

func storePrivilege(ctx context.Context, tx *feed.Tx, v *Privilege) error {
	_, err := tx.Exec(ctx, `UPDATE privileges SET slug = $1, permissions = $2, temporary = $3, temporary_mode = $4, temporary_range = $5,
		access_start = $6, access_end = $7 WHERE id = $8`, v.Slug, v.Permissions, v.Temporary, v.Mode, v.Range, v.AccessStart, v.AccessEnd, v.ID)
	if sqldb.IsUnique(err) {
		return errPrivilegeTaken
	}
	return err
}

// lockPrivilege reads a privilege for a change. Writing to its row first makes changes at the same time queue.
func lockPrivilege(ctx context.Context, tx *feed.Tx, privilegeID string) (*Privilege, error) {
	v := &Privilege{}
	_, err := tx.Exec(ctx, `UPDATE privileges SET updated_at = $1 WHERE id = $2`, tx.Now().UnixMilli(), privilegeID)
	if err == nil {
		err = tx.Get(ctx, v, privilegeQuery+`v.id = $1`, privilegeID)
	}
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "The additional privilege %q no longer exists.", shortened(privilegeID))
	}
	return v, err
}

// DeletePrivilege takes a privilege back. Like ending the whole membership it asks for the permission alone, except for what
// the privilege denies: that is given back. Errors: those of enterPrivilege, Boundary where it denies what the actor does not
// hold.
func (s *Service) DeletePrivilege(ctx context.Context, actor *access.Actor, privilegeID string) (*Privilege, error) {
	v, sc, err := s.enterPrivilege(ctx, actor, privilegeID, access.Edit)
	if err != nil {
		return nil, err
	}
	return s.deletePrivilege(ctx, sc, v)
}

// DeletePrivilegeNamed is DeletePrivilege by name.
func (s *Service) DeletePrivilegeNamed(ctx context.Context, actor *access.Actor, name PrivilegeName) (*Privilege, error) {
	v, sc, err := s.namedPrivilege(ctx, actor, name, access.Edit)
	if err != nil {
		return nil, err
	}
	return s.deletePrivilege(ctx, sc, v)
}

func (s *Service) deletePrivilege(ctx context.Context, sc Scope, found *Privilege) (*Privilege, error) {
	var v *Privilege
	return v, s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if v, err = lockPrivilege(ctx, tx, found.ID); err != nil {
			return err
		}
		rules, err := v.Rules()
		if err != nil {
			return err
		}
		if err := role.MayLift(sc, v.ProjectID, rules, "The privilege was not deleted"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM privileges WHERE id = $1`, v.ID); err != nil {
			return err
		}
		Changed(tx, v.IdentityID, v.ProjectID)
		return s.recordPrivilege(ctx, tx, sc, v, audit.DeleteIdentityProjectAdditionalPrivilege)
	})
}
