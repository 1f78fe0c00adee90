// Package identity owns machine identities, their metadata and their delete protection. It does not know how they log
// in, nor what their roles allow.
package identity

import (
	"context"
	"slices"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// cacheSize bounds how many identities are kept in memory.
const cacheSize = 50_000

// Options says what the service works with; all are needed.
type Options struct {
	DB    *sqldb.DB
	Feed  *feed.Feed
	Audit *audit.Log
	Roles *role.Service

	Members *member.Service

	// Quota and MemberQuota are how many identities an organization has, and one member has created, at most; 0 means the defaults.
	Quota, MemberQuota int64

	// Methods returns the login methods of each of the identities.
	Methods func(ctx context.Context, identityIDs []string) (map[string][]string, error)
	// ExpiryBound returns the time by which every token that lives now has expired.
	ExpiryBound func(ctx context.Context, tx *sqldb.Tx) (time.Time, error)
}

// Service creates, changes, finds and deletes identities.
type Service struct {
	db          *sqldb.DB
	feed        *feed.Feed
	audit       *audit.Log
	roles       *role.Service
	members     *member.Service
	quota       int64
	memberQuota int64
	methods     func(ctx context.Context, identityIDs []string) (map[string][]string, error)
	expiryBound func(ctx context.Context, tx *sqldb.Tx) (time.Time, error)

	cache *feed.Cache[*Identity]
}

// New returns a service that follows the feed.
func New(o Options) *Service {
	return &Service{db: o.DB, feed: o.Feed, audit: o.Audit, roles: o.Roles, members: o.Members,
		quota: o.Quota, memberQuota: o.MemberQuota, methods: o.Methods, expiryBound: o.ExpiryBound, cache: feed.NewCache[*Identity](o.Feed, feed.IdentityRow, cacheSize, nil)}
}

// Identity is a machine identity as it is stored. Times are milliseconds UTC.
type Identity struct {
	ID               string  `db:"id"`
	OrgID            string  `db:"org_id"`
	ProjectID        *string `db:"project_id"`
	Name             string  `db:"name"`
	DeleteProtection bool    `db:"delete_protection"`
	CreatedAt        int64   `db:"created_at"`
	UpdatedAt        int64   `db:"updated_at"`
}

// Metadata is a pair that an identity carries, for conditions of rules and for people.
type Metadata struct {
	ID    string `db:"id" json:"id"`
	Key   string `db:"key" json:"key"`
	Value string `db:"value" json:"value"`
}

// Changes is what Create and Update set; Update leaves alone what is nil.
type Changes struct {
	Name             *string
	Role             *string
	DeleteProtection *bool
	Metadata         *[]Metadata
	ProjectID        *string // of Create alone: the project that owns it
}

// Unknown is the NotFound fault of an identity that is not there, or out of the actor's reach.
func Unknown(identityID string) error {
	return fault.New(fault.NotFound, "There is no machine identity with ID %q in your organization.", identityID)
}

// Find returns an identity of the actor's organization, from memory where it can; NotFound if there is none. It checks
// no permission: callers have done so.
func (s *Service) Find(ctx context.Context, actor *access.Actor, identityID string) (*Identity, error) {
	i, err := s.ByID(ctx, identityID)
	if err == nil && i.OrgID != actor.OrgID {
		err = Unknown(identityID)
	}
	return i, err
}

// ByID returns an identity of any organization, for the server's own needs; NotFound if there is none.
func (s *Service) ByID(ctx context.Context, identityID string) (*Identity, error) {
	return s.cache.Load(ctx, identityID, func(ctx context.Context) (*Identity, error) { return s.read(ctx, identityID) })
}

// Authorize returns an identity whose credentials the actor is about to make or change. Beyond Find it asks that the identity is
// a member of the organization, NotFound otherwise, and checks the boundary: nobody gets to use an identity that may do
// more than they do, in the organization or in any project; base begins that message.
func (s *Service) Authorize(ctx context.Context, actor *access.Actor, identityID, base string) (*Identity, error) {
	i, err := s.Find(ctx, actor, identityID)
	if err != nil {
		return nil, err
	}
	member, err := s.members.Member(ctx, i.ID, i.OrgID)
	if err != nil {
		return nil, err
	}
	if !member {
		return nil, fault.New(fault.NotFound, "The machine identity with ID %q is not a member of your organization. Add it to the organization first.", identityID)
	}
	return i, s.members.CoversIdentity(ctx, actor, i.ID, base)
}

// Take returns an identity from which the actor is about to take something away: tokens, credentials, its membership, or
// all of it. Beyond Find it checks the boundary over what the identity may do in the organization now, and nothing that it
// may do in projects; base begins that message. Forbidden for an instance administrator.
func (s *Service) Take(ctx context.Context, actor *access.Actor, identityID, base string) (*Identity, error) {
	i, err := s.Find(ctx, actor, identityID)
	if err != nil {
		return nil, err
	}
	return i, s.members.CoversIdentityNow(ctx, actor, i.ID, base)
}

// OwnerOf returns the project that owns an identity of the actor's organization, or "". NotFound for an unknown identity.
func (s *Service) OwnerOf(ctx context.Context, actor *access.Actor, identityID string) (projectID string, err error) {
	i, err := s.Find(ctx, actor, identityID)
	if err != nil || i.ProjectID == nil {
		return "", err
	}
	return *i.ProjectID, nil
}

// Create makes an identity in the actor's organization with one role. Errors: PermissionDenied, Forbidden for another
// organization, NotFound for an unknown role, Boundary for a role that allows more than the actor may.
func (s *Service) Create(ctx context.Context, actor *access.Actor, orgID string, c Changes) (*Detail, error) {
	if err := actor.Check(access.Create, access.SubjectIdentity, access.Fields{}); err != nil {
		return nil, err
	}
	if orgID != actor.OrgID {
		return nil, fault.New(fault.Forbidden, "Your token belongs to another organization. Pass your own organizationId.")
	}
	roles, err := s.grantable(ctx, actor, *c.Role, "The identity was not created")
	if err != nil {
		return nil, err
	}
	d := &Detail{}
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		*d, err = s.create(ctx, tx, actor, c, roles)
		if err == nil {
			err = s.audit.Record(ctx, tx, actor, createdEvent(d, c))
		}
		return err
	})
	return d, err
}

