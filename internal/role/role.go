// Package role owns who was granted what: memberships with their roles, as they are stored, and the ability that
// results. It does not decide what an ability allows; access does.
package role

import (
	"context"
	"slices"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// NoAccess is the role that grants nothing.
const NoAccess = "no-access"

// Admin is the role that grants everything in an organisation.
const Admin = "admin"

// cacheSize bounds how many actors' grants are kept in memory.
const cacheSize = 50_000

// Service resolves grants, from memory where they were read before.
type Service struct {
	db    *sqldb.DB
	feed  *feed.Feed
	cache *feed.Cache[*Grants]
}

// New returns a service that follows the feed.
func New(db *sqldb.DB, f *feed.Feed) *Service {
	return &Service{db: db, feed: f, cache: feed.NewCache[*Grants](f, feed.Grants, cacheSize)}
}

// Grants is what an identity may do in an organisation.
type Grants struct {
	Member        bool // it is an active member at all
	InstanceAdmin bool
	Ability       *access.Ability
	changesAt     int64 // milliseconds; when a temporary role next begins or ends, 0: never
}

// Of returns the grants of an identity in an organisation. No membership is no error: the ability is then empty.
func (s *Service) Of(ctx context.Context, identityID, orgID string) (*Grants, error) {
	key := feed.Key(identityID, orgID)
	read := func(ctx context.Context) (*Grants, error) { return s.read(ctx, identityID, orgID) }
	g, err := s.cache.Load(ctx, key, read)
	if err == nil && g.changesAt != 0 && s.db.Now().UnixMilli() >= g.changesAt {
		return read(ctx)
	}
	return g, err
}

func (s *Service) read(ctx context.Context, identityID, orgID string) (*Grants, error) {
	stored, err := s.stored(ctx, identityID, orgID)
	if err != nil {
		return nil, err
	}
	now := s.db.Now().UnixMilli()
	g := &Grants{Member: len(stored) > 0, InstanceAdmin: len(stored) > 0 && stored[0].InstanceAdmin}
	var rules []access.Rule
	for _, r := range stored {
		g.noteChange(r, now)
		if !r.activeAt(now) {
			continue
		}
		more, err := s.Rules(ctx, orgID, r.Role)
		if err != nil {
			return nil, err
		}
		rules = slices.Concat(rules, more)
	}
	g.Ability, err = access.Compile(rules)
	return g, err
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

// Rules returns the rules of a role of an organisation by its slug; NotFound if there is none.
func (s *Service) Rules(_ context.Context, _ string, slug string) ([]access.Rule, error) {
	rules, ok := access.OrgRole(slug)
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no organization role %q. Use admin, member or no-access.", slug)
	}
	return rules, nil
}

// Ability returns the compiled rules of one role, for boundary checks before it is handed out.
func (s *Service) Ability(ctx context.Context, orgID, slug string) (*access.Ability, error) {
	rules, err := s.Rules(ctx, orgID, slug)
	if err != nil {
		return nil, err
	}
	return access.Compile(rules)
}
