package member

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// Member is an identity in an organization or a project. Times are milliseconds UTC.
type Member struct {
	ID              string  `db:"id"`
	OrgID           string  `db:"org_id"`
	ProjectID       *string `db:"project_id"`
	LastLoginMethod *string `db:"last_login_method"` // of the identity in its organization
	LastLoginAt     *int64  `db:"last_login_at"`
	CreatedAt       int64   `db:"created_at"`
	UpdatedAt       int64   `db:"updated_at"`

	Identity Identity   `db:"identity"`
	Role     string     `db:"role"`   // in an organization: the oldest that has not ended, or the oldest of all
	Custom   CustomRole `db:"custom"` // that one, where it is a custom role

	Roles     []Held     `db:"-"` // all of them, ended ones too
	Methods   []string   `db:"-"` // how the identity may log in
	LockedOut []string   `db:"-"` // those of the methods by which a caller is locked out now
	Metadata  []Metadata `db:"-"`
}

// Identity is a machine identity as its memberships show it. Times are milliseconds UTC.
type Identity struct {
	ID               string  `db:"id"`
	OrgID            string  `db:"org_id"`
	ProjectID        *string `db:"project_id"`
	Name             string  `db:"name"`
	DeleteProtection bool    `db:"delete_protection"`
	CreatedAt        int64   `db:"created_at"`
	UpdatedAt        int64   `db:"updated_at"`
}

// CustomRole is the custom role of a member; its fields are nil for a built-in one.
type CustomRole struct {
	ID          *string `db:"id"`
	Name        *string `db:"name"`
	Slug        *string `db:"slug"`
	Description *string `db:"description"`
	Permissions *string `db:"permissions"`
}

// Metadata is a pair that an identity carries.
type Metadata struct {
	ID    string `db:"id" json:"id"`
	Key   string `db:"key" json:"key"`
	Value string `db:"value" json:"value"`
}

var (
	errMember = fault.New(fault.BadRequest, "The identity is a member already. Change its roles with PATCH.")
	errOwned  = fault.New(fault.BadRequest, "The identity belongs to a project, so it cannot be a member of another project.")
	errStays  = fault.New(fault.BadRequest, "The identity belongs to a project, so it is a member of the organization as long as it exists. Delete it, or revoke its tokens.")
)

