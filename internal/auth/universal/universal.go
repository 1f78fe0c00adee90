// Package universal owns Universal Auth: logins with a client id and a client secret, and the client secrets. What it
// shares with other login methods is in auth.
package universal

import (
	"cmp"
	"context"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/lockout"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
	"github.com/sallyport/sallyport/internal/token"
)

// Slug is the name of the method in paths, claims and the database.
const Slug = "universal-auth"

// Options says what the service works with; all are needed.
type Options struct {
	DB         *sqldb.DB
	Feed       *feed.Feed
	Audit      *audit.Log
	Root       *seal.Key
	Identities *identity.Service
	Members    *member.Service
	Configs    *auth.Service
	Tokens     *token.Service
	Quota      int64 // client secrets of one identity at most; 0 means DefaultQuota
}

// DefaultQuota is how many client secrets one identity has at most, unless a setting says otherwise.
const DefaultQuota = 10_000

// Service keeps client secrets and lets logins with them in.
type Service struct {
	db         *sqldb.DB
	feed       *feed.Feed
	audit      *audit.Log
	root       *seal.Key
	identities *identity.Service
	members    *member.Service
	configs    *auth.Service
	tokens     *token.Service
	quota      int64

	lockouts *lockout.Counter
	pepper   []byte // key of the HMACs of secrets
	uses     tally.Tally
	known    bounded.Cache[presented, known]
}

// New returns a service. Call Start before its first login.
func New(o Options) *Service {
	o.Quota = cmp.Or(o.Quota, DefaultQuota)
	return &Service{db: o.DB, feed: o.Feed, audit: o.Audit, root: o.Root, identities: o.Identities,
		members: o.Members, configs: o.Configs, tokens: o.Tokens, quota: o.Quota, lockouts: lockout.New(o.DB), known: newMemory(o.Feed.Caches())}
}

// Method is Universal Auth.
func (s *Service) Method() auth.Method[Settings, Login, *Settings] {
	return auth.Method[Settings, Login, *Settings]{Slug: Slug, Title: "Universal Auth", Check: check, Stored: s.storeClient, Detached: forgetLockouts,
		Identify: s.identify, Verify: s.verify}
}

// Settings is the configuration of Universal Auth (docs/reference/identity.md section 3.2). Durations are seconds.
type Settings struct {
	auth.Shared
	ClientID         *string          `json:"clientId,omitempty" readOnly:"true" doc:"The ID that logins send; created by the server"`
	SecretTrustedIPs []auth.TrustedIP `json:"clientSecretTrustedIps,omitempty" minItems:"1" maxItems:"1000" doc:"Where client secrets may be used from. Default: everywhere"`
	Period           *int64           `json:"accessTokenPeriod,omitempty" minimum:"0" maximum:"315360000" doc:"When not 0, tokens live this long and can be renewed without end. Default: 0"`
	LockoutEnabled   *bool            `json:"lockoutEnabled,omitempty" doc:"Default: true"`
	LockoutThreshold *int64           `json:"lockoutThreshold,omitempty" minimum:"1" maximum:"30" doc:"Failed logins of one caller that lock it out. Default: 3"`
	LockoutDuration  *int64           `json:"lockoutDurationSeconds,omitempty" minimum:"30" maximum:"86400" doc:"Default: 300"`
	LockoutReset     *int64           `json:"lockoutCounterResetSeconds,omitempty" minimum:"5" maximum:"3600" doc:"Default: 30"`
}

// Key is the name of a configuration in answers.
func (*Settings) Key() string { return "identityUniversalAuth" }

// Periodic returns the period of tokens.
func (s *Settings) Periodic() int64 { return *s.Period }

// check fills in what is missing.
func check(_ context.Context, s *Settings) error {
	if s.ClientID == nil {
		made := id.New()
		s.ClientID = &made
	}
	if s.LockoutEnabled == nil {
		s.LockoutEnabled = new(bool)
		*s.LockoutEnabled = true
	}
	for field, value := range map[**int64]int64{&s.Period: 0, &s.LockoutThreshold: 3, &s.LockoutDuration: 300, &s.LockoutReset: 30} {
		if *field == nil {
			*field = &value
		}
	}
	if s.SecretTrustedIPs == nil {
		s.SecretTrustedIPs = auth.Everywhere()
	}
	return auth.Normalize(s.SecretTrustedIPs)
}

// forgetLockouts ends the lockouts of a configuration with it: they say nothing of the client that comes next.
func forgetLockouts(ctx context.Context, tx auth.Tx, c *auth.Config) error {
	_, err := lockout.Clear(ctx, tx.Tx, Slug, c.IdentityID)
	return err
}

// rule says when callers are shut out.
func (s *Settings) rule() lockout.Rule {
	r := lockout.Rule{Threshold: *s.LockoutThreshold, Duration: time.Duration(*s.LockoutDuration) * time.Second,
		Reset: time.Duration(*s.LockoutReset) * time.Second}
	if !*s.LockoutEnabled {
		r.Threshold = 0
	}
	return r
}

