// Package member owns who belongs where, with which roles and additional privileges, and until when: memberships in
// organizations and projects, and what a member may do by them. It does not know how roles are defined, nor what an
// ability allows.
package member

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// cacheSize bounds how many members' grants are kept in memory.
const cacheSize = 50_000

// Options says what the service works with; all are needed. The functions are those of features above.
type Options struct {
	DB    *sqldb.DB
	Feed  *feed.Feed
	Audit *audit.Log
	Roles *role.Service

	Projects Projects

	// OwnerOf returns the project that owns an identity of the actor's organization, or "". NotFound for an unknown identity.
	OwnerOf func(ctx context.Context, actor *access.Actor, identityID string) (projectID string, err error)
	// Methods returns the login methods of each of the identities.
	Methods func(ctx context.Context, identityIDs []string) (map[string][]string, error)
	// LockedOut returns the login methods of each of the identities by which a caller is locked out now.
	LockedOut func(ctx context.Context, identityIDs []string) (map[string][]string, error)
	// ExpiryBound returns the time by which every token that lives now has expired.
	ExpiryBound func(ctx context.Context, tx *sqldb.Tx) (time.Time, error)
	// EndSecrets ends the client secrets of an identity that leaves its organization.
	EndSecrets func(ctx context.Context, tx *feed.Tx, identityID string) error
}

// Projects lets actors into projects.
type Projects struct {
	// Enter returns a project by its id, EnterSlug by its slug. Errors: NotFound, Forbidden for an actor that is not a member.
	Enter, EnterSlug func(ctx context.Context, actor *access.Actor, project string) (Scope, error)
	// Hold keeps a project from being deleted until tx is done. NotFound where it is gone.
	Hold func(ctx context.Context, tx *feed.Tx, projectID string) error
}

// Service keeps memberships, and resolves what they grant, from memory where it was read before.
type Service struct {
	db           *sqldb.DB
	feed         *feed.Feed
	audit        *audit.Log
	roles        *role.Service
	cache        *feed.Cache[*Grants]
	projects     *feed.Cache[*Grants]
	vars         *feed.Cache[*variables]
	organization *common // the rights of built-in roles of organizations
	project      *common // the same, of projects
	logins       logins

	projectScopes Projects
	ownerOf       func(ctx context.Context, actor *access.Actor, identityID string) (string, error)
	methods       func(ctx context.Context, identityIDs []string) (map[string][]string, error)
	lockedOut     func(ctx context.Context, identityIDs []string) (map[string][]string, error)
	expiryBound   func(ctx context.Context, tx *sqldb.Tx) (time.Time, error)
	endSecrets    func(ctx context.Context, tx *feed.Tx, identityID string) error
}

// New returns a service that follows the feed.
func New(o Options) *Service {
	s := &Service{db: o.DB, feed: o.Feed, audit: o.Audit, roles: o.Roles,
		projectScopes: o.Projects, ownerOf: o.OwnerOf, methods: o.Methods, lockedOut: o.LockedOut,
		expiryBound: o.ExpiryBound, endSecrets: o.EndSecrets,
		organization: newCommon(role.BuiltIns(), access.OrgRole, access.Resolve),
		project:      newCommon(role.ProjectBuiltIns(), access.ProjectRole, access.ResolveProject),
		cache:        feed.NewCache[*Grants](o.Feed, feed.Grants, cacheSize, (*Grants).bytes),
		projects:     feed.NewCache[*Grants](o.Feed, feed.Grants, cacheSize, (*Grants).bytes),
		vars: feed.NewCache[*variables](o.Feed, feed.IdentityRow, cacheSize,
			func(v *variables) int { return bounded.Size(v.values) })}
	// A role may be held by any number of members: rather than look for them, all grants are read again.
	o.Feed.Follow(feed.Roles, func(feed.Entry) {
		s.cache.Clear()
		s.projects.Clear()
	})
	return s
}
