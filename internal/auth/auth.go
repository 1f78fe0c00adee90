// Package auth owns what all login methods share: the configuration of a method for an identity, its TTLs and trusted
// addresses, and the way from checked credentials to a token. It does not know how a method checks credentials.
package auth

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/token"
)

// cacheSize bounds how many configurations are kept in memory.
const cacheSize = 50_000

// Options says what the service works with; all are needed.
type Options struct {
	DB         *sqldb.DB
	Feed       *feed.Feed
	Audit      *audit.Log
	Root       *seal.Key
	Orgs       *org.Service
	Identities *identity.Service
	Members    *member.Service
	Tokens     *token.Service
}

// Service attaches, changes, reads and detaches login methods, and lets logins in. Mount adds a method to it.
type Service struct {
	db         *sqldb.DB
	feed       *feed.Feed
	audit      *audit.Log
	root       *seal.Key
	orgs       *org.Service
	identities *identity.Service
	members    *member.Service
	tokens     *token.Service

	methods map[string]info // by slug; complete before the first request
	cache   *feed.Cache[*Config]
}

// New returns a service that follows the feed.
func New(o Options) *Service {
	return &Service{db: o.DB, feed: o.Feed, audit: o.Audit, root: o.Root, orgs: o.Orgs,
		identities: o.Identities, members: o.Members, tokens: o.Tokens, methods: map[string]info{}, cache: feed.NewCache[*Config](o.Feed, feed.Config, cacheSize, (*Config).bytes)}
}

// Tx is a transaction that may append to the log of changes.
type Tx = *feed.Tx

// Config is how one identity logs in by one method. It is shared: do not change it. Times are milliseconds UTC.
type Config struct {
	ID         string
	IdentityID string
	Method     string
	CreatedAt  int64
	UpdatedAt  int64

	own     common // the method's settings
	trusted *access.IPList
	answer  atomic.Pointer[[]byte] // how it is shown as JSON, once that was asked for
}

// bytes is about how many the settings take beyond what is ordinary: as they are, and as they are shown.
func (c *Config) bytes() int {
	if c == nil {
		return 0
	}
	return 2 * bounded.Size(c.own)
}

// Shared returns the settings that every method has. All of its fields are set.
func (c *Config) Shared() *Shared { return c.own.Common() }

// Limits returns what the configuration allows tokens.
func (c *Config) Limits() token.Limits {
	return token.Limits{TTL: *c.Shared().TTL, MaxTTL: *c.Shared().MaxTTL, Period: c.own.Periodic()}
}

// Find returns the configuration of a method for an identity, from memory where it can, or NotFound.
func (s *Service) Find(ctx context.Context, identityID, method string) (*Config, error) {
	c, err := s.config(ctx, identityID, method)
	if err == nil && c == nil {
		err = fault.New(fault.NotFound, "The identity has no %s. Attach it first.", s.methods[method].title)
	}
	return c, err
}

// config returns the configuration, or nil if there is none.
func (s *Service) config(ctx context.Context, identityID, method string) (*Config, error) {
	return s.cache.Load(ctx, feed.Key(identityID, method), func(ctx context.Context) (*Config, error) {
		return s.readConfig(ctx, identityID, method)
	})
}

// AddressAllowed reports whether an identity may be used from ip by a method. Where the method is not attached the error
// is token.ErrRevoked: whoever asks has looked at the cut-offs just before the detachment, which kills every token.
func (s *Service) AddressAllowed(ctx context.Context, identityID, method string, ip netip.Addr) (bool, error) {
	c, err := s.config(ctx, identityID, method)
	if err == nil && c == nil {
		err = token.ErrRevoked
	}
	return err == nil && c.trusted.Allows(ip), err
}

// Limits returns what the configuration of a method allows tokens now. Errors: as AddressAllowed.
func (s *Service) Limits(ctx context.Context, identityID, method string) (token.Limits, error) {
	c, err := s.config(ctx, identityID, method)
	if err == nil && c == nil {
		err = token.ErrRevoked
	}
	if err != nil {
		return token.Limits{}, err
	}
	return c.Limits(), nil
}

// Attach configures a method for an identity that does not have it. make makes the settings, stored stores what the
// method has beyond them. Errors: PermissionDenied, NotFound, Boundary, Forbidden, BadRequest, Validation.
func (s *Service) Attach(ctx context.Context, actor *access.Actor, m info, identityID string,
	make func(context.Context, any) (common, error), stored func(context.Context, Tx, *Config) error) (*Config, error) {
	if err := actor.Check(access.EditAuth, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Authorize(ctx, actor, identityID, m.title+" was not attached"); err != nil {
		return nil, err
	}
	own, err := make(ctx, nil)
	if err != nil {
		return nil, err
	}
	c := &Config{IdentityID: identityID, Method: m.slug}
	if err := c.set(own); err != nil {
		return nil, err
	}
	return c, s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := s.insertConfig(ctx, tx.Tx, c, m.title); err != nil {
			return err
		}
		if err := stored(ctx, tx, c); err != nil {
			return err
		}
		return s.changed(ctx, tx, actor, audit.AddIdentityAuth(m.slug), c)
	})
}

