package user

import (
	"context"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

const memberColumns = `m.id, m.org_id, m.active, m.created_at, m.updated_at, u.id AS "user.id", u.email AS "user.email", u.first_name AS "user.first_name",
	u.last_name AS "user.last_name", u.super_admin AS "user.super_admin", u.password_hash <> '' OR coalesce(u.kept_hash, '') <> '' AS "user.accepted",
	u.deactivated_at AS "user.deactivated_at", u.created_at AS "user.created_at", u.updated_at AS "user.updated_at"`

// members returns the users of an organization with their roles, or the one with a membership's id.
func (s *Service) members(ctx context.Context, orgID, membershipID string, most int64) (found []Member, err error) {
	err = s.db.Select(ctx, &found, `SELECT `+memberColumns+` FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.org_id = $1 AND m.scope = 'organization' AND ($2 = '' OR m.id = $2) ORDER BY u.email, m.id LIMIT $3`, orgID, membershipID, most)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	held, err := s.memberships.HeldBy(ctx, ids)
	for i := range found {
		found[i].Roles = held[found[i].ID]
	}
	return found, err
}

// member returns one membership; NotFound if the organization has none with this id.
func (s *Service) member(ctx context.Context, orgID, membershipID string) (*Member, error) {
	if membershipID == "" {
		return nil, unknownMember(membershipID)
	}
	found, err := s.members(ctx, orgID, membershipID, 1)
	if err == nil && len(found) == 0 {
		err = unknownMember(membershipID)
	}
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

func isMember(ctx context.Context, tx *sqldb.Tx, userID, orgID string) (is bool, err error) {
	return is, tx.Get(ctx, &is, `SELECT EXISTS (SELECT 1 FROM memberships WHERE user_id = $1 AND org_id = $2 AND scope = 'organization')`, userID, orgID)
}
