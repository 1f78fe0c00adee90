// Package auth owns what all login methods share: the configuration of a method for an identity, its TTLs and its
// trusted addresses. It does not know how a method checks credentials.
package auth

import (
	"context"
	"net/netip"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/sqldb"
	"github.com/sallyport/sallyport/internal/token"
)

// cacheSize bounds how many configurations are kept in memory.
const cacheSize = 50_000

// Service attaches, changes, reads and detaches login methods.
type Service struct {
	db         *sqldb.DB
	feed       *feed.Feed
	audit      *audit.Log
	identities *identity.Service
	tokens     *token.Service
	cache      *feed.Cache[*Config]
}

// New returns a service that follows the feed.
func New(db *sqldb.DB, f *feed.Feed, log *audit.Log, identities *identity.Service, tokens *token.Service) *Service {
	return &Service{db: db, feed: f, audit: log, identities: identities, tokens: tokens,
		cache: feed.NewCache[*Config](f, feed.Config, cacheSize)}
}

// Method is a way to log in, as far as its configuration goes.
type Method struct {
	Slug  string // "token-auth": in paths, claims and the database
	Event string // "token-auth" in "add-identity-token-auth"
	Title string // "Token Auth": in messages
}

// Config is how one identity logs in by one method. Durations are seconds, times milliseconds UTC.
type Config struct {
	ID         string
	IdentityID string
	Method     string
	TTL        int64
	MaxTTL     int64
	Period     int64
	UsesLimit  int64
	TrustedIPs []access.IPRule
	CreatedAt  int64
	UpdatedAt  int64

	trusted *access.IPList
}

// Settings are the fields of a Config that a caller may set; nil leaves one as it is.
type Settings struct {
	TTL, MaxTTL, UsesLimit *int64
	TrustedIPs             []string // addresses or CIDR blocks; nil leaves them
}

// Find returns the configuration of a method for an identity, from memory where it can, or NotFound.
func (s *Service) Find(ctx context.Context, identityID string, m Method) (*Config, error) {
	c, err := s.config(ctx, identityID, m.Slug)
	if err == nil && c == nil {
		err = fault.New(fault.NotFound, "The identity has no %s. Attach it first.", m.Title)
	}
	return c, err
}

// config returns the configuration, or nil if there is none.
func (s *Service) config(ctx context.Context, identityID, method string) (*Config, error) {
	return s.cache.Load(ctx, feed.Key(identityID, method), func(ctx context.Context) (*Config, error) {
		return readConfig(ctx, s.db, identityID, method)
	})
}

// AddressAllowed reports whether an identity may be used from ip by a method. A method that was detached allows none:
// its tokens are cut off anyway.
func (s *Service) AddressAllowed(ctx context.Context, identityID, method string, ip netip.Addr) (bool, error) {
	c, err := s.config(ctx, identityID, method)
	return err == nil && c != nil && c.trusted.Allows(ip), err
}

// Attach configures a method for an identity that does not have it. Errors: PermissionDenied, NotFound, Boundary,
// Forbidden, BadRequest.
func (s *Service) Attach(ctx context.Context, actor *access.Actor, m Method, identityID string, set Settings) (*Config, error) {
	if err := actor.Check(access.EditAuth, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Touch(ctx, actor, identityID, m.Title+" was not attached"); err != nil {
		return nil, err
	}
	c := &Config{IdentityID: identityID, Method: m.Slug}
	if err := c.apply(set); err != nil {
		return nil, err
	}
	return c, s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := insertConfig(ctx, tx.Tx, c, m); err != nil {
			return err
		}
		return s.changed(ctx, tx, actor, "add-identity-"+m.Event, c)
	})
}

// Seed configures a method for an identity that tx has just made, on nobody's behalf.
func Seed(ctx context.Context, tx *sqldb.Tx, m Method, identityID string, set Settings) (*Config, error) {
	c := &Config{IdentityID: identityID, Method: m.Slug}
	err := c.apply(set)
	if err == nil {
		err = insertConfig(ctx, tx, c, m)
	}
	return c, err
}

