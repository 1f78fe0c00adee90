package user

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/lockout"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

var errOldPassword = fault.New(fault.BadRequest, "The old password is wrong, or too many attempts from here have failed; in that case wait a few minutes.")

// ChangePassword gives the calling user another password. It ends all their sessions, so they log in again. Guesses of the old
// password count as failed logins. Errors: Forbidden for an actor that is not a user, BadRequest for a wrong old password,
// Validation for a weak new one, RateLimited when too many passwords are hashed at the same time.
func (s *Service) ChangePassword(ctx context.Context, actor *access.Actor, before, after string) error {
	if err := isUser(actor); err != nil {
		return err
	}
	u, err := s.ByID(ctx, actor.ID)
	if err == nil {
		err = s.orgs.CheckNewPassword(after, u.Email, u.FirstName, u.LastName)
	}
	if err != nil {
		return err
	}
	leave, err := s.hashing.Enter(ctx, lockout.Caller(actor.Client.IP))
	if err != nil {
		return err
	}
	defer leave()
	if _, err := s.verified(ctx, &s.password, u.Email, before, actor.Client); fault.Is(err, fault.BadRequest) {
		return errOldPassword
	} else if err != nil {
		return err
	}
	return s.setPassword(ctx, actor, u.ID, after, audit.ChangeUserPassword, nil)
}

// ResetLink makes a link by which a user sets a new password. It is for the administrators of the instance, since the user may
// belong to several organizations. Errors: Forbidden for other actors, NotFound, BadRequest for a user who is deactivated or has
// not accepted an invitation yet.
func (s *Service) ResetLink(ctx context.Context, actor *access.Actor, userID string) (link Link, err error) {
	if err := administers(actor); err != nil {
		return link, err
	}
	u, err := s.ByID(ctx, userID)
	switch {
	case err != nil:
		return link, err
	case u.Deactivated():
		return link, fault.New(fault.BadRequest, "This user is deactivated. Activate the user first.")
	case !u.Accepted:
		return link, fault.New(fault.BadRequest, "This user has not accepted an invitation yet. Send a new invitation.")
	}
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		if link, err = s.newLink(ctx, tx, u.ID, passwordReset); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, audit.Event{Type: audit.CreatePasswordResetLink, Metadata: map[string]any{"userId": u.ID, "email": u.Email}})
	})
	return link, err
}

// ResetPassword gives the holder of a link another password, and ends all sessions of the user. Errors: BadRequest for a link that
// was used, is late or unknown; Validation for a weak password; RateLimited.
func (s *Service) ResetPassword(ctx context.Context, code, password string, client access.Client) error {
	userID, err := s.holder(ctx, passwordReset, code)
	if err != nil {
		return err
	}
	u, err := s.ByID(ctx, userID)
	if err == nil {
		err = s.orgs.CheckNewPassword(password, u.Email, u.FirstName, u.LastName)
	}
	if err != nil {
		return err
	}
	leave, err := s.hashing.Enter(ctx, lockout.Caller(client.IP))
	if err != nil {
		return err
	}
	defer leave()
	actor := &access.Actor{Type: access.ActorUser, ID: u.ID, Name: u.Email, AuthMethod: Method, Client: client}
	return s.setPassword(ctx, actor, u.ID, password, audit.ResetUserPassword,
		func(tx *feed.Tx) error { return useLink(ctx, tx.Tx, u.ID, passwordReset, code) })
}

// setPassword stores the hash of a password, and ends every session and every link of the user. The caller has its turn in the line
// of hashes. more, if any, is part of the same transaction.
func (s *Service) setPassword(ctx context.Context, actor *access.Actor, userID, password string, event audit.Type, more func(*feed.Tx) error) error {
	hash, err := s.orgs.HashPassword(password)
	if err != nil {
		return err
	}
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		if more != nil {
			if err := more(tx); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, `UPDATE users SET password_hash = $1, updated_at = $2 WHERE id = $3 AND deactivated_at IS NULL`, hash, tx.Now().UnixMilli(), userID)
		if err == nil && n == 0 {
			err = errDeactivated
		}
		if err == nil {
			err = dropLinks(ctx, tx.Tx, userID)
		}
		if err == nil {
			err = s.endSessions(ctx, tx, userID)
		}
		if err != nil {
			return err
		}
		tx.Append(feed.UserRow, userID, feed.Evict)
		return s.record(ctx, tx.Tx, actor, audit.Event{Type: event, Metadata: map[string]any{"userId": userID}})
	})
}