// Detail is an identity with what hangs on it.
type Detail struct {
	Identity
	Methods  []string
	Metadata []Metadata
}

// Read returns an identity of the actor's organization. Errors: PermissionDenied, NotFound.
func (s *Service) Read(ctx context.Context, actor *access.Actor, identityID string) (*Detail, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	i, err := s.Find(ctx, actor, identityID)
	if err != nil {
		return nil, err
	}
	d := &Detail{Identity: *i}
	if err := s.addMethods(ctx, d); err != nil {
		return nil, err
	}
	d.Metadata, err = s.metadata(ctx, i.ID)
	return d, err
}

// Update changes an identity. Errors: PermissionDenied, NotFound, Boundary (for its present rights and its new role; for
// what rules of projects make of its name and metadata), Forbidden for an instance administrator.
func (s *Service) Update(ctx context.Context, actor *access.Actor, identityID string, c Changes) (*Detail, error) {
	if err := actor.Check(access.Edit, access.SubjectIdentity, access.Fields{}); err != nil {
		return nil, err
	}
	if _, err := s.Find(ctx, actor, identityID); err != nil {
		return nil, err
	}
	roles, err := s.mayUpdate(ctx, actor, identityID, c)
	if err != nil {
		return nil, err
	}
	d := &Detail{}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if *d, err = s.Change(ctx, tx, identityID, c); err != nil {
			return err
		}
		if roles != nil {
			if err := s.members.Replace(ctx, tx, member.OrganizationOf(actor), identityID, roles); err != nil {
				return err
			}
		}
		return s.audit.Record(ctx, tx.Tx, actor, updatedEvent(identityID, c))
	})
	if err != nil {
		return nil, err
	}
	return d, s.addMethods(ctx, d)
}

// mayUpdate asks that an actor may make changes of an identity, and returns the roles that the identity is to have; nil for
// those it has.
func (s *Service) mayUpdate(ctx context.Context, actor *access.Actor, identityID string, c Changes) ([]member.Assignment, error) {
	if err := s.members.GuardAdmin(ctx, actor, identityID); err != nil {
		return nil, err
	}
	if c.Name != nil || c.Metadata != nil {
		if err := s.members.CoversTemplates(ctx, actor, identityID, "The identity was not changed"); err != nil {
			return nil, err
		}
	}
	if c.Role == nil {
		return nil, nil
	}
	const base = "The identity's role was not changed"
	roles, err := s.grantable(ctx, actor, *c.Role, base)
	if err != nil {
		return nil, err
	}
	return roles, s.members.CoversIdentity(ctx, actor, identityID, base)
}