// Update changes the configuration of a method. Tokens that live keep their TTLs; trusted addresses hold at once.
// Errors: PermissionDenied, NotFound, Boundary, Forbidden, BadRequest where the method is not attached.
func (s *Service) Update(ctx context.Context, actor *access.Actor, m Method, identityID string, set Settings) (*Config, error) {
	if err := actor.Check(access.EditAuth, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Touch(ctx, actor, identityID, m.Title+" was not changed"); err != nil {
		return nil, err
	}
	var c *Config
	err := s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		// Updating the row before reading it keeps two updates at once from overwriting each other.
		if c, err = lockConfig(ctx, tx, identityID, m); err != nil {
			return err
		}
		if err := c.apply(set); err != nil {
			return err
		}
		if err := storeConfig(ctx, tx, c); err != nil {
			return err
		}
		return s.changed(ctx, tx, actor, "update-identity-"+m.Event, c)
	})
	return c, err
}

// Read returns the configuration of a method. Errors: PermissionDenied, NotFound.
func (s *Service) Read(ctx context.Context, actor *access.Actor, m Method, identityID string) (*Config, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Find(ctx, actor, identityID); err != nil {
		return nil, err
	}
	return s.Find(ctx, identityID, m)
}

// Detach takes a method from an identity and kills every token that it made. Errors: PermissionDenied, NotFound,
// Boundary, Forbidden, BadRequest where the method is not attached.
func (s *Service) Detach(ctx context.Context, actor *access.Actor, m Method, identityID string) (*Config, error) {
	if err := actor.Check(access.RevokeAuth, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Touch(ctx, actor, identityID, m.Title+" was not detached"); err != nil {
		return nil, err
	}
	var c *Config
	err := s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if c, err = deleteConfig(ctx, tx, identityID, m); err != nil {
			return err
		}
		tx.Append(feed.CutMethod, feed.Key(identityID, m.Slug), s.tokens.ExpiryBound(tx.Now()))
		return s.changed(ctx, tx, actor, "revoke-identity-"+m.Event, c)
	})
	return c, err
}

// changed tells the replicas and the audit log of a changed configuration.
func (s *Service) changed(ctx context.Context, tx *feed.Tx, actor *access.Actor, event string, c *Config) error {
	tx.Append(feed.Config, feed.Key(c.IdentityID, c.Method), feed.Evict)
	return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: event, Metadata: map[string]any{
		"identityId": c.IdentityID, "accessTokenTTL": c.TTL, "accessTokenMaxTTL": c.MaxTTL,
		"accessTokenNumUsesLimit": c.UsesLimit, "accessTokenTrustedIps": c.TrustedIPs,
	}})
}

// apply sets what the settings name and checks the whole.
func (c *Config) apply(set Settings) error {
	for _, f := range []struct {
		to   *int64
		from *int64
	}{{&c.TTL, set.TTL}, {&c.MaxTTL, set.MaxTTL}, {&c.UsesLimit, set.UsesLimit}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if c.MaxTTL > 0 && c.TTL > c.MaxTTL {
		return set.errTTL()
	}
	if set.TrustedIPs != nil {
		return c.trust(set.TrustedIPs)
	}
	return nil
}

// errTTL is about the request alone where it names both, else about the request and what is stored.
func (set Settings) errTTL() error {
	const message = "The TTL of an access token cannot be longer than its max TTL. Lower accessTokenTTL, raise accessTokenMaxTTL, or set accessTokenMaxTTL to 0 for no limit."
	if set.TTL != nil && set.MaxTTL != nil {
		return fault.Invalid("custom", message)
	}
	return fault.New(fault.BadRequest, message)
}

func (c *Config) trust(texts []string) error {
	c.TrustedIPs = make([]access.IPRule, len(texts))
	for i, text := range texts {
		rule, err := access.ParseIPRule(text)
		if err != nil {
			return err
		}
		c.TrustedIPs[i] = rule
	}
	return c.compile()
}

func (c *Config) compile() (err error) {
	c.trusted, err = access.CompileIPs(c.TrustedIPs)
	return err
}

// MethodsOf returns the login methods of each of the identities, oldest first.
func (s *Service) MethodsOf(ctx context.Context, identityIDs []string) (map[string][]string, error) {
	return methodsOf(ctx, s.db, identityIDs)
}