// Add makes an identity a member of a project, or again of the actor's organization. Errors: those
// of entering the project, PermissionDenied, NotFound, Forbidden, Boundary for roles that allow more than the actor may,
// BadRequest for an identity that is a member already, and in a project for one that is not a member of the organization
// or belongs to another project.
func (s *Service) Add(ctx context.Context, actor *access.Actor, in Where, identityID string, roles []AssignmentInput) (*Member, error) {
	const base = "The membership was not created"
	sc, err := s.enter(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	given, err := s.Assignable(ctx, sc, sc.adding(), identityID, roles, base)
	if err != nil {
		return nil, err
	}
	if err := s.mayAdd(ctx, sc, identityID, base); err != nil {
		return nil, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error { return s.add(ctx, tx, sc, identityID, given) })
	if err != nil {
		return nil, err
	}
	return s.Find(ctx, sc, identityID)
}

// mayAdd asks that an identity is one that can become a member. Nobody lets in again an identity that may do more than
// they do.
func (s *Service) mayAdd(ctx context.Context, sc Scope, identityID, base string) error {
	owner, err := s.ownerOf(ctx, sc.Actor, identityID)
	if err != nil {
		return err
	}
	if sc.ProjectID == "" {
		return s.CoversIdentity(ctx, sc.Actor, identityID, base)
	}
	if owner != "" {
		return errOwned
	}
	member, err := s.Member(ctx, identityID, sc.Actor.OrgID)
	if err == nil && !member {
		return ErrNotMember
	}
	return err
}

// add makes an identity a member. In an organization it also cuts off every token that the identity got before: there
// should be none, but a token that a former member got by a mistake must not become valid.
func (s *Service) add(ctx context.Context, tx *feed.Tx, sc Scope, identityID string, roles []Assignment) error {
	if err := s.holdProject(ctx, tx, sc); err != nil {
		return err
	}
	d := Draft{OrgID: sc.Actor.OrgID, ProjectID: sc.ProjectID, IdentityID: identityID, Roles: roles}
	_, err := Join(ctx, tx.Tx, d)
	if sqldb.IsUnique(err) {
		return errMember
	}
	if err != nil {
		return err
	}
	if sc.ProjectID == "" {
		if err := s.cutMembership(ctx, tx, identityID, sc.Actor.OrgID); err != nil {
			return err
		}
	}
	Changed(tx, identityID, sc.id())
	return s.record(ctx, tx, sc, sc.events().created, facts{"identityId": identityID, "roles": slugsOf(roles)})
}

// cutMembership revokes every token that an identity has in an organization.
func (s *Service) cutMembership(ctx context.Context, tx *feed.Tx, identityID, orgID string) error {
	until, err := s.expiryBound(ctx, tx.Tx)
	if err == nil {
		tx.Append(feed.CutMembership, feed.Key(identityID, orgID), until)
	}
	return err
}

// SetRoles gives an identity roles in place of those it has in a project, or in the actor's organization where projectID is
// empty. Errors: those of entering the project, PermissionDenied, NotFound, Forbidden, Boundary for what it may do now and
// for the new roles, BadRequest where it is not a member.
func (s *Service) SetRoles(ctx context.Context, actor *access.Actor, in Where, identityID string, roles []AssignmentInput) (*Member, error) {
	const base = "The roles were not changed"
	sc, err := s.enter(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	given, err := s.Assignable(ctx, sc, access.Edit, identityID, roles, base)
	if err != nil {
		return nil, err
	}
	if err := s.mayChange(ctx, sc, identityID, base); err != nil {
		return nil, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := s.Replace(ctx, tx, sc, identityID, given); err != nil {
			return err
		}
		return s.record(ctx, tx, sc, sc.events().updated, facts{"identityId": identityID, "roles": slugsOf(given)})
	})
	if err != nil {
		return nil, err
	}
	return s.Find(ctx, sc, identityID)
}

// mayChange asks that an identity may do nothing in the scope that the actor may not, with the roles that it has and
// without them.
func (s *Service) mayChange(ctx context.Context, sc Scope, identityID, base string) error {
	owner, err := s.ownerOf(ctx, sc.Actor, identityID)
	if err != nil {
		return err
	}
	if sc.ProjectID == "" {
		return s.CoversIdentity(ctx, sc.Actor, identityID, base)
	}
	if owner != "" && owner != sc.ProjectID {
		return errOwned
	}
	return s.MayReplaceRoles(ctx, sc, identityID, base)
}

// Replace gives an identity roles in place of those it has, for a caller who has checked that this may be: see Assignable
// and MayReplaceRoles. BadRequest where it is not a member.
func (s *Service) Replace(ctx context.Context, tx *feed.Tx, sc Scope, identityID string, roles []Assignment) error {
	err := SetRoles(ctx, tx, sc.Actor.OrgID, sc.ProjectID, identityID, roles)
	if errors.Is(err, sqldb.ErrNoRows) {
		return sc.notMember()
	}
	return err
}

// Remove takes an identity out of a project, or out of the actor's organization. When it returns,
// no replica lets the identity in. Leaving an organization ends all that hangs on the membership: tokens, client secrets,
// memberships in projects and what it holds there. Nothing of it comes back when the identity joins again. Login methods
// stay attached.
//
// In a project it asks for the permission alone, whatever the identity holds: nobody can get out of reach. Errors: those of
// entering the project, PermissionDenied, NotFound, Boundary and Forbidden in an organization, BadRequest where the identity
// is not a member, belongs to a project, or is the actor itself.
func (s *Service) Remove(ctx context.Context, actor *access.Actor, in Where, identityID string) (*Member, error) {
	sc, err := s.enter(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	if err := sc.Check(access.Delete, access.SubjectIdentity, sc.fields(identityID)); err != nil {
		return nil, err
	}
	if err := s.mayRemove(ctx, sc, identityID); err != nil {
		return nil, err
	}
	m, err := s.Find(ctx, sc, identityID)
	if fault.Is(err, fault.NotFound) {
		return nil, sc.notMember()
	}
	if err != nil {
		return nil, err
	}
	return m, s.feed.Change(ctx, func(tx *feed.Tx) error {
		what, err := s.remove(ctx, tx, sc, identityID)
		if err != nil {
			return err
		}
		what["identityId"] = identityID
		return s.record(ctx, tx, sc, sc.events().deleted, what)
	})
}

func (s *Service) mayRemove(ctx context.Context, sc Scope, identityID string) error {
	if sc.Actor.ID == identityID {
		return sc.oneself()
	}
	owner, err := s.ownerOf(ctx, sc.Actor, identityID)
	if err != nil {
		return err
	}
	if sc.ProjectID != "" {
		if owner != "" {
			return errOwned
		}
		return nil
	}
	if err := s.CoversIdentityNow(ctx, sc.Actor, identityID, "The membership was not ended"); err != nil {
		return err
	}
	if owner != "" {
		return errStays
	}
	return nil
}

// remove ends a membership with all that hangs on it, and returns what the audit event tells of it.
func (s *Service) remove(ctx context.Context, tx *feed.Tx, sc Scope, identityID string) (facts, error) {
	if sc.ProjectID != "" {
		err := leaveProject(ctx, tx, sc.ProjectID, identityID)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = sc.notMember()
		}
		return facts{"roles": []string{}}, err
	}
	projects, err := Leave(ctx, tx, identityID, sc.Actor.OrgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, sc.notMember()
	}
	if err != nil {
		return nil, err
	}
	if err := s.endSecrets(ctx, tx, identityID); err != nil {
		return nil, err
	}
	return facts{"projectIds": projects}, s.cutMembership(ctx, tx, identityID, sc.Actor.OrgID)
}

// Read returns the membership of an identity in a project, or in the actor's organization. Errors:
// those of entering the project, PermissionDenied, NotFound.
func (s *Service) Read(ctx context.Context, actor *access.Actor, in Where, identityID string) (*Member, Scope, error) {
	sc, err := s.enter(ctx, actor, in)
	if err != nil {
		return nil, sc, err
	}
	if err := sc.Check(access.Read, access.SubjectIdentity, sc.fields(identityID)); err != nil {
		return nil, sc, err
	}
	m, err := s.Find(ctx, sc, identityID)
	return m, sc, err
}

// ReadByID is Read by the id of a membership in a project.
func (s *Service) ReadByID(ctx context.Context, actor *access.Actor, membershipID string) (*Member, Scope, error) {
	projectID, identityID, err := s.locate(ctx, actor.OrgID, membershipID)
	if err != nil {
		return nil, Scope{}, err
	}
	return s.Read(ctx, actor, InProject(projectID), identityID)
}

// Search returns a page of the identities in a project, or in the actor's organization, and how
// many match in all. Errors: those of entering the project, PermissionDenied.
func (s *Service) Search(ctx context.Context, actor *access.Actor, in Where, q Search) ([]Member, int64, Scope, error) {
	sc, err := s.enter(ctx, actor, in)
	if err != nil {
		return nil, 0, sc, err
	}
	if err := sc.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return nil, 0, sc, err
	}
	found, total, err := s.search(ctx, actor.OrgID, sc.ProjectID, q)
	return found, total, sc, err
}

