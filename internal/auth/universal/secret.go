package universal

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/lockout"
	"github.com/sallyport/sallyport/internal/base/quota"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
)

// secretBytes is how many random bytes a client secret has: 64 characters of hex.
const secretBytes = 32

// prefixLength is how many characters of a secret are kept in the clear, for people to tell it apart.
const prefixLength = 4

// CreateSecret makes a client secret of an identity. ttl is in seconds; 0 for no expiry, and a usesLimit of 0 means no limit.
// It returns the secret, which cannot be had again. Errors: PermissionDenied, NotFound, Boundary, Forbidden, BadRequest
// where Universal Auth is not attached.
func (s *Service) CreateSecret(ctx context.Context, actor *access.Actor, identityID, description string, ttl, usesLimit int64) (plain string, row Secret, err error) {
	if err := actor.Check(access.CreateToken, access.SubjectIdentity, nil); err != nil {
		return "", row, err
	}
	if _, err := s.identities.Authorize(ctx, actor, identityID, "The client secret was not created"); err != nil {
		return "", row, err
	}
	c, err := s.attached(ctx, identityID)
	if err != nil {
		return "", row, err
	}
	plain = id.Secret(secretBytes)
	row = Secret{ID: id.New(), ConfigID: c.ID, IdentityID: identityID, Prefix: plain[:prefixLength], Description: description,
		UsesLimit: usesLimit, TTL: ttl}
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		if err := member.Hold(ctx, tx, identityID, actor.OrgID); err != nil { // leaving ends its secrets: none may follow
			return err
		}
		if err := s.checkQuota(ctx, tx, c.ID); err != nil { // member.Hold has lined up all who make one for the identity
			return err
		}
		row.CreatedAt = tx.Now().UnixMilli()
		row.UpdatedAt = row.CreatedAt
		if ttl > 0 {
			end := row.CreatedAt + ttl*1000
			row.EndedAt = &end
		}
		if err := insertSecret(ctx, tx, row, s.hash(plain)); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, audit.CreateIdentityUniversalAuthClientSecret, row)
	})
	return plain, row, err
}

// checkQuota refuses one more client secret where the identity has as many as it may.
func (s *Service) checkQuota(ctx context.Context, tx *sqldb.Tx, configID string) error {
	return quota.Quota{Setting: "--quota-client-secrets", Owner: "The identity has", Most: s.quota,
		Things: "client secrets, with those that were revoked or expired within the last 90 days"}.
		Check(ctx, tx, `client_secrets WHERE config_id = $1`, configID)
}

// attached returns the configuration of an identity; BadRequest where there is none.
func (s *Service) attached(ctx context.Context, identityID string) (*auth.Config, error) {
	c, err := s.configs.Find(ctx, identityID, Slug)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.BadRequest, "The identity has no Universal Auth. Attach it first.")
	}
	return c, err
}

// Secrets returns the live client secrets of an identity, newest first. Errors: PermissionDenied, NotFound, BadRequest
// where Universal Auth is not attached.
func (s *Service) Secrets(ctx context.Context, actor *access.Actor, identityID string) ([]Secret, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if _, err := s.identities.Find(ctx, actor, identityID); err != nil {
		return nil, err
	}
	c, err := s.attached(ctx, identityID)
	if err != nil {
		return nil, err
	}
	return s.secretsOf(ctx, c.ID)
}

// Secret returns a client secret, without the secret itself. Errors: PermissionDenied, NotFound.
func (s *Service) Secret(ctx context.Context, actor *access.Actor, identityID, secretID string) (Secret, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return Secret{}, err
	}
	if _, err := s.identities.Find(ctx, actor, identityID); err != nil {
		return Secret{}, err
	}
	return s.secret(ctx, identityID, secretID)
}

// RevokeSecret ends a client secret and kills every token that was made with it. Doing it again changes nothing more.
// Errors: PermissionDenied, NotFound, Boundary, Forbidden.
func (s *Service) RevokeSecret(ctx context.Context, actor *access.Actor, identityID, secretID string) (row Secret, err error) {
	if err := actor.Check(access.DeleteToken, access.SubjectIdentity, nil); err != nil {
		return row, err
	}
	if _, err := s.identities.Take(ctx, actor, identityID, "The client secret was not revoked"); err != nil {
		return row, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if row, err = markRevoked(ctx, tx.Tx, identityID, secretID); err != nil {
			return err
		}
		until, err := s.tokens.ExpiryBound(ctx, tx.Tx)
		if err != nil {
			return err
		}
		tx.Append(feed.CutSecret, secretID, until)
		return s.record(ctx, tx.Tx, actor, audit.RevokeIdentityUniversalAuthClientSecret, row)
	})
	if err != nil {
		return row, err
	}
	return s.secret(ctx, identityID, secretID) // with all of its uses
}

// RevokeMade kills every token that was made with a client secret; the secret stays good. Errors: PermissionDenied,
// NotFound, Boundary, Forbidden.
func (s *Service) RevokeMade(ctx context.Context, actor *access.Actor, identityID, secretID string) error {
	if _, err := s.Secret(ctx, actor, identityID, secretID); err != nil {
		return err
	}
	return s.tokens.RevokeMade(ctx, actor, identityID, secretID)
}

// ClearLockouts lets callers in again who failed too often, and returns how many were shut out. Errors: PermissionDenied,
// NotFound.
func (s *Service) ClearLockouts(ctx context.Context, actor *access.Actor, identityID string) (locked int64, err error) {
	if err := actor.Check(access.Edit, access.SubjectIdentity, nil); err != nil {
		return 0, err
	}
	i, err := s.identities.Find(ctx, actor, identityID)
	if err == nil {
		err = s.members.GuardAdmin(ctx, actor, i.ID)
	}
	if err != nil {
		return 0, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if locked, err = lockout.Clear(ctx, tx.Tx, Slug, identityID); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: audit.ClearIdentityUniversalAuthLockouts,
			Metadata: map[string]any{"identityId": identityID, "deleted": locked}})
	})
	return locked, err
}

func (s *Service) record(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, event audit.Type, row Secret) error {
	return s.audit.Record(ctx, tx, actor, audit.Event{Type: event, Metadata: map[string]any{
		"identityId": row.IdentityID, "clientSecretId": row.ID, "description": row.Description,
	}})
}
