package token

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// RevokeIdentity kills every token of an identity, or only those of one method where method is not "". It writes one
// row, however many tokens there are. Errors: PermissionDenied, NotFound, Boundary, Forbidden; Validation for a method that this
// server does not have: nothing would be revoked.
func (s *Service) RevokeIdentity(ctx context.Context, actor *access.Actor, identityID, method string) error {
	if err := s.mayRevoke(ctx, actor, identityID); err != nil {
		return err
	}
	if methods := s.methods(); method != "" && !slices.Contains(methods, method) {
		return fault.Invalid("invalid_enum_value", fmt.Sprintf("There is no login method %q, so nothing was revoked. Use one of %s, or leave authMethod out to revoke the tokens of all.",
			method, strings.Join(methods, ", ")), "authMethod")
	}
	facts := map[string]any{"identityId": identityID}
	if method == "" {
		return s.cutOff(ctx, actor, feed.CutIdentity, identityID, facts)
	}
	facts["authMethod"] = method
	return s.cutOff(ctx, actor, feed.CutMethod, feed.Key(identityID, method), facts)
}

// RevokeMade kills every token that was made with a client secret of an identity; the secret itself stays good. The
// caller has made sure that the secret is the identity's. Errors: PermissionDenied, NotFound, Boundary, Forbidden.
func (s *Service) RevokeMade(ctx context.Context, actor *access.Actor, identityID, clientSecretID string) error {
	if err := s.mayRevoke(ctx, actor, identityID); err != nil {
		return err
	}
	return s.cutOff(ctx, actor, feed.CutSecret, clientSecretID,
		map[string]any{"identityId": identityID, "clientSecretId": clientSecretID})
}

// RevokeAny kills a token of an identity by its id, whatever method made it and whether or not it has a row. An id that
// no token has is answered alike: most tokens leave no trace to look for. Errors: PermissionDenied, NotFound for the
// identity, for what cannot be the ID of a token, and for a token that is known to be another identity's, Boundary, Forbidden, RateLimited beyond what the actor may have remembered.
func (s *Service) RevokeAny(ctx context.Context, actor *access.Actor, identityID, tokenID string) error {
	if err := s.mayRevoke(ctx, actor, identityID); err != nil {
		return err
	}
	if !id.Credible(tokenID, feed.ClockSlack) {
		return ErrNotFound
	}
	if s.revoked.holds(tokenID, identityID) {
		return s.deadAlready(ctx, nil)
	}
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		until, err := s.revokeByID(ctx, tx.Tx, actor, identityID, tokenID)
		if err != nil {
			return err
		}
		tx.Append(feed.TokenRevoked, feed.Key(tokenID, identityID), until)
		return s.audit.Record(ctx, tx.Tx, actor, revokedEvent(actor.OrgID, tokenID, identityID, ""))
	})
}

// revokeByID returns until when the revocation of a token matters. Most tokens have no row, so nothing tells whether there is one
// with this ID: each such revocation counts against what the actor may have remembered. Where a row tells that the token is
// another identity's it is ErrNotFound: a revocation counts for its own identity alone, so that token would live on.
func (s *Service) revokeByID(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, identityID, tokenID string) (time.Time, error) {
	until, found, err := markRevokedOf(ctx, tx, tokenID, identityID)
	if err != nil || found {
		return time.UnixMilli(until), err
	}
	others, err := rowByID(ctx, tx, tokenID)
	if err == nil && others != nil {
		err = ErrNotFound
	}
	if err == nil {
		err = s.countUnlisted(ctx, tx, actor.ID)
	}
	if err != nil {
		return time.Time{}, err
	}
	return s.ExpiryBound(ctx, tx)
}

// RevokeOrg kills every token of the actor's organization, the one in use included: the panic button. slug must be that
// of the organization, so that nobody presses it by mistake. It is for whoever holds all that an administrator of the
// organization holds. Errors: PermissionDenied, Boundary, BadRequest for another slug.
func (s *Service) RevokeOrg(ctx context.Context, actor *access.Actor, slug string) error {
	if err := actor.Check(access.DeleteToken, access.SubjectIdentity, nil); err != nil {
		return err
	}
	rules, _ := access.OrgRole(role.Admin)
	admin, err := access.Compile(rules)
	if err == nil {
		err = actor.CoversNow(admin, "The organization's tokens were not revoked")
	}
	if err != nil {
		return err
	}
	o, err := s.orgs.Find(ctx, actor.OrgID)
	if err != nil {
		return err
	}
	if slug != o.Slug {
		return fault.New(fault.BadRequest, "To revoke every token of your organization, confirm it by its slug in organizationSlug. GET /api/v1/identities/details returns it.")
	}
	return s.cutOff(ctx, actor, feed.CutOrg, actor.OrgID, map[string]any{"organizationId": actor.OrgID})
}

// mayRevoke asks for the permission, and that the identity may not do more than the actor.
func (s *Service) mayRevoke(ctx context.Context, actor *access.Actor, identityID string) error {
	if err := actor.Check(access.DeleteToken, access.SubjectIdentity, nil); err != nil {
		return err
	}
	_, err := s.identities.Take(ctx, actor, identityID, "The tokens were not revoked")
	return err
}

func (s *Service) cutOff(ctx context.Context, actor *access.Actor, kind feed.Kind, key string, facts map[string]any) error {
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		until, err := s.ExpiryBound(ctx, tx.Tx)
		if err != nil {
			return err
		}
		tx.Append(kind, key, until)
		return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: audit.RevokeIdentityAccessTokens, Metadata: facts})
	})
}
