package role

import (
	"context"
	"fmt"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
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
		return parseRules(*r.Permissions)
	}
	rules, ok := builtIn(r.Role)
	if !ok {
		return nil, fmt.Errorf("the database grants the role %q, which this program does not have", r.Role)
	}
	return rules, nil
}

// Assignment is a role that a membership has, for good or for a time. Times are milliseconds UTC.
type Assignment struct {
	Role      *Role
	Temporary bool
	Range     string // how long, as it was written
	Start     int64
	End       int64
}

// Permanent assigns one role without an end.
func Permanent(r *Role) []Assignment { return []Assignment{{Role: r}} }

// Member is an identity or a user that joins an organization, or a project of it. One of the two last ids is set.
type Member struct {
	OrgID      string
	ProjectID  string // empty for the organization itself
	IdentityID string
	UserID     string
	Roles      []Assignment
}

// Join makes a membership. The caller has checked that the roles may be handed out. ErrNotMember: only members of the
// organization join its projects.
func Join(ctx context.Context, tx *sqldb.Tx, m Member) (membershipID string, err error) {
	membershipID, now := id.New(), tx.Now().UnixMilli()
	scope := "organization"
	if m.ProjectID != "" {
		scope = "project"
		if err := Hold(ctx, tx, m.IdentityID+m.UserID, m.OrgID); err != nil {
			return "", err
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO memberships (id, scope, org_id, project_id, identity_id, user_id, active, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, TRUE, $7, $7)`, membershipID, scope, m.OrgID, null(m.ProjectID), null(m.IdentityID), null(m.UserID), now)
	if err == nil {
		err = addRoles(ctx, tx, membershipID, m.Roles)
	}
	return membershipID, err
}

// SetRoles gives an identity or a user roles in an organization, in place of those it has; ErrNoRows where it is not a member.
func SetRoles(ctx context.Context, tx *feed.Tx, actorID, orgID string, roles []Assignment) error {
	var membership string
	err := tx.Get(ctx, &membership, `UPDATE memberships SET updated_at = $1
		WHERE (identity_id = $2 OR user_id = $2) AND scope = 'organization' AND org_id = $3 RETURNING id`, tx.Now().UnixMilli(), actorID, orgID)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM membership_roles WHERE membership_id = $1`, membership)
	}
	if err == nil {
		err = addRoles(ctx, tx.Tx, membership, roles)
	}
	if err == nil {
		Changed(tx, actorID, orgID)
	}
	return err
}

// SetActive makes the membership of an identity or a user in an organization count, or not. Its roles stay. ErrNoRows where it is not
// a member.
func SetActive(ctx context.Context, tx *feed.Tx, actorID, orgID string, active bool) error {
	n, err := tx.Exec(ctx, `UPDATE memberships SET active = $1, updated_at = $2
		WHERE (identity_id = $3 OR user_id = $3) AND scope = 'organization' AND org_id = $4`, active, tx.Now().UnixMilli(), actorID, orgID)
	if err == nil && n == 0 {
		err = sqldb.ErrNoRows
	}
	Changed(tx, actorID, orgID)
	return err
}

// Changed tells all replicas that the grants of an identity in an organization changed.
func Changed(tx *feed.Tx, identityID, orgID string) {
	tx.Append(feed.Grants, feed.Key(identityID, orgID), feed.Evict)
}

// MakeInstanceAdmin makes an identity that tx has just created an administrator of the instance.
func MakeInstanceAdmin(ctx context.Context, tx *sqldb.Tx, identityID string) error {
	_, err := tx.Exec(ctx, `INSERT INTO instance_admins (identity_id) VALUES ($1)`, identityID)
	return err
}

func addRoles(ctx context.Context, tx *sqldb.Tx, membership string, roles []Assignment) error {
	for _, a := range roles {
		slug, customID := a.Role.Slug, (*string)(nil)
		if !a.Role.BuiltIn {
			slug, customID = custom, &a.Role.ID
		}
		var mode, length *string
		var start, end *int64
		if a.Temporary {
			relative := "relative"
			mode, length, start, end = &relative, &a.Range, &a.Start, &a.End
		}
		_, err := tx.Exec(ctx, `INSERT INTO membership_roles (id, membership_id, role, custom_role_id, temporary, temporary_mode,
			temporary_range, access_start, access_end, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
			id.New(), membership, slug, customID, a.Temporary, mode, length, start, end, tx.Now().UnixMilli())
		if sqldb.IsForeignKey(err) { // it was deleted since the caller looked
			err = unknown(a.Role.Slug)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func null(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
