// Package assertion owns what those login methods share that trust tokens which others signed: calling the issuer's
// endpoints, keys and their cache, the check of signature, times and claims, and the refusal of replays. It does not
// know the settings of a method.
package assertion

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Timeout is how long a login waits for the endpoints of others, all of them together.
const Timeout = 10 * time.Second

// How many issuers' keys, and connections for how many different CA certificates, are kept in memory.
const (
	maxIssuers = 500
	maxClients = 250
)

// Options says what the service works with.
type Options struct {
	DB      *sqldb.DB
	Private []netip.Prefix // networks that may be called though they are not public
	Timeout time.Duration  // 0 means Timeout

	PingAfter time.Duration // how long an HTTP/2 connection may be silent; 0 means 2 s
}

// Service calls issuers and checks what they signed.
type Service struct {
	db        *sqldb.DB
	private   []netip.Prefix
	timeout   time.Duration
	pingAfter time.Duration

	clients bounded.Cache[string, *http.Client] // by CA certificate
	issuers bounded.Cache[string, *keySet]      // by the key of an issuer
	flights singleflight.Group
}

// New returns a service.
func New(o Options) *Service {
	o.Timeout, o.PingAfter = cmp.Or(o.Timeout, Timeout), cmp.Or(o.PingAfter, pingAfter)
	return &Service{db: o.DB, private: o.Private, timeout: o.Timeout, pingAfter: o.PingAfter,
		clients: bounded.New(&bounded.Options[string, *http.Client]{MaximumSize: maxClients,
			OnDeletion: func(e bounded.Deletion[string, *http.Client]) { e.Value.CloseIdleConnections() }}),
		issuers: bounded.New(&bounded.Options[string, *keySet]{MaximumSize: maxIssuers}),
	}
}

// Login is the body of a login with a signed token.
type Login struct {
	auth.LoginShared
	IdentityID httpapi.Text `json:"identityId" minLength:"1" maxLength:"64"`
	JWT        httpapi.Text `json:"jwt" minLength:"1" maxLength:"16384" doc:"The signed token"`
}

// Identify returns the identity that the caller named.
func Identify(_ context.Context, login *Login, _ access.Client) (string, error) {
	return login.IdentityID.Trimmed(), nil
}

// Check checks a token against the keys of its issuer and the bounds of a configuration, and spends it where it may be
// used only once. more are the method's own checks. The error is a refusal with its reason, or Unavailable where the keys
// cannot be had.
func (s *Service) Check(ctx context.Context, method string, login *Login, keys Keys, b *Bounds, more ...func(*Claims) error) (*Claims, error) {
	payload, err := open(ctx, login.JWT.Trimmed(), keys)
	if err != nil {
		return nil, err
	}
	c, err := parseClaims(payload)
	if err == nil {
		err = c.checkTimes(s.db.Now())
	}
	if err == nil {
		err = b.check(c)
	}
	for _, check := range more {
		if err == nil {
			err = check(c)
		}
	}
	if err == nil && b.OneTime != nil && *b.OneTime {
		err = s.spend(ctx, method, login.IdentityID.Trimmed(), c)
	}
	return c, err
}
