package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/auth/tokenauth"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/token"
)

// userActor is the user of a session. Before an organization was chosen it may do nothing that asks for a permission.
func (a *App) userActor(ctx context.Context, c *token.Claims, client access.Client) (*access.Actor, error) {
	u, err := a.users.ByID(ctx, c.IdentityID)
	if fault.Is(err, fault.NotFound) { // it was deleted while the token was looked at
		err = token.ErrRevoked
	}
	if err != nil {
		return nil, err
	}
	actor := access.Actor{Type: access.ActorUser, ID: u.ID, Name: u.Email, OrgID: c.OrgID, AuthMethod: c.Method, TokenID: c.ID}
	if c.OrgID != "" {
		grants, err := a.members.Of(ctx, u.ID, c.OrgID)
		if err != nil {
			return nil, err
		}
		if !grants.Member {
			return nil, token.NotMember(c)
		}
		actor.InstanceAdmin, actor.Rights = grants.InstanceAdmin, grants.Rights
	}
	a.users.Used(c.ID, a.db.Now())
	return a.admit(ctx, actor, client), nil
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the data folder; choose another with --data-dir: %w", err)
	}
	return nil
}

// explain tells a database that is down from a mistake of ours: nothing can be decided or kept then, and the caller had
// better come again, or go to another replica.
func explain(err error) *fault.Error {
	if !sqldb.Unreachable(err) {
		return nil
	}
	f := fault.New(fault.Unavailable, "The database cannot be used now, and nothing was changed. Try again, or ask another replica.")
	switch {
	case errors.Is(err, sqldb.ErrOutcomeUnknown):
		f = fault.New(fault.Unavailable, "The database was lost while the change was committed: it may or may not have been made. Check before you try again.")
	case sqldb.Full(err):
		f = fault.New(fault.Unavailable, "The disk of the database is full, so nothing was changed. Ask an operator to free space, then try again.")
	}
	f.RetryAfter = time.Second
	return f.Because(err)
}

// replicaName is what the register calls this process.
func replicaName(c config.Server) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + " " + c.Listen
}

// refused leaves an audit event of a refusal. The caller is refused either way.
func (a *App) refused(ctx context.Context, actor *access.Actor, f *fault.Error, route httpapi.Route) {
	if actor == nil {
		return
	}
	err := a.audit.Note(ctx, actor, audit.Event{Type: audit.PermissionDenied, Metadata: map[string]any{
		"method": route.Method, "route": route.Path, "permissionAction": route.Permission.Action,
		"permissionSubject": route.Permission.Subject, "message": f.Message,
	}})
	if err != nil {
		a.log.Error("a refusal could not be recorded", "reqId", httpapi.RequestID(ctx), "error", err)
	}
}

// makeAdmin makes the first identity: administrator of its organization and of the instance, with a token by hand that
// has no limit but the server's own.
func (a *App) makeAdmin(ctx context.Context, tx *sqldb.Tx, o org.Organization) (org.Admin, error) {
	const name = "Instance Admin Identity"
	i, err := identity.Insert(ctx, tx, o.ID, name, role.BuiltIn(role.Admin))
	if err == nil {
		err = member.MakeInstanceAdmin(ctx, tx, i.ID)
	}
	if err != nil {
		return org.Admin{}, err
	}
	c, err := a.seedAdmin(ctx, tx, i.ID)
	if err != nil {
		return org.Admin{}, err
	}
	label := "Instance Admin Token"
	issued, err := a.tokens.Mint(ctx, tokenauth.Grant(&i, c, &label, a.tokens.Birth()))
	if err == nil {
		err = a.tokens.Insert(ctx, tx, issued.Row)
	}
	if err != nil {
		return org.Admin{}, err
	}
	return org.Admin{ID: i.ID, Name: i.Name, Token: issued.AccessToken}, nil
}

// seedAdmin gives an identity Token Auth without limits of its own, from every address.
func (a *App) seedAdmin(ctx context.Context, tx *sqldb.Tx, identityID string) (*auth.Config, error) {
	none := int64(0)
	return a.configs.Seed(ctx, tx, tokenauth.Method.Slug, identityID, auth.Shared{TTL: &none, MaxTTL: &none})
}
