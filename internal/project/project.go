// Package project owns projects with their environments, folders and tags, and their data keys. It does not know
// secrets, nor who is a member of a project.
//
// What the package secret builds on:
//   - Service.Enter and Service.EnterSlug let an actor into a project, or say why not, without a statement once they
//     are warm. Access then answers permission checks, and has the Project with its environments.
//   - FolderAt and Below find folders, on the database or inside a transaction. A statement of its own may as well join
//     folders by environment and path, as FolderAt does: a folder's path is stored whole.
//   - Service.Key gives the data key of a project.
//   - An entry feed.Project with the project's id says that its row, environments, folders or tags changed: a cache made
//     with feed.NewCache under that kind, keyed by project id, may hold ids of folders. Changed appends one.
//   - ParsePath makes of a path on the wire the form that is stored.
package project

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/role"
)

// keySize is about how many bytes a data key takes that is ready for use.
const keySize = 2 << 10

// cacheSize bounds how many projects, slugs and keys are kept in memory.
const cacheSize = 10_000

// Options says what the service works with; all but the functions are needed.
type Options struct {
	DB         *sqldb.DB
	Feed       *feed.Feed
	Audit      *audit.Log
	Roles      *role.Service
	Members    *member.Service
	Orgs       *org.Service
	Identities *identity.Service
	Grace      time.Duration // how long a deleted environment can be restored

	// Quota and MemberQuota are how many projects an organization has, and one member has created, at most; 0 means the defaults.
	Quota, MemberQuota int64

	// EmptyFolder deletes at most limit rows of what a folder that is out of sight holds, and returns how many it deleted;
	// fewer than limit mean that the folder is empty. nil where nothing is kept in folders.
	EmptyFolder func(ctx context.Context, tx *sqldb.Tx, folderID string, limit int64) (int64, error)
	// HoldsAny reports whether a folder holds anything that someone would miss. nil where nothing is kept in folders.
	HoldsAny func(ctx context.Context, tx *sqldb.Tx, folderID string) (bool, error)

	Holdings // who may delete and rename what is kept in folders
}

// Service keeps projects and lets actors into them.
type Service struct {
	db          *sqldb.DB
	feed        *feed.Feed
	audit       *audit.Log
	roles       *role.Service
	members     *member.Service
	orgs        *org.Service
	identities  *identity.Service
	grace       time.Duration
	quota       int64
	memberQuota int64
	emptyFolder func(ctx context.Context, tx *sqldb.Tx, folderID string, limit int64) (int64, error)
	holdsAny    func(ctx context.Context, tx *sqldb.Tx, folderID string) (bool, error)
	holdings    Holdings

	projects *feed.Cache[*Project]
	slugs    *feed.Cache[string] // project ids
	keys     *feed.Cache[*DataKey]
}

// New returns a service that follows the feed.
func New(o Options) *Service {
	return &Service{db: o.DB, feed: o.Feed, audit: o.Audit, roles: o.Roles, members: o.Members,
		orgs: o.Orgs, identities: o.Identities, grace: o.Grace, quota: o.Quota, memberQuota: o.MemberQuota,
		emptyFolder: o.EmptyFolder, holdsAny: o.HoldsAny, holdings: o.Holdings,
		projects: feed.NewCache[*Project](o.Feed, feed.Project, cacheSize, func(p *Project) int { return bounded.Size(p) }),
		slugs:    feed.NewCache[string](o.Feed, feed.ProjectSlug, cacheSize, nil),
		keys:     feed.NewCache[*DataKey](o.Feed, feed.ProjectKey, cacheSize, func(*DataKey) int { return keySize })}
}

// Project is a project with its environments. It is shared and must not be changed. Times are milliseconds UTC.
type Project struct {
	ID               string  `db:"id"`
	OrgID            string  `db:"org_id"`
	Name             string  `db:"name"`
	Slug             string  `db:"slug"`
	Description      *string `db:"description"`
	Type             string  `db:"type"`
	AutoCapital      bool    `db:"auto_capital"`
	DeleteProtection bool    `db:"delete_protection"`
	SecretSharing    bool    `db:"secret_sharing"`
	SnapshotsLegacy  bool    `db:"snapshots_legacy"`
	SealedMetadata   *bool   `db:"sealed_metadata"` // whether metadata of secrets must be encrypted
	VersionLimit     int64   `db:"version_limit"`
	AuditDays        *int64  `db:"audit_days"`
	IgnoredValues    string  `db:"ignored_values"` // JSON list
	CreatedAt        int64   `db:"created_at"`
	UpdatedAt        int64   `db:"updated_at"`

	Environments []Environment `db:"-"` // those in sight, in their order
	Deleted      []Environment `db:"-"` // those that can be restored
}

// Environment returns the environment with a slug; NotFound if there is none in sight.
func (p *Project) Environment(slug string) (*Environment, error) {
	at := slices.IndexFunc(p.Environments, func(e Environment) bool { return e.Slug == slug })
	if at < 0 {
		return nil, fault.New(fault.NotFound, "The project has no environment with the slug %q. Read the project to see its environments.", shortened(slug))
	}
	return &p.Environments[at], nil
}

