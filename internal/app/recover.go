package app

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/auth/tokenauth"
	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/sqldb"
	"github.com/sallyport/sallyport/internal/transfer"
)

// Recover is for a database that was restored from a backup, before it is served: revocations that came after the
// backup are missing there, so it kills every token that was ever issued, and returns a new one for the first instance
// administrator.
func (a *App) Recover(ctx context.Context) (token string, err error) {
	admins, err := role.InstanceAdmins(ctx, a.db)
	if err == nil && len(admins) == 0 {
		err = errors.New("this database has no instance administrator: it was never set up, so no token needs to be killed")
	}
	if err != nil {
		return "", err
	}
	admin, err := a.identities.ByID(ctx, admins[0])
	if err != nil {
		return "", err
	}
	platform := &access.Actor{Type: access.ActorPlatform, OrgID: admin.OrgID}
	if err := a.tokens.CutInstance(ctx, platform); err != nil {
		return "", err
	}
	if err := transfer.Reopen(ctx, a.db); err != nil { // it had been moved away, and has no token to be wrong about now
		return "", err
	}
	return a.newAdminToken(ctx, platform, admin)
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
		return a.audit.Record(ctx, tx, platform, audit.Event{Type: "create-token-identity-token-auth", Metadata: map[string]any{
			"identityId": admin.ID, "identityAccessTokenId": issued.Row.ID, "name": name,
		}})
	})
}
