package app

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/auth/tokenauth"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/ops/backup"
	"github.com/sallyport/sallyport/internal/ops/transfer"
)

// Recover is for a database that was restored from a backup, before it is served: revocations that came after the
// backup are missing there, so it kills every token that was ever issued and ends every session, and returns a new token
// for the first identity that administers the instance. Where only users do, there is no token: they log in.
func (a *App) Recover(ctx context.Context) (token string, err error) {
	admin, orgID, err := a.administrator(ctx)
	if err != nil {
		return "", err
	}
	platform := &access.Actor{Type: access.ActorPlatform, OrgID: orgID}
	if err := a.tokens.CutInstance(ctx, platform); err != nil {
		return "", err
	}
	if err := a.users.ForgetSessions(ctx); err != nil { // no token opens them any more
		return "", err
	}
	if err := a.db.Write(ctx, func(tx *sqldb.Tx) error { return audit.Restored(ctx, tx) }); err != nil {
		return "", err
	}
	if err := transfer.Reopen(ctx, a.db); err != nil { // it had been moved away, and has no token to be wrong about now
		return "", err
	}
	if err := a.db.Recovered(); err != nil || admin == nil {
		return "", err
	}
	return a.newAdminToken(ctx, platform, admin)
}

// RecoverWith is Recover where the log of revocations of the lost database could be saved: what was revoked by then is dead,
// and other tokens live. Sessions of users end, since refresh tokens that were used up after the backup would be good again.
func (a *App) RecoverWith(ctx context.Context, log *backup.Log) error {
	_, orgID, err := a.administrator(ctx)
	if err != nil {
		return err
	}
	if err := log.Apply(ctx, a.db); err != nil {
		return err
	}
	if err := a.users.ForgetSessions(ctx); err != nil {
		return err
	}
	err = a.db.Write(ctx, func(tx *sqldb.Tx) error {
		if err := audit.Restored(ctx, tx); err != nil {
			return err
		}
		return a.audit.Record(ctx, tx, &access.Actor{Type: access.ActorPlatform, OrgID: orgID}, audit.Event{Type: audit.RestoreRevocations,
			Metadata: map[string]any{"entries": log.Entries, "head": log.Head}})
	})
	if err != nil {
		return err
	}
	if err := transfer.Reopen(ctx, a.db); err != nil { // last: until then no server takes it
		return err
	}
	return a.db.Recovered()
}

// administrator returns the first identity that administers the instance, nil if only users do, and the organization
// that the recovery is recorded in.
func (a *App) administrator(ctx context.Context) (*identity.Identity, string, error) {
	admins, err := member.InstanceAdmins(ctx, a.db)
	if err != nil {
		return nil, "", err
	}
	if len(admins) > 0 {
		i, err := a.identities.ByID(ctx, admins[0])
		if err != nil {
			return nil, "", err
		}
		return i, i.OrgID, nil
	}
	orgID, err := a.users.AdminOrg(ctx)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = errors.New("this database has no instance administrator: it was never set up, so there are no tokens to revoke")
	}
	return nil, orgID, err
}

func (a *App) newAdminToken(ctx context.Context, platform *access.Actor, admin *identity.Identity) (string, error) {
	c, err := a.configs.Find(ctx, admin.ID, tokenauth.Method.Slug)
	if fault.Is(err, fault.NotFound) {
		err = a.db.Write(ctx, func(tx *sqldb.Tx) error {
			c, err = a.seedAdmin(ctx, tx, admin.ID)
			return err
		})
	}
	if err != nil {
		return "", err
	}
	name := "Recovery Token"
	issued, err := a.tokens.Mint(ctx, tokenauth.Grant(admin, c, &name, a.tokens.Birth()))
	if err != nil {
		return "", err
	}
	return issued.AccessToken, a.db.Write(ctx, func(tx *sqldb.Tx) error {
		if err := a.tokens.Insert(ctx, tx, issued.Row); err != nil {
			return err
		}
		return a.audit.Record(ctx, tx, platform, audit.Event{Type: audit.CreateTokenIdentityTokenAuth, Metadata: map[string]any{
			"identityId": admin.ID, "identityAccessTokenId": issued.Row.ID, "name": name,
		}})
	})
}
