package user

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/token"
)

// Begin makes another session of the calling user, for a program that works on the user's behalf, and returns its access token.
// It dies with the same cut-offs as the session in use, and ends no later, so nobody gets to stay longer by it. The label
// says in lists what it is for. Errors: Forbidden for an actor that is no user, DeadToken when the session in use has ended.
func (s *Service) Begin(ctx context.Context, actor *access.Actor, label string) (x Session, jwt string, err error) {
	if err := isUser(actor); err != nil {
		return x, "", err
	}
	err = s.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
		parent, err := sessionOf(ctx, tx, actor.ID, actor.TokenID)
		if err != nil {
			return err
		}
		now := tx.Now().UnixMilli()
		x = Session{ID: id.New(), UserID: actor.ID, OrgID: &actor.OrgID, Born: parent.Born, RefreshVersion: 1, RefreshedAt: parent.RefreshedAt,
			IP: addressOf(actor.Client), UserAgent: label, LastUsedAt: now, ExpiresAt: parent.ExpiresAt, CreatedAt: now, UpdatedAt: now}
		if err := insertSession(ctx, tx, x); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, actor, audit.Event{Type: audit.BeginUserSession,
			Metadata: map[string]any{"userId": actor.ID, "sessionId": x.ID, "parentSessionId": parent.ID, "label": label}})
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		err = token.ErrRevoked
	}
	if err != nil {
		return x, "", err
	}
	jwt, err = s.tokens.UserAccess(ctx, x.facts(), s.db.Now())
	return x, jwt, err
}

type beginInput struct {
	Body struct {
		Label httpapi.Text `json:"label" minLength:"1" maxLength:"255" doc:"What the session is for; lists show it as its user agent"`
	}
}

type beginOutput struct {
	Body struct {
		SessionID   string       `json:"sessionId"`
		AccessToken string       `json:"accessToken"`
		ExpiresAt   httpapi.Time `json:"expiresAt" doc:"When the session ends; the token may expire before"`
	}
}

func (s *Service) beginRoute(ctx context.Context, actor *access.Actor, in *beginInput) (*beginOutput, error) {
	x, jwt, err := s.Begin(ctx, actor, in.Body.Label.Trimmed())
	if err != nil {
		return nil, err
	}
	out := &beginOutput{}
	out.Body.SessionID, out.Body.AccessToken, out.Body.ExpiresAt = x.ID, jwt, httpapi.Time(x.ExpiresAt)
	return out, nil
}
