// Package secret owns the secrets in the folders of projects: their versions, tags and metadata, what they refer to, and
// the links by which folders import from others. It does not know how projects, folders and tags are made.
package secret

import (
	"cmp"
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/project"
)

// cacheSize bounds how many projects' tags are kept in memory.
const cacheSize = 10_000

// Options says what the service works with; all but Cache are needed.
type Options struct {
	DB       *sqldb.DB
	Feed     *feed.Feed
	Audit    *audit.Log
	Projects *project.Service
	Cache    int64 // bytes of sealed rows to keep in memory; 0 keeps none
	Versions int64 // older versions of one secret to keep; 0 means DefaultVersions
}

// DefaultVersions is how many older versions of one secret are kept unless a setting says otherwise.
const DefaultVersions = 1000

// Service reads and changes secrets.
type Service struct {
	db       *sqldb.DB
	feed     *feed.Feed
	audit    *audit.Log
	projects *project.Service
	versions int64

	tags  *feed.Cache[*projectTags] // by id of the project
	cache *cache                    // nil keeps nothing
	from  project.Reader            // what is read outside of changes
}

// New returns a service that follows the feed.
func New(o Options) *Service {
	o.Versions = cmp.Or(o.Versions, DefaultVersions)
	s := &Service{db: o.DB, feed: o.Feed, audit: o.Audit, projects: o.Projects,
		versions: o.Versions, tags: feed.NewCache[*projectTags](o.Feed, feed.Project, cacheSize, func(tags *projectTags) int { return bounded.Size(tags) }), from: o.DB}
	if o.Cache > 0 {
		s.cache = newCache(o.Feed, o.Cache)
	}
	return s
}

// Secret is one version of a secret. Times are milliseconds UTC.
type Secret struct {
	ID            string
	ProjectID     string
	FolderID      string
	Environment   string // slug
	Path          string // of its folder
	Key           string // its name
	UserID        string // of a personal one; empty for a shared one
	Version       int64  // from 1
	Value         string // empty until it is revealed
	Comment       string
	Metadata      []Metadata
	Tags          []Tag
	SkipMultiline bool // when expanded: one line, in quotes
	ReminderNote  *string
	ReminderDays  *int64
	CreatedAt     int64
	UpdatedAt     int64
	Hidden        bool // the reader sees neither the value nor what is encrypted of the metadata
	Undescribed   bool // the reader sees no more than where the secret is and what it is called

	// Unexpanded is why the references in the value stand as they are stored, where they were to be expanded.
	Unexpanded *fault.Error

	sealed *row    // what is still to be opened
	reuse  *Reuse  // of the answer that shows this secret alone
	labels []label // where rules look at more than what the secret is now: all that they look at
}

// Personal reports whether the secret is one user's own.
func (s *Secret) Personal() bool { return s.UserID != "" }

// Place says where secrets are: in a folder of an environment of a project.
type Place struct {
	ProjectID   string
	ProjectSlug string // counts where there is no ProjectID
	Environment string // slug
	Path        string // any form that project.ParsePath takes
}

// projectScope is a project that an actor has entered, with what it takes to read the secrets there.
type projectScope struct {
	*project.Access
	versions int64 // older ones of a secret to keep

	key   *project.DataKey
	tags  *projectTags
	cache *cache
	from  project.Reader

	projects *project.Service
	referred map[locatedName]*Secret // whose values references were replaced by, for the audit log
}

// folderScope is a folder of an environment, by path, in a project that an actor has entered.
type folderScope struct {
	*projectScope
	env  *project.Environment
	path string
}

var errNoProject = fault.New(fault.BadRequest, "The request does not name a project. Send projectId (workspaceId), or its slug (projectSlug, workspaceSlug).")

var errNoEnvironment = fault.New(fault.BadRequest, "The request does not name an environment. Send its slug as environment.")

// enter lets the actor into the project of a place. From memory where it can.
func (s *Service) enter(ctx context.Context, actor *access.Actor, projectID, slug string) (*projectScope, error) {
	var a *project.Access
	var err error
	switch {
	case projectID != "":
		a, err = s.projects.Enter(ctx, actor, projectID)
	case slug != "":
		a, err = s.projects.EnterSlug(ctx, actor, slug)
	default:
		err = errNoProject
	}
	if err != nil {
		return nil, err
	}
	r := &projectScope{Access: a, versions: s.versions, cache: s.cache, from: s.from, projects: s.projects}
	if r.key, err = s.projects.Key(ctx, a.Project.ID); err == nil {
		r.tags, err = s.tagsOf(ctx, a.Project.ID)
	}
	return r, err
}

// at finds the environment and path of a place. The folder itself is looked for by the statement that needs it.
func (s *Service) at(ctx context.Context, actor *access.Actor, p Place) (*folderScope, error) {
	r, err := s.enter(ctx, actor, p.ProjectID, p.ProjectSlug)
	if err != nil {
		return nil, err
	}
	return r.folderScope(p.Environment, p.Path)
}

// folderScope returns a folder of the project by its environment's slug and its path.
func (r *projectScope) folderScope(environment, path string) (*folderScope, error) {
	if environment == "" {
		return nil, errNoEnvironment
	}
	path = project.ParsePath(path)
	env, err := r.Project.Environment(environment)
	if err != nil {
		return nil, project.UnknownFolder(environment, path)
	}
	return &folderScope{projectScope: r, env: env, path: path}, nil
}

// slugOf returns the slug of an environment of the project by its id, and whether it is in sight.
func (r *projectScope) slugOf(environmentID string) (string, bool) {
	for i := range r.Project.Environments {
		if e := &r.Project.Environments[i]; e.ID == environmentID {
			return e.Slug, true
		}
	}
	return "", false
}

// owner is the user whose personal secrets the actor sees; empty for an actor that is no user.
func (r *projectScope) owner() string {
	if r.Actor.Type == access.ActorUser {
		return r.Actor.ID
	}
	return ""
}

// owns reports whether a secret is the actor's own personal one, which rules have no say about once it is there.
func (r *projectScope) owns(s *Secret) bool { return s.Personal() && s.UserID == r.owner() }

// may reports whether the actor may do an action to a secret, by all of its labels. With an error nothing was decided.
func (r *projectScope) may(action access.Action, s *Secret) (bool, error) {
	if s.labels == nil { // nearly all secrets: without an allocation
		return r.Allows(action, access.SubjectSecrets, s.fields())
	}
	for i := range s.labels {
		if allowed, err := r.Allows(action, access.SubjectSecrets, s.labels[i].fields()); err != nil || !allowed {
			return false, err
		}
	}
	return true, nil
}

// check is may with the reason for a refusal. A user's own personal secret is nobody else's business.
func (r *projectScope) check(action access.Action, s *Secret) error {
	switch {
	case r.owns(s):
		return nil
	case s.labels != nil:
		return r.checkLabels(action, s)
	}
	return r.Check(action, access.SubjectSecrets, s.fields())
}

// checkName is check for a secret that may not be there: it has no tags then.
func (s *folderScope) checkName(action access.Action, name string) error {
	return s.Check(action, access.SubjectSecrets, access.Fields{access.Environment(s.env.Slug), access.SecretPath(s.path),
		access.SecretName(name), access.SecretTags(nil)})
}