func unknown(projectID string) error {
	return fault.New(fault.NotFound, "There is no project with ID %q in your organization.", shortened(projectID))
}

func unknownSlug(slug string) error {
	return fault.New(fault.NotFound, "There is no project with the slug %q in your organization.", shortened(slug))
}

// shortened cuts what a caller sent to a length that fits into a message.
func shortened(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// Find returns a project of an organization by its id, from memory where it can; NotFound if there is none, BadRequest for no id
// at all. It checks no membership: Enter does.
func (s *Service) Find(ctx context.Context, orgID, projectID string) (*Project, error) {
	if projectID == "" {
		return nil, fault.New(fault.BadRequest, "The request does not name a project. Send its id as projectId.")
	}
	if !id.Valid(projectID) {
		return nil, unknown(projectID)
	}
	p, err := s.projects.Load(ctx, projectID, func(ctx context.Context) (*Project, error) { return s.read(ctx, projectID) })
	if errors.Is(err, sqldb.ErrNoRows) || err == nil && p.OrgID != orgID {
		return nil, unknown(projectID)
	}
	return p, err
}

// FindSlug is Find by a slug.
func (s *Service) FindSlug(ctx context.Context, orgID, slug string) (*Project, error) {
	if checkSlug(slug) != nil {
		return nil, unknownSlug(slug)
	}
	projectID, err := s.slugs.Load(ctx, feed.Key(orgID, slug), func(ctx context.Context) (projectID string, err error) {
		return projectID, s.db.Get(ctx, &projectID, `SELECT id FROM projects WHERE org_id = $1 AND slug = $2 AND deleted_at IS NULL`, orgID, slug)
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, unknownSlug(slug)
	}
	if err != nil {
		return nil, err
	}
	p, err := s.Find(ctx, orgID, projectID)
	if fault.Is(err, fault.NotFound) {
		err = unknownSlug(slug)
	}
	return p, err
}

// Changed tells all replicas that something of a project changed: its row, its environments, folders or tags.
func Changed(tx *feed.Tx, projectID string) { tx.Append(feed.Project, projectID, feed.Evict) }

// Access is what one actor may do in one project. Enter makes it.
type Access struct {
	Project *Project
	Actor   *access.Actor // as it came: its ability is that in its organization

	inside access.Actor // the same actor with its ability in the project
}

// Enter lets an actor into a project of its organization. It says in this order what is wrong
// (docs/reference/secrets.md section 0.4): NotFound for a project that is unknown or of another organization, Forbidden
// for an actor that is no member.
func (s *Service) Enter(ctx context.Context, actor *access.Actor, projectID string) (*Access, error) {
	p, err := s.Find(ctx, actor.OrgID, projectID)
	if err != nil {
		return nil, err
	}
	return s.enter(ctx, actor, p)
}

// EnterSlug is Enter for a project that is named by its slug.
func (s *Service) EnterSlug(ctx context.Context, actor *access.Actor, slug string) (*Access, error) {
	p, err := s.FindSlug(ctx, actor.OrgID, slug)
	if err != nil {
		return nil, err
	}
	return s.enter(ctx, actor, p)
}

func (s *Service) enter(ctx context.Context, actor *access.Actor, p *Project) (*Access, error) {
	grants, err := s.members.InProject(ctx, actor.Type, actor.ID, p.ID)
	if err != nil {
		return nil, err
	}
	if !grants.Member {
		return nil, fault.New(fault.Forbidden, "You are not a member of the project with ID %q. Ask a project member to add you with the roles you need.", p.ID)
	}
	a := &Access{Project: p, Actor: actor, inside: *actor}
	a.inside.Rights = grants.Rights
	return a, nil
}

// Check returns nil if the actor may do an action in the project to a thing with these fields; otherwise the error is a
// PermissionDenied whose details are the actor's rules for it. See access.Actor.Check.
func (a *Access) Check(action access.Action, subject access.Subject, f access.Fields) error {
	return a.inside.Check(action, subject, f)
}

// Allows is Check for those who only want to know. With an error nothing was decided. See access.Actor.Allows.
func (a *Access) Allows(action access.Action, subject access.Subject, f access.Fields) (bool, error) {
	return a.inside.Allows(action, subject, f)
}

// Ability is what the actor may do in the project. It is never changed, but replaced by another one.
func (a *Access) Ability() *access.Ability { return a.inside.Ability }

// Covers returns nil if the actor may do everything in the project that the target may do there; otherwise the error is
// a Boundary fault that begins with base. See access.Actor.Covers.
func (a *Access) Covers(target access.Reach, base string) error {
	return a.inside.Covers(target, base)
}

// CoversUntil is Covers that also tells until when, in milliseconds UTC, or 0. See access.Actor.CoversUntil.
func (a *Access) CoversUntil(target access.Reach, base string) (until int64, err error) {
	return a.inside.CoversUntil(target, base)
}

// CoversForever is Covers by rights that never end. See access.Actor.CoversForever.
func (a *Access) CoversForever(target access.Reach, base string) error {
	return a.inside.CoversForever(target, base)
}