// Seed configures a method without settings of its own for an identity that tx has just made, on nobody's behalf.
func (s *Service) Seed(ctx context.Context, tx *sqldb.Tx, method, identityID string, shared Shared) (*Config, error) {
	own, err := s.methods[method].decode([]byte("{}"))
	if err != nil {
		return nil, err
	}
	c := &Config{IdentityID: identityID, Method: method}
	*own.(common).Common() = shared
	complete(own.(common).Common())
	if err := Normalize(own.(common).Common().TrustedIPs); err != nil {
		return nil, err
	}
	if err := c.set(own.(common)); err != nil {
		return nil, err
	}
	return c, s.insertConfig(ctx, tx, c, s.methods[method].title)
}

// Update changes the configuration of a method. JWTs that are out keep their expiry, and renewals obey the new TTLs; trusted
// addresses hold at once.
// Errors: PermissionDenied, NotFound, Boundary, Forbidden, Validation, BadRequest where the method is not attached.
func (s *Service) Update(ctx context.Context, actor *access.Actor, m info, identityID string,
	make func(context.Context, any) (common, error)) (*Config, error) {
	if err := actor.Check(access.EditAuth, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Authorize(ctx, actor, identityID, m.title+" was not changed"); err != nil {
		return nil, err
	}
	var c *Config
	err := s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		// Updating the row before reading it keeps two updates at once from overwriting each other.
		if c, err = s.lockConfig(ctx, tx, identityID, m); err != nil {
			return err
		}
		own, err := make(ctx, c.own)
		if err == nil {
			err = c.set(own)
		}
		if err == nil {
			err = s.storeConfig(ctx, tx, c)
		}
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, actor, audit.UpdateIdentityAuth(m.slug), c)
	})
	return c, err
}

// Read returns the configuration of a method. Errors: PermissionDenied, NotFound.
func (s *Service) Read(ctx context.Context, actor *access.Actor, m info, identityID string) (*Config, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Find(ctx, actor, identityID); err != nil {
		return nil, err
	}
	return s.Find(ctx, identityID, m.slug)
}

// Detach takes a method from an identity and kills every token that it made. detached deletes what the method has beyond
// its settings. Errors: PermissionDenied, NotFound, Boundary, Forbidden, BadRequest where the method is not attached.
func (s *Service) Detach(ctx context.Context, actor *access.Actor, m info, identityID string,
	detached func(context.Context, Tx, *Config) error) (*Config, error) {
	if err := actor.Check(access.RevokeAuth, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Take(ctx, actor, identityID, m.title+" was not detached"); err != nil {
		return nil, err
	}
	var c *Config
	err := s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if c, err = s.deleteConfig(ctx, tx, identityID, m); err == nil {
			err = detached(ctx, tx, c)
		}
		if err != nil {
			return err
		}
		until, err := s.tokens.ExpiryBound(ctx, tx.Tx)
		if err != nil {
			return err
		}
		tx.Append(feed.CutMethod, feed.Key(identityID, m.slug), until)
		return s.changed(ctx, tx, actor, audit.RevokeIdentityAuth(m.slug), c)
	})
	return c, err
}

// changed tells the replicas and the audit log of a changed configuration.
func (s *Service) changed(ctx context.Context, tx *feed.Tx, actor *access.Actor, event audit.Type, c *Config) error {
	tx.Append(feed.Config, feed.Key(c.IdentityID, c.Method), feed.Evict)
	shared := c.Shared()
	return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: event, Metadata: map[string]any{
		"identityId": c.IdentityID, "accessTokenTTL": *shared.TTL, "accessTokenMaxTTL": *shared.MaxTTL,
		"accessTokenNumUsesLimit": *shared.UsesLimit, "accessTokenTrustedIps": shared.TrustedIPs,
	}})
}

// set takes checked settings over.
func (c *Config) set(own common) (err error) {
	c.own = own
	c.trusted, err = Compile(own.Common().TrustedIPs)
	return err
}

// Methods returns the slugs of all methods, sorted.
func (s *Service) Methods() []string { return slices.Sorted(maps.Keys(s.methods)) }

// MethodsOf returns the login methods of each of the identities, oldest first.
func (s *Service) MethodsOf(ctx context.Context, identityIDs []string) (map[string][]string, error) {
	return methodsOf(ctx, s.db, identityIDs)
}
