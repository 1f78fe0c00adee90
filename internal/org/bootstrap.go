package org

import (
	"cmp"
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Options says what the service works with; all are needed.
type Options struct {
	DB    *sqldb.DB
	Feed  *feed.Feed
	Audit *audit.Log
	Root  *seal.Key // the root key
	Cost  Cost      // of passwords

	Hashing *limit.Line // where a bootstrap waits to have its password hashed

	MinPassword int // how many characters a new password needs; 0 means 12

	// RequireSetupCode has a bootstrap that comes from another machine show the code of Service.SetupCode.
	RequireSetupCode bool

	// MakeUser makes, in the transaction of the bootstrap, the user who administers the instance, with the hash of a password.
	MakeUser func(ctx context.Context, tx *sqldb.Tx, u User, hash string) error
	// MakeAdmin makes, in the transaction of the bootstrap, the identity that administers the instance, and returns how
	// to get at its token once the transaction is committed.
	MakeAdmin func(ctx context.Context, tx *sqldb.Tx, org Organization) (Admin, error)
}

// Admin is the first identity, with the token that opens everything.
type Admin struct {
	ID, Name string
	Token    string
}

// New returns a service that follows the feed.
func New(o Options) *Service {
	o.Cost, o.MinPassword = o.Cost.orRecommended(), cmp.Or(o.MinPassword, minPassword)
	return &Service{db: o.DB, feed: o.Feed, audit: o.Audit, root: o.Root, cost: o.Cost,
		hashing: o.Hashing, minPassword: o.MinPassword, requireSetupCode: o.RequireSetupCode, makeUser: o.MakeUser, makeAdmin: o.MakeAdmin, cache: feed.NewCache[*Organization](o.Feed, feed.OrgRow, cacheSize, nil)}
}

// User is a person. Only bootstrap makes one so far: the super administrator.
type User struct {
	ID, Email, FirstName, LastName string
	SuperAdmin                     bool
}

// Setup is what a bootstrap made.
type Setup struct {
	User         User
	Organization Organization
	Admin        Admin
}

var errSetUp = fault.New(fault.BadRequest, "This instance has been set up before. Use the token that the first set-up gave out.").
	Named("Instance initialization")

// Bootstrap sets up an empty instance: a super administrator, an organization, and an identity with a token. Of callers
// at the same time one wins; the others, and all later ones, get BadRequest; a weak password is Validation. This is open to
// everyone, so they wait in the line of the logins: RateLimited where that is too long. Forbidden: a code is needed, and this
// is not the one.
func (s *Service) Bootstrap(ctx context.Context, client access.Client, email, password, name, code string) (*Setup, error) {
	if done, err := s.Initialized(ctx); err != nil || done {
		return nil, orSetUp(err)
	}
	if err := s.checkSetupCode(ctx, code); err != nil {
		return nil, err
	}
	if err := s.CheckNewPassword(password, email, name); err != nil {
		return nil, err
	}
	hash, err := s.hashInTurn(ctx, client, password) // slow on purpose, so it is done before the transaction
	if err != nil {
		return nil, err
	}
	setup := &Setup{}
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		*setup, err = s.bootstrap(ctx, tx, email, hash, name)
		if err == nil {
			err = s.audit.Record(ctx, tx, &access.Actor{Type: access.ActorPlatform, OrgID: setup.Organization.ID, Client: client},
				audit.Event{Type: audit.BootstrapInstance, Metadata: map[string]any{"identityId": setup.Admin.ID, "userId": setup.User.ID}})
		}
		crashpoint.Reach(crashpoint.BootstrapCommit)
		return err
	})
	crashpoint.Reach(crashpoint.Bootstrapped)
	return setup, err
}

// hashInTurn hashes the password of a bootstrap once it has its turn, unless another one was faster.
func (s *Service) hashInTurn(ctx context.Context, client access.Client, password string) (string, error) {
	leave, err := s.hashing.Enter(ctx, access.Network(client.IP))
	if err != nil {
		return "", err
	}
	defer leave()
	if done, err := s.Initialized(ctx); err != nil || done {
		return "", orSetUp(err)
	}
	return s.cost.hash(password)
}

func orSetUp(err error) error {
	if err == nil {
		err = errSetUp
	}
	return err
}

func (s *Service) bootstrap(ctx context.Context, tx *sqldb.Tx, email, hash, name string) (setup Setup, err error) {
	if err := claimInstance(ctx, tx); err != nil {
		return setup, err
	}
	if setup.Organization, err = insert(ctx, tx, name); err != nil {
		return setup, err
	}
	setup.User = User{ID: id.New(), Email: email, FirstName: "Admin", LastName: "User", SuperAdmin: true}
	if err := s.makeUser(ctx, tx, setup.User, hash); err != nil {
		return setup, err
	}
	owner := member.Draft{OrgID: setup.Organization.ID, UserID: setup.User.ID, Roles: member.Permanent(role.BuiltIn(role.Admin))}
	if _, err := member.Join(ctx, tx, owner); err != nil {
		return setup, err
	}
	setup.Admin, err = s.makeAdmin(ctx, tx, setup.Organization)
	return setup, err
}

// Initialized reports whether the instance was set up.
func (s *Service) Initialized(ctx context.Context) (done bool, err error) {
	return done, s.db.Get(ctx, &done, `SELECT initialized FROM instance`)
}

// claimInstance lets one transaction through, ever: the others wait for its row and then find it taken.
func claimInstance(ctx context.Context, tx *sqldb.Tx) error {
	n, err := tx.Exec(ctx, `UPDATE instance SET initialized = TRUE, created_at = $1 WHERE initialized = FALSE`, tx.Now().UnixMilli())
	if err == nil && n == 0 {
		err = errSetUp
	}
	return err
}