// SearchIn is Search in the organization with an id; NotFound for another one than the actor's.
func (s *Service) SearchIn(ctx context.Context, actor *access.Actor, orgID string, q Search) ([]Member, int64, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, access.Fields{}); err != nil {
		return nil, 0, err
	}
	if orgID != actor.OrgID {
		return nil, 0, fault.New(fault.NotFound, "There is no organization with ID %q that you are a member of.", orgID)
	}
	found, total, err := s.search(ctx, orgID, "", q)
	return found, total, err
}

// Assignable resolves the roles of a request, for an actor who may do an action to an identity with each of them: others do
// not learn which roles exist. It returns the roles as they may be given, see MayAssign. identityID is empty for an identity
// that is still to be created. Errors: PermissionDenied, NotFound, BadRequest, Validation, and Boundary, which begins with
// base.
func (s *Service) Assignable(ctx context.Context, sc Scope, action access.Action, identityID string, asked []AssignmentInput, base string) ([]Assignment, error) {
	for _, r := range asked {
		var fields access.Fields // of a role that is named by its id, which cannot be guessed, the slug is not known yet
		if slug := r.Role.Trimmed(); !id.Valid(slug) {
			fields = sc.fields(identityID, slug)
		}
		if err := sc.Check(action, access.SubjectIdentity, fields); err != nil {
			return nil, err
		}
	}
	roles, err := s.resolve(ctx, sc, asked)
	if err != nil {
		return nil, err
	}
	for _, r := range roles {
		if err := sc.Check(action, access.SubjectIdentity, sc.fields(identityID, r.Role.Slug)); err != nil {
			return nil, err
		}
	}
	return MayAssign(sc, sc.ProjectID, roles, base, s.db.Now())
}
