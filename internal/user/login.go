package user

import (
	"context"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/lockout"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/token"
)

// rule says when a caller is shut out who fails to log in. The lock ends by itself: no user is locked out forever.
var rule = lockout.Rule{Threshold: 5, Duration: 5 * time.Minute, Reset: 15 * time.Minute}

// buckets is over how many rows the failures at e-mail addresses are spread, whether there is such a user or not: what
// can be seen of them is then the same, and nobody fills the database with made-up addresses.
const buckets = 65536

// errCredentials is the one answer to every login that fails: an unknown user, a wrong password and a caller who is
// shut out cannot be told apart. The reference answers 400 too (docs/reference/identity.md section 8.6).
var errCredentials = fault.New(fault.BadRequest, "The e-mail address or the password is wrong, or too many logins from here have failed; in that case wait a few minutes.")

// Pair is what a user gets who logs in or refreshes.
type Pair struct {
	Access  string
	Refresh string
	OrgID   string // the organization that the access token is for; "" before one was chosen
}

// Login begins a session for whoever knows the password of a user. Of hashes only a few run at once. Errors: BadRequest
// for every sort of wrong credentials, RateLimited when too many log in at the same time.
func (s *Service) Login(ctx context.Context, email, password string, client access.Client) (*Pair, error) {
	if err := s.feed.Current(ctx); err != nil {
		return nil, err
	}
	birth := s.tokens.Birth() // before anything is checked
	leave, err := s.hashing.Enter(ctx, lockout.Caller(client.IP))
	if err != nil {
		return nil, err
	}
	defer leave()
	u, err := s.verified(ctx, &s.password, strings.ToLower(email), password, client)
	if err != nil {
		return nil, err
	}
	s.hashing.Welcome(lockout.Caller(client.IP))
	return s.begin(ctx, u, birth, client)
}

// verified returns the user whose e-mail address and proof these are. It does the same work whether there is one or not: time
// tells nothing either.
func (s *Service) verified(ctx context.Context, by *SignIn, email, proof string, client access.Client) (*account, error) {
	target := bucketOf(email)
	failures, err := s.lockouts.Failures(ctx, by.Slug, target, client.IP)
	if err != nil {
		return nil, err
	}
	u, err := s.account(ctx, email)
	if err != nil {
		return nil, err
	}
	if failures.Locked(rule, s.db.Now()) {
		return nil, s.refuse(ctx, u, client, "temporarily_locked")
	}
	good, err := by.Verify(ctx, u.PasswordHash, proof)
	if err != nil {
		return nil, err
	}
	if !good {
		if err := s.lockouts.Fail(ctx, by.Slug, target, client.IP, rule); err != nil {
			return nil, err
		}
		return nil, s.refuse(ctx, u, client, "invalid_credentials")
	}
	if failures.Any() {
		err = s.lockouts.Forgive(ctx, by.Slug, target, client.IP)
	}
	return u, err
}

func bucketOf(email string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(email)) // never fails
	return strconv.Itoa(int(h.Sum32() % buckets))
}

// refuse leaves an audit event of a failed login, and returns the error for the caller. Of a user that there is not the
// event does not hold the address: it may be a password in the wrong field.
func (s *Service) refuse(ctx context.Context, u *account, client access.Client, reason string) error {
	actor, facts := u.actor(client), map[string]any{"userId": u.ID}
	if u.ID == "" {
		actor, facts, reason = &access.Actor{Type: access.ActorUnknown, AuthMethod: Method, Client: client}, nil, "unknown_user"
	}
	if err := s.audit.NoteFailure(ctx, actor, audit.Event{Type: audit.UserLoginFailed, Metadata: facts}, reason); err != nil {
		return err
	}
	return errCredentials
}

// actor is the user as the audit log names it, in the organization that it joined first.
func (u *account) actor(client access.Client) *access.Actor {
	a := &access.Actor{Type: access.ActorUser, ID: u.ID, Name: u.Email, AuthMethod: Method, Client: client}
	if u.OrgID != nil {
		a.OrgID = *u.OrgID
	}
	return a
}

// begin makes a session.
func (s *Service) begin(ctx context.Context, u *account, birth token.Birth, client access.Client) (*Pair, error) {
	at := birth.At.UnixMilli()
	x := Session{ID: id.New(), UserID: u.ID, Born: birth.Seq, RefreshVersion: 1, RefreshedAt: at, IP: addressOf(client), UserAgent: client.UserAgent,
		LastUsedAt: at, ExpiresAt: birth.At.Add(s.tokens.SessionLife()).UnixMilli(), CreatedAt: at, UpdatedAt: at}
	err := s.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		err := insertSession(ctx, tx, x)
		if sqldb.IsForeignKey(err) { // the user was deleted meanwhile
			return errCredentials
		}
		if err != nil {
			return err
		}
		actor := u.actor(client)
		actor.TokenID = x.ID
		return s.audit.Record(ctx, tx, actor, audit.Event{Type: audit.UserLogin, Metadata: map[string]any{"userId": u.ID, "sessionId": x.ID}})
	})
	if err != nil {
		return nil, err
	}
	return s.sign(ctx, x)
}

func addressOf(client access.Client) string {
	if !client.IP.IsValid() {
		return ""
	}
	return client.IP.Unmap().WithZone("").String()
}