// grantable returns a role of the actor's organization as the actor may hand it out.
func (s *Service) grantable(ctx context.Context, actor *access.Actor, slug, base string) ([]member.Assignment, error) {
	r, err := s.roles.Find(ctx, actor.OrgID, slug)
	if err != nil {
		return nil, err
	}
	return member.MayAssign(actor, "", member.Permanent(r), base, s.db.Now())
}

// Delete removes an identity and kills every token of it. Errors: PermissionDenied, NotFound, Boundary, Forbidden for an
// instance administrator, BadRequest while it is protected.
func (s *Service) Delete(ctx context.Context, actor *access.Actor, identityID string) (*Detail, error) {
	if err := actor.Check(access.Delete, access.SubjectIdentity, access.Fields{}); err != nil {
		return nil, err
	}
	i, err := s.Take(ctx, actor, identityID, "The identity was not deleted")
	if err != nil {
		return nil, err
	}
	d := &Detail{Identity: *i}
	if err := s.addMethods(ctx, d); err != nil {
		return nil, err
	}
	return d, s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := s.Remove(ctx, tx, i); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: audit.DeleteIdentity, Metadata: map[string]any{"identityId": identityID, "name": i.Name}})
	})
}

// Remove deletes an identity and kills every token of it, for a caller who has checked that this may be. BadRequest while
// it is protected.
func (s *Service) Remove(ctx context.Context, tx *feed.Tx, i *Identity) error {
	if err := remove(ctx, tx, i.ID); err != nil {
		return err
	}
	until, err := s.expiryBound(ctx, tx.Tx)
	if err != nil {
		return err
	}
	tx.Append(feed.CutIdentity, i.ID, until)
	tx.Append(feed.IdentityRow, i.ID, feed.Evict)
	member.Changed(tx, i.ID, i.OrgID)
	return nil
}

// RemoveOwned deletes the identities that a project owns, protected ones too, and revokes all their tokens.
func (s *Service) RemoveOwned(ctx context.Context, tx *feed.Tx, projectID string) error {
	owned, err := lockOwned(ctx, tx, projectID)
	if err != nil {
		return err
	}
	for i := range owned {
		if err := s.Remove(ctx, tx, &owned[i]); err != nil {
			return err
		}
	}
	return nil
}

// Insert makes an identity for a caller who has checked that this may be, with one role in the organization.
func (s *Service) Insert(ctx context.Context, tx *feed.Tx, actor *access.Actor, c Changes, r *role.Role) (Detail, error) {
	return s.create(ctx, tx.Tx, actor, c, member.Permanent(r))
}

// Change changes an identity for a caller who has checked that this may be.
func (s *Service) Change(ctx context.Context, tx *feed.Tx, identityID string, c Changes) (Detail, error) {
	return update(ctx, tx, identityID, c)
}

func (s *Service) addMethods(ctx context.Context, d *Detail) error {
	methods, err := s.methods(ctx, []string{d.ID})
	d.Methods = slices.Concat([]string{}, methods[d.ID]) // never nil: clients read an array
	return err
}

func createdEvent(d *Detail, c Changes) audit.Event {
	return audit.Event{Type: audit.CreateIdentity, Metadata: map[string]any{
		"identityId": d.ID, "name": d.Name, "hasDeleteProtection": d.DeleteProtection, "role": *c.Role, "metadata": d.Metadata,
	}}
}

func updatedEvent(identityID string, c Changes) audit.Event {
	changed := map[string]any{"identityId": identityID}
	if c.Name != nil {
		changed["name"] = *c.Name
	}
	if c.Role != nil {
		changed["role"] = *c.Role
	}
	if c.DeleteProtection != nil {
		changed["hasDeleteProtection"] = *c.DeleteProtection
	}
	if c.Metadata != nil {
		changed["metadata"] = *c.Metadata
	}
	return audit.Event{Type: audit.UpdateIdentity, Metadata: changed}
}
