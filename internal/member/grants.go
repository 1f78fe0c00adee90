package member

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// Grants is what an identity may do in an organization, or an actor in a project.
type Grants struct {
	Member        bool // it is an active member at all
	InstanceAdmin bool // not told in a project
	access.Rights
	vars   *variables // what templates were filled in with; nil in an organization
	shared bool       // the rights are those of a built-in role, which all have in common
}

// bytes is about how many the rights take in memory.
func (g *Grants) bytes() int {
	if g.shared {
		return 0
	}
	return g.Rights.Bytes()
}

// Of returns the grants of an identity, or of a user, in an organization. No membership is no error: the ability is then empty.
func (s *Service) Of(ctx context.Context, actorID, orgID string) (*Grants, error) {
	key := feed.Key(actorID, orgID)
	read := func(ctx context.Context) (*Grants, error) { return s.read(ctx, actorID, orgID) }
	g, err := s.cache.Load(ctx, key, read)
	if err == nil && g.staleAt(s.db.Now().UnixMilli()) {
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
	g := &Grants{Member: len(stored) > 0, InstanceAdmin: len(stored) > 0 && stored[0].InstanceAdmin}
	if shared, ok := s.organization.of(stored); ok {
		g.Rights, g.shared = shared, true
		return g, nil
	}
	held, err := s.grantsOf(ctx, stored, access.OrgRole)
	if err != nil {
		return nil, err
	}
	g.Rights, err = access.Resolve(held, s.db.Now().UnixMilli())
	return g, err
}

// staleAt reports whether a temporary role has begun or ended since the grants were resolved.
func (g *Grants) staleAt(now int64) bool { return g.ChangesAt != 0 && now >= g.ChangesAt }

// grantsOf returns what roles grant and when, in their order. builtIn has the rules of built-in ones. The account of the
// request that ctx belongs to uses the memory first.
func (s *Service) grantsOf(ctx context.Context, stored []storedRole, builtIn func(slug string) ([]access.Rule, bool)) ([]access.Grant, error) {
	held := make([]access.Grant, 0, len(stored))
	for _, r := range stored {
		if err := limit.Use(ctx, role.RulesCost*r.length()); err != nil {
			return nil, err
		}
		rules, err := r.rules(builtIn)
		if err != nil {
			return nil, err
		}
		g := access.Grant{Rules: rules, Temporary: r.Temporary}
		if r.Temporary && r.AccessStart != nil && r.AccessEnd != nil { // without a time it is never in force
			g.Start, g.End = *r.AccessStart, *r.AccessEnd
		}
		held = append(held, g)
	}
	return held, nil
}