// Login is the body of a login.
type Login struct {
	auth.LoginShared
	ClientID     httpapi.Text `json:"clientId" minLength:"1" maxLength:"255"`
	ClientSecret httpapi.Text `json:"clientSecret" minLength:"1" maxLength:"1024"`

	found found // what identify found, for verify
}

// unknownBuckets is over how many rows the failures of client ids that do not exist are spread: they are noted just as
// those of real ones, so that time does not tell which exist, and cannot fill the database.
const unknownBuckets = 1024

// unknown is how failures of a client id that does not exist are counted: as by default.
var unknown = lockout.Rule{Threshold: 3, Duration: 300 * time.Second, Reset: 30 * time.Second}

// identify finds the client and, if it is one of its secrets, the secret.
func (s *Service) identify(ctx context.Context, login *Login, client access.Client) (identityID string, err error) {
	clientID := login.ClientID.Trimmed()
	login.found, err = s.find(ctx, presented{clientID, s.hash(login.ClientSecret.Trimmed())})
	if err != nil {
		return "", err
	}
	if login.found.IdentityID != "" {
		return login.found.IdentityID, nil
	}
	target := bucketOf(clientID)
	if _, err := s.lockouts.Failures(ctx, Slug, target, client.IP); err != nil {
		return "", err
	}
	if err := s.lockouts.Fail(ctx, Slug, target, client.IP, unknown); err != nil {
		return "", err
	}
	return "", auth.ErrInvalid
}

func bucketOf(clientID string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(clientID)) // never fails
	return "unknown-" + strconv.Itoa(int(h.Sum32()%unknownBuckets))
}

var (
	errLocked  = fault.New(fault.Unauthenticated, "%s", auth.ErrInvalid.Message)
	errAddress = fault.New(fault.Forbidden, "Your address is not among those from which this identity's client secrets may be used. Call from a trusted address, or ask an administrator to change the list.")
)

// verify checks the secret. A caller who is locked out, and one whose secret is wrong, get the same answer.
func (s *Service) verify(ctx context.Context, settings *Settings, login *Login, client access.Client) (auth.Proof, error) {
	f, now, rule := login.found, s.db.Now(), settings.rule()
	failures, err := s.lockouts.Failures(ctx, Slug, f.IdentityID, client.IP)
	if err != nil {
		return auth.Proof{}, err
	}
	if failures.Locked(rule, now) {
		locked := *errLocked
		locked.Reason = "temporarily_locked"
		return auth.Proof{}, &locked
	}
	if f.SecretID == nil {
		err = s.lockouts.Fail(ctx, Slug, f.IdentityID, client.IP, rule)
	}
	if err != nil {
		return auth.Proof{}, err
	}
	// A revoked secret is not a guess: machines that still have it must not lock out those behind the same address that
	// have the new one.
	if f.SecretID == nil || *f.Revoked {
		return auth.Proof{}, auth.Refuse("invalid_client_secret", "%s", auth.ErrInvalid.Message)
	}
	if failures.Any() {
		if err := s.lockouts.Forgive(ctx, Slug, f.IdentityID, client.IP); err != nil {
			return auth.Proof{}, err
		}
	}
	return s.accept(ctx, settings, f, client, now)
}

// accept checks what is left once the caller has shown that it holds the secret, and spends a use of it.
func (s *Service) accept(ctx context.Context, settings *Settings, f found, client access.Client, now time.Time) (auth.Proof, error) {
	trusted, err := auth.Compile(settings.SecretTrustedIPs)
	if err != nil {
		return auth.Proof{}, err
	}
	if !trusted.Allows(client.IP) {
		refused := *errAddress
		refused.Reason = "ip_not_allowed"
		return auth.Proof{}, &refused
	}
	if *f.TTL > 0 && now.UnixMilli() >= *f.CreatedAt+*f.TTL*1000 {
		return auth.Proof{}, auth.Refuse("client_secret_expired", "The client secret has expired. Create a new one.")
	}
	if err := s.spend(ctx, f, now); err != nil {
		return auth.Proof{}, err
	}
	return auth.Proof{ClientSecretID: *f.SecretID, Facts: map[string]any{"clientSecretId": *f.SecretID}}, nil
}

// spend takes one use: of a limited secret durably, before the login goes on; else it is only counted.
func (s *Service) spend(ctx context.Context, f found, now time.Time) error {
	if *f.UsesLimit == 0 {
		if secret, ok := id.Parse(*f.SecretID); ok {
			s.uses.Add(secret, now)
		}
		return nil
	}
	crashpoint.Reach(crashpoint.SecretSpend)
	err := s.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		n, err := spendSecret(ctx, tx, *f.SecretID)
		if err == nil && n == 0 {
			err = auth.Refuse("client_secret_usage_limit_reached", "The client secret has reached its limit of uses. Create a new one.")
		}
		return err
	})
	crashpoint.Reach(crashpoint.SecretSpent)
	return err
}
