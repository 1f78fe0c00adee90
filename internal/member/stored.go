package member

import (
	"context"
	"fmt"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/role"
)

// storedRole is one role of an active membership, or what counts as one.
type storedRole struct {
	Role          string  `db:"role"`
	Permissions   *string `db:"permissions"` // of a custom role
	Temporary     bool    `db:"temporary"`
	AccessStart   *int64  `db:"access_start"`
	AccessEnd     *int64  `db:"access_end"`
	InstanceAdmin bool    `db:"instance_admin"`
	Privilege     bool    `db:"privilege"` // in a project: an additional privilege
}

// stored returns the roles of an identity, or of a user, in an organization. Their ids are apart from each other.
func (s *Service) stored(ctx context.Context, actorID, orgID string) (roles []storedRole, err error) {
	return roles, s.db.Select(ctx, &roles, `SELECT r.role, c.permissions, r.temporary, r.access_start, r.access_end,
		EXISTS (SELECT 1 FROM instance_admins a WHERE a.identity_id = m.identity_id) OR
		EXISTS (SELECT 1 FROM users u WHERE u.id = m.user_id AND u.super_admin) AS instance_admin
		FROM memberships m JOIN membership_roles r ON r.membership_id = m.id
		LEFT JOIN custom_roles c ON c.id = r.custom_role_id
		WHERE (m.identity_id = $1 OR m.user_id = $1) AND m.scope = 'organization' AND m.org_id = $2 AND m.active ORDER BY r.created_at, r.id`,
		actorID, orgID)
}

// length is how many bytes the stored rules have; 0 for those of a built-in role.
func (r storedRole) length() int64 {
	if r.Permissions == nil {
		return 0
	}
	return int64(len(*r.Permissions))
}

// rules returns what the role allows; builtIn has the rules of built-in ones. A role that this program does not know is
// an error: guessing could allow too much.
func (r storedRole) rules(builtIn func(slug string) ([]access.Rule, bool)) ([]access.Rule, error) {
	if r.Permissions != nil {
		return role.ParseStored(*r.Permissions)
	}
	rules, ok := builtIn(r.Role)
	if !ok {
		return nil, fmt.Errorf("the database grants the role %q, which this program does not have", r.Role)
	}
	return rules, nil
}
