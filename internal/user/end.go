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
	"github.com/sallyport/sallyport/internal/token"
)

// Sessions returns the live sessions of the calling user, newest first, at most 1000. Errors: Forbidden for an actor
// that is no user.
func (s *Service) Sessions(ctx context.Context, actor *access.Actor) ([]Session, error) {
	if err := isUser(actor); err != nil {
		return nil, err
	}
	rows, err := s.sessionsOf(ctx, actor.ID, s.db.Now())
	live := make([]Session, 0, len(rows))
	for _, x := range rows {
		if !s.tokens.SessionDead(x.facts()) {
			live = append(live, x)
		}
	}
	return live, err
}

// Logout ends the session of the token in use. When it returns nil no replica accepts a token of the session again.
// Errors: Forbidden for an actor that is no user.
func (s *Service) Logout(ctx context.Context, actor *access.Actor) error {
	if err := isUser(actor); err != nil {
		return err
	}
	return s.endOne(ctx, actor, actor.TokenID, "logout", nil)
}

// EndOwn ends a session of the calling user. Errors: Forbidden for an actor that is no user, NotFound for a session that
// is unknown, of someone else, or has ended.
func (s *Service) EndOwn(ctx context.Context, actor *access.Actor, sessionID string) error {
	if err := isUser(actor); err != nil {
		return err
	}
	return s.endOne(ctx, actor, sessionID, "revoked",
		fault.New(fault.NotFound, "You have no live session with ID %q. GET /api/v2/users/me/sessions lists yours.", sessionID))
}

// endOne ends a session of the actor; gone is the answer where there is none any more.
func (s *Service) endOne(ctx context.Context, actor *access.Actor, sessionID, reason string, gone error) error {
	err := s.feed.Change(ctx, func(tx *feed.Tx) error {
		x, err := sessionOf(ctx, tx.Tx, actor.ID, sessionID)
		if err != nil {
			return err
		}
		return s.end(ctx, tx, actor, x, reason)
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		return s.endedAlready(ctx, gone)
	}
	return err
}

// end deletes the row of a session and kills its tokens.
func (s *Service) end(ctx context.Context, tx *feed.Tx, actor *access.Actor, x Session, reason string) error {
	if err := deleteSession(ctx, tx.Tx, x.ID); err != nil {
		return err
	}
	token.EndSession(tx, x.facts())
	return s.record(ctx, tx.Tx, actor, audit.Event{Type: audit.RevokeUserSession,
		Metadata: map[string]any{"userId": x.UserID, "sessionId": x.ID, "reasonCode": reason}})
}

// endedAlready returns answer to a caller who found a session ended. Whoever ended it may still be waiting for a replica
// that accepts its tokens; the answer must be no less true than theirs.
func (s *Service) endedAlready(ctx context.Context, answer error) error {
	if err := s.feed.Settled(ctx); err != nil {
		return err
	}
	return answer
}

// EndAllOwn ends every session of the calling user, the one in use included. Errors: Forbidden for an actor that is no
// user.
func (s *Service) EndAllOwn(ctx context.Context, actor *access.Actor) error {
	if err := isUser(actor); err != nil {
		return err
	}
	return s.endAll(ctx, actor, actor.ID)
}

// EndAll ends every session of a user, on behalf of an administrator of an organization that the user is a member of,
// or of the instance. Errors: PermissionDenied, NotFound, Boundary for a user who may do more than the actor, Forbidden
// for an instance administrator.
func (s *Service) EndAll(ctx context.Context, actor *access.Actor, userID string) error {
	if err := actor.Check(access.Edit, access.SubjectMember, nil); err != nil {
		return err
	}
	if _, err := s.ByID(ctx, userID); err != nil {
		return err
	}
	if !actor.InstanceAdmin {
		target, err := s.memberships.OfNow(ctx, userID, actor.OrgID)
		switch {
		case err != nil:
			return err
		case !target.Member:
			return unknown(userID)
		case target.InstanceAdmin:
			return fault.New(fault.Forbidden, "This user administers the instance. Only another instance administrator can end their sessions.")
		}
		if err := member.CoversNow(actor, target, "The sessions were not ended"); err != nil {
			return err
		}
	}
	return s.endAll(ctx, actor, userID)
}

func (s *Service) endAll(ctx context.Context, actor *access.Actor, userID string) error {
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := s.endSessions(ctx, tx, userID); err != nil {
			return err
		}
		return s.record(ctx, tx.Tx, actor, audit.Event{Type: audit.RevokeUserSessions, Metadata: map[string]any{"userId": userID}})
	})
}

// record writes an event; that of a user who has not chosen an organization goes to the one that they joined first.
func (s *Service) record(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, e audit.Event) error {
	if actor.OrgID == "" {
		u, err := accountByID(ctx, tx, actor.ID)
		if err != nil {
			return err
		}
		e.OrgID = u.actor(actor.Client).OrgID
	}
	return s.audit.Record(ctx, tx, actor, e)
}
