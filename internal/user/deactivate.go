package user

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
)

var errDeactivated = fault.New(fault.BadRequest, "This user is deactivated. An administrator of the instance can activate the user.")

// Deactivate shuts a user out of the whole instance. When it returns nil no session of theirs is accepted on any replica, and they
// cannot log in. Memberships stay, for when they are activated again. Errors: Forbidden for an actor who does not administer
// the instance, NotFound, BadRequest for the actor itself and for the only user who administers the instance.
func (s *Service) Deactivate(ctx context.Context, actor *access.Actor, userID string) (User, error) {
	if err := administers(actor); err != nil {
		return User{}, err
	}
	if actor.ID == userID {
		return User{}, fault.New(fault.BadRequest, "You cannot deactivate yourself. Ask another administrator to do it.")
	}
	return s.setState(ctx, actor, userID, audit.DeactivateUser, func(tx *feed.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE users SET deactivated_at = $1, updated_at = $1, kept_hash = password_hash, password_hash = ''
			WHERE id = $2 AND deactivated_at IS NULL`, tx.Now().UnixMilli(), userID)
		if err == nil {
			err = keepsAUser(ctx, tx.Tx)
		}
		if err == nil {
			err = dropLinks(ctx, tx.Tx, userID)
		}
		if err == nil {
			err = s.endSessions(ctx, tx, userID)
		}
		return err
	})
}

// Activate lets a user log in again with their password. Errors: as Deactivate.
func (s *Service) Activate(ctx context.Context, actor *access.Actor, userID string) (User, error) {
	if err := administers(actor); err != nil {
		return User{}, err
	}
	return s.setState(ctx, actor, userID, audit.ActivateUser, func(tx *feed.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE users SET deactivated_at = NULL, updated_at = $1, password_hash = coalesce(kept_hash, password_hash), kept_hash = NULL
			WHERE id = $2 AND deactivated_at IS NOT NULL`, tx.Now().UnixMilli(), userID)
		return err
	})
}

// setState changes a user with change, and returns the user as it is then.
func (s *Service) setState(ctx context.Context, actor *access.Actor, userID string, event audit.Type, change func(*feed.Tx) error) (u User, err error) {
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := org.LockInstance(ctx, tx.Tx); err != nil {
			return err
		}
		if err := change(tx); err != nil {
			return err
		}
		if u, err = userByID(ctx, tx.Tx, userID); errors.Is(err, sqldb.ErrNoRows) {
			return unknown(userID)
		}
		if err != nil {
			return err
		}
		tx.Append(feed.UserRow, userID, feed.Evict)
		return s.record(ctx, tx.Tx, actor, audit.Event{Type: event, Metadata: map[string]any{"userId": u.ID, "email": u.Email}})
	})
	return u, err
}

// endSessions deletes every session of a user and kills their tokens.
func (s *Service) endSessions(ctx context.Context, tx *feed.Tx, userID string) error {
	if err := deleteSessionsOf(ctx, tx.Tx, userID); err != nil {
		return err
	}
	return s.tokens.EndSessions(ctx, tx, userID)
}
