package user

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
)

// Search says which users or identities to list.
type Search struct {
	Term       string // part of a name or of an e-mail address, in any case; "" for all
	AdminsOnly bool   // administrators of the instance; for users
	Offset     int64
	Limit      int64
}

// AdminIdentity is a machine identity, as whoever administers the instance sees it.
type AdminIdentity struct {
	ID            string `db:"id"`
	Name          string `db:"name"`
	InstanceAdmin bool   `db:"instance_admin"`
}

// administers refuses with Forbidden an actor that does not administer the instance.
func administers(actor *access.Actor) error {
	if !actor.InstanceAdmin {
		return fault.New(fault.Forbidden, "Only an administrator of the instance can do this.")
	}
	return nil
}

// Identities returns the identities of the whole instance that a search asks for, by name, and how many match in all.
// Errors: Forbidden for whoever does not administer the instance.
func (s *Service) Identities(ctx context.Context, actor *access.Actor, q Search) (found []AdminIdentity, total int64, err error) {
	if err := administers(actor); err != nil {
		return nil, 0, err
	}
	return s.findIdentities(ctx, q)
}

// Users returns the users of the whole instance that a search asks for, by e-mail address, and how many match in all.
// Errors: as Identities.
func (s *Service) Users(ctx context.Context, actor *access.Actor, q Search) (found []User, total int64, err error) {
	if err := administers(actor); err != nil {
		return nil, 0, err
	}
	return s.findUsers(ctx, q)
}

var (
	errLastAdmin = fault.New(fault.BadRequest, "This is the last administrator of the instance. Make another one first.")
	errLastUser  = fault.New(fault.BadRequest, "This is the only user who administers the instance. Make another user an administrator first.")
	errNoAdmin   = fault.New(fault.BadRequest, "This identity does not administer the instance.")
)

// DropIdentity takes the administration of the instance from an identity. Its tokens stay good for what its roles allow.
// Errors: Forbidden as above, NotFound, BadRequest where it is no administrator, or the last one.
func (s *Service) DropIdentity(ctx context.Context, actor *access.Actor, identityID string) (i AdminIdentity, err error) {
	if err := administers(actor); err != nil {
		return i, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := org.LockInstance(ctx, tx.Tx); err != nil {
			return err
		}
		i, err = dropIdentity(ctx, tx.Tx, identityID)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = fault.New(fault.NotFound, "There is no machine identity with ID %q.", identityID)
		}
		if err == nil {
			err = keepsAnAdmin(ctx, tx.Tx)
		}
		if err == nil {
			err = member.ChangedEverywhere(ctx, tx, identityID)
		}
		if err != nil {
			return err
		}
		return s.record(ctx, tx.Tx, actor, audit.Event{Type: audit.RevokeIdentityInstanceAdmin, Metadata: map[string]any{"identityId": i.ID, "name": i.Name}})
	})
	return i, err
}

// SetAdmin gives a user the administration of the instance, or takes it away; whether they had it before or not. Errors:
// Forbidden as above, NotFound, BadRequest for the only user who administers the instance.
func (s *Service) SetAdmin(ctx context.Context, actor *access.Actor, userID string, admin bool) (u User, err error) {
	if err := administers(actor); err != nil {
		return u, err
	}
	event := audit.GrantUserInstanceAdmin
	if !admin {
		event = audit.RevokeUserInstanceAdmin
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := org.LockInstance(ctx, tx.Tx); err != nil {
			return err
		}
		u, err = setAdmin(ctx, tx.Tx, userID, admin)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = unknown(userID)
		}
		if err == nil && !admin {
			err = keepsAUser(ctx, tx.Tx)
		}
		if err == nil {
			err = member.ChangedEverywhere(ctx, tx, userID)
		}
		if err != nil {
			return err
		}
		tx.Append(feed.UserRow, userID, feed.Evict)
		return s.record(ctx, tx.Tx, actor, audit.Event{Type: event, Metadata: map[string]any{"userId": u.ID, "email": u.Email}})
	})
	return u, err
}

// Delete removes a user and ends every session of theirs. Errors: as SetAdmin.
func (s *Service) Delete(ctx context.Context, actor *access.Actor, userID string) (u User, err error) {
	if err := administers(actor); err != nil {
		return u, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := org.LockInstance(ctx, tx.Tx); err != nil {
			return err
		}
		// The event and the grants need what the deletion takes away.
		if u, err = userByID(ctx, tx.Tx, userID); errors.Is(err, sqldb.ErrNoRows) {
			return unknown(userID)
		}
		if err == nil {
			err = s.record(ctx, tx.Tx, actor, audit.Event{Type: audit.DeleteUser, Metadata: map[string]any{"userId": u.ID, "email": u.Email}})
		}
		if err == nil {
			err = member.ChangedEverywhere(ctx, tx, userID)
		}
		if err == nil {
			err = deleteUser(ctx, tx.Tx, userID)
		}
		if err == nil && u.SuperAdmin {
			err = keepsAUser(ctx, tx.Tx)
		}
		if err != nil {
			return err
		}
		tx.Append(feed.UserRow, userID, feed.Evict)
		return s.tokens.EndSessions(ctx, tx, userID)
	})
	return u, err
}
