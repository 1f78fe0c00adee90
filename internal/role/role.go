// Package role owns who was granted what: roles, memberships with their roles as they are stored, and the ability that
// results. It does not decide what an ability allows; access does.
package role

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// cacheSize bounds how many actors' grants are kept in memory.
const cacheSize = 50_000

// Service resolves grants, from memory where they were read before, and keeps custom roles.
type Service struct {
	db       *sqldb.DB
	feed     *feed.Feed
	audit    *audit.Log
	cache    *feed.Cache[*Grants]
	projects *feed.Cache[*Grants]
	vars     *feed.Cache[*variables]
}

// New returns a service that follows the feed.
func New(db *sqldb.DB, f *feed.Feed, log *audit.Log) *Service {
	s := &Service{db: db, feed: f, audit: log,
		cache:    feed.NewCache[*Grants](f, feed.Grants, cacheSize),
		projects: feed.NewCache[*Grants](f, feed.Grants, cacheSize),
		vars:     feed.NewCache[*variables](f, feed.IdentityRow, cacheSize)}
	// A role may be held by any number of identities: rather than look for them, all grants are read anew.
	f.Follow(feed.Roles, func(feed.Entry) {
		s.cache.Clear()
		s.projects.Clear()
	})
	return s
}

// Grants is what an identity may do in an organisation, or an actor in a project.
type Grants struct {
	Member        bool // it is an active member at all
	InstanceAdmin bool // not told in a project
	Ability       *access.Ability
	changesAt     int64      // milliseconds; when a temporary role next begins or ends, 0: never
	vars          *variables // what templates were filled in with; nil in an organisation
}

// Of returns the grants of an identity, or of a user, in an organisation. No membership is no error: the ability is then empty.
func (s *Service) Of(ctx context.Context, actorID, orgID string) (*Grants, error) {
	key := feed.Key(actorID, orgID)
	read := func(ctx context.Context) (*Grants, error) { return s.read(ctx, actorID, orgID) }
	g, err := s.cache.Load(ctx, key, read)
	if err == nil && g.changesAt != 0 && s.db.Now().UnixMilli() >= g.changesAt {
		s.cache.Evict(key)
		return s.cache.Load(ctx, key, read)
	}
	return g, err
}

func (s *Service) read(ctx context.Context, actorID, orgID string) (*Grants, error) {
	stored, err := s.stored(ctx, actorID, orgID)
	if err != nil {
		return nil, err
	}
	now := s.db.Now().UnixMilli()
	g := &Grants{Member: len(stored) > 0, InstanceAdmin: len(stored) > 0 && stored[0].InstanceAdmin}
	rules, err := g.active(stored, now, access.OrgRole)
	if err == nil {
		g.Ability, err = access.Compile(rules)
	}
	return g, err
}

// active returns the rules of the roles that hold now, in their order, and notes when that next changes.
func (g *Grants) active(stored []storedRole, now int64, builtIn func(slug string) ([]access.Rule, bool)) ([]access.Rule, error) {
	var rules []access.Rule
	for _, r := range stored {
		g.noteChange(r, now)
		if !r.activeAt(now) {
			continue
		}
		more, err := r.rules(builtIn)
		if err != nil {
			return nil, err
		}
		rules = append(rules, more...)
	}
	return rules, nil
}

// noteChange remembers the next time at which a temporary role begins or ends.
func (g *Grants) noteChange(r storedRole, now int64) {
	for _, at := range []*int64{r.AccessStart, r.AccessEnd} {
		if r.Temporary && at != nil && *at > now && (g.changesAt == 0 || *at < g.changesAt) {
			g.changesAt = *at
		}
	}
}

func (r storedRole) activeAt(now int64) bool {
	if !r.Temporary {
		return true
	}
	return r.AccessStart != nil && r.AccessEnd != nil && *r.AccessStart <= now && now < *r.AccessEnd
}
