// Package user owns people: how they log in with a password, their sessions, and who of them administers the instance.
// It does not know what the tokens of a session look like, nor what a user's roles allow.
package user

import (
	"cmp"
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/lockout"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/token"
)

// cacheSize bounds how many users are kept in memory.
const cacheSize = 10_000

// Method is how users log in, as tokens and the audit log name it.
const Method = "email"

// Options says what the service works with. All fields but the last ones are needed.
type Options struct {
	DB          *sqldb.DB
	Feed        *feed.Feed
	Audit       *audit.Log
	Roles       *role.Service
	Memberships *member.Service
	Orgs        *org.Service
	Tokens      *token.Service
	Lockouts    *lockout.Counter
	Hashing     *limit.Line // where logins wait to have their passwords hashed
	Password    SignIn      // how users sign in with a password

	BaseURL      string // at which clients reach the server, without a slash at its end: links begin with it
	Quota        int64  // users of one organization at most; 0 for defaultMembers
	SecureCookie bool   // clients reach the server over https, so that they must not send the cookie over anything else
}

// Service logs users in, keeps their sessions, and manages who administers the instance.
type Service struct {
	db           *sqldb.DB
	feed         *feed.Feed
	audit        *audit.Log
	roles        *role.Service
	memberships  *member.Service
	orgs         *org.Service
	tokens       *token.Service
	lockouts     *lockout.Counter
	hashing      *limit.Line
	password     SignIn
	baseURL      string
	quota        int64
	secureCookie bool

	cache *feed.Cache[*User]
	uses  tally.Tally // of sessions
	codes codes
}

// New returns a service that follows the feed.
func New(o Options) *Service {
	o.Quota = cmp.Or(o.Quota, defaultMembers)
	return &Service{db: o.DB, feed: o.Feed, audit: o.Audit, roles: o.Roles, memberships: o.Memberships,
		orgs: o.Orgs, tokens: o.Tokens, lockouts: o.Lockouts, hashing: o.Hashing, password: o.Password, baseURL: o.BaseURL,
		quota: o.Quota, secureCookie: o.SecureCookie, cache: feed.NewCache[*User](o.Feed, feed.UserRow, cacheSize, nil)}
}

// User is a person as stored, without the password. Times are milliseconds UTC. It is shared: do not change it.
type User struct {
	ID            string `db:"id"`
	Email         string `db:"email"`
	FirstName     string `db:"first_name"`
	LastName      string `db:"last_name"`
	SuperAdmin    bool   `db:"super_admin"` // administers the instance
	Accepted      bool   `db:"accepted"`    // has a password, also while deactivated
	DeactivatedAt *int64 `db:"deactivated_at"`
	CreatedAt     int64  `db:"created_at"`
	UpdatedAt     int64  `db:"updated_at"`
}

// Deactivated reports whether the user is shut out of the instance.
func (u *User) Deactivated() bool { return u.DeactivatedAt != nil }

func unknown(userID string) error {
	return fault.New(fault.NotFound, "There is no user with ID %q in your organization.", userID)
}

// ByID returns a user, from memory where it can; NotFound if there is none. It checks no permission.
func (s *Service) ByID(ctx context.Context, userID string) (*User, error) {
	return s.cache.Load(ctx, userID, func(ctx context.Context) (*User, error) { return s.read(ctx, userID) })
}

// Self returns the user that calls. Errors: Forbidden for an actor that is none.
func (s *Service) Self(ctx context.Context, actor *access.Actor) (*User, error) {
	if err := isUser(actor); err != nil {
		return nil, err
	}
	return s.ByID(ctx, actor.ID)
}

// isUser refuses with Forbidden an actor that is no user.
func isUser(actor *access.Actor) error {
	if actor.Type != access.ActorUser {
		return fault.New(fault.Forbidden, "Only users have sessions. Log in as a user.")
	}
	return nil
}

// Used notes that a token of a session was used. It shows up to 10 s later.
func (s *Service) Used(sessionID string, at time.Time) {
	if session, ok := id.Parse(sessionID); ok {
		s.uses.Add(session, at)
	}
}
