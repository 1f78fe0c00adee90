// Package token owns access tokens: it mints, verifies, renews and revokes them, and counts their uses. It does not
// know how somebody proved to be an identity, nor what a token opens.
package token

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/org"
)

// DefaultMaxAge bounds the life of a single JWT where no other limit does: 90 days.
const DefaultMaxAge = 90 * 24 * time.Hour

// DefaultQuota is how many tokens with a row one identity has of one login method unless a setting says otherwise.
const DefaultQuota = 100_000

// DefaultUnlisted is how many revocations by id, of tokens that the database has no row of, are remembered for one actor.
const DefaultUnlisted = 10_000

// Options says what the service works with. All fields but MaxAge and Issuer are needed.
type Options struct {
	DB     *sqldb.DB
	Feed   *feed.Feed
	Audit  *audit.Log
	Root   *seal.Key
	Logger *slog.Logger
	MaxAge time.Duration // longest life of one JWT; 0 means DefaultMaxAge
	Issuer string        // iss of new tokens; may be ""

	// Unlisted bounds how many tokens without a row one actor may revoke by their ids within the longest life of a token; 0 means
	// DefaultUnlisted.
	Unlisted int64

	// Quota is how many tokens with a row one identity has of one login method at most; 0 means DefaultQuota.
	Quota int64

	// Methods returns the slugs of all login methods.
	Methods func() []string

	Orgs       *org.Service
	Identities *identity.Service

	// Member reports whether an identity, or a user, is an active member of an organization.
	Member func(ctx context.Context, actorID, orgID string) (bool, error)
	// AddressAllowed reports whether an identity's current trusted addresses for a login method hold ip.
	AddressAllowed func(ctx context.Context, identityID, method string, ip netip.Addr) (bool, error)

	// Limits returns what the present configuration of a login method allows an identity's tokens. ErrRevoked: the method is
	// not attached.
	Limits func(ctx context.Context, identityID, method string) (Limits, error)
}

// Service mints, verifies, renews and revokes access tokens.
type Service struct {
	db             *sqldb.DB
	feed           *feed.Feed
	audit          *audit.Log
	root           *seal.Key
	logger         *slog.Logger
	maxAge         time.Duration
	issuer         string
	unlisted       int64
	quota          int64
	methods        func() []string
	orgs           *org.Service
	identities     *identity.Service
	member         func(ctx context.Context, actorID, orgID string) (bool, error)
	addressAllowed func(ctx context.Context, identityID, method string, ip netip.Addr) (bool, error)
	limits         func(ctx context.Context, identityID, method string) (Limits, error)

	keys     keyCache
	verified verified
	revoked  *revocations
	uses     tally.Tally // of tokens without a limit
}

// New returns a service that follows the feed. Call Start once the feed is started.
func New(o Options) *Service {
	if o.MaxAge <= 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.Unlisted <= 0 {
		o.Unlisted = DefaultUnlisted
	}
	o.Quota = cmp.Or(o.Quota, DefaultQuota)
	s := &Service{
		db: o.DB, feed: o.Feed, audit: o.Audit, root: o.Root, logger: o.Logger,
		maxAge: o.MaxAge, issuer: o.Issuer, unlisted: o.Unlisted, quota: o.Quota, methods: o.Methods,
		orgs: o.Orgs, identities: o.Identities, member: o.Member, addressAllowed: o.AddressAllowed, limits: o.Limits,
		verified: newVerified(o.Feed.Caches()),
		revoked:  newRevocations(),
	}
	s.revoked.follow(o.Feed)
	o.Feed.Follow(feed.SigningKeys, func(feed.Entry) { s.keys.changes.Add(1) })
	o.Feed.OnReset(func() { s.keys.changes.Add(1) })
	return s
}

// Start loads the signing keys, making the first one, and notes how long the tokens of this replica may live.
func (s *Service) Start(ctx context.Context) error {
	seconds := int64(s.maxAge / time.Second)
	err := s.db.Write(ctx, func(tx *sqldb.Tx) error { return org.RaiseTokenAge(ctx, tx, seconds) })
	if err != nil {
		return err
	}
	return s.readKeys(ctx)
}

// ExpiryBound returns the time by which every token that lives now has expired: how long a cut-off must be kept. It
// asks the database, since another replica may have been started with a longer MaxAge, after this one too.
func (s *Service) ExpiryBound(ctx context.Context, tx *sqldb.Tx) (time.Time, error) {
	longest, err := org.TokenAge(ctx, tx)
	return tx.Now().Add(time.Duration(longest) * time.Second), err
}

// Revocations returns how many revocations and cut-offs are held in memory.
func (s *Service) Revocations() (tokens, cutoffs int) { return s.revoked.size() }
