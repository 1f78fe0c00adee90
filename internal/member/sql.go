package member

import (
	"context"
	"slices"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// Assignment is a role that a membership has, permanently or temporarily. Times are milliseconds UTC.
type Assignment struct {
	Role      *role.Role
	Temporary bool
	Range     string // how long, as it was written
	Start     int64
	End       int64
}

// Permanent assigns one role without an end.
func Permanent(r *role.Role) []Assignment { return []Assignment{{Role: r}} }

// Draft is a membership to be made: of an identity or a user in an organization, or in a project of it. One of the two
// last ids is set.
type Draft struct {
	OrgID      string
	ProjectID  string // empty for the organization itself
	IdentityID string
	UserID     string
	Roles      []Assignment
}

// Join makes a membership. The caller has checked that the roles may be handed out. ErrNotMember: only members of the
// organization join its projects.
func Join(ctx context.Context, tx *sqldb.Tx, d Draft) (membershipID string, err error) {
	scope := "organization"
	if d.ProjectID != "" {
		scope = "project"
		if err := Hold(ctx, tx, d.IdentityID+d.UserID, d.OrgID); err != nil {
			return "", err
		}
	}
	membershipID = id.New()
	_, err = tx.Exec(ctx, `INSERT INTO memberships (id, scope, org_id, project_id, identity_id, user_id, active, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, TRUE, $7, $7)`,
		membershipID, scope, d.OrgID, null(d.ProjectID), null(d.IdentityID), null(d.UserID), tx.Now().UnixMilli())
	if err != nil {
		return "", err
	}
	return membershipID, addRoles(ctx, tx, membershipID, d.Roles)
}

// Hold keeps an identity or a user in an organization until tx is done: a change that is for members only must not be
// committed behind the end of the membership. ErrNotMember where it is not an active member.
func Hold(ctx context.Context, tx *sqldb.Tx, actorID, orgID string) error {
	n, err := tx.Exec(ctx, `UPDATE memberships SET active = active
		WHERE (identity_id = $1 OR user_id = $1) AND scope = 'organization' AND org_id = $2 AND active`, actorID, orgID)
	if err == nil && n == 0 {
		return ErrNotMember
	}
	return err
}

// SetRoles gives an identity or a user roles in place of those it has, in a project, or in an organization where projectID
// is empty; sqldb.ErrNoRows where it is not a member.
func SetRoles(ctx context.Context, tx *feed.Tx, orgID, projectID, actorID string, roles []Assignment) error {
	where, scope := `scope = 'organization' AND org_id = $2`, orgID
	if projectID != "" {
		where, scope = `project_id = $2`, projectID
	}
	var membership string
	err := tx.Get(ctx, &membership, `UPDATE memberships SET updated_at = $1 WHERE `+where+
		` AND (identity_id = $3 OR user_id = $3) RETURNING id`, tx.Now().UnixMilli(), scope, actorID)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM membership_roles WHERE membership_id = $1`, membership); err != nil {
		return err
	}
	Changed(tx, actorID, scope)
	return addRoles(ctx, tx.Tx, membership, roles)
}

// Leave ends the membership of an identity or a user in an organization and everything that it holds by it: its memberships in
// projects, with their roles and additional privileges, and the administration of the instance. Nothing of that comes back
// when it joins again. It returns the ids of the projects; sqldb.ErrNoRows where it is not a member.
func Leave(ctx context.Context, tx *feed.Tx, actorID, orgID string) (projects []string, err error) {
	var scopes []string
	err = tx.Select(ctx, &scopes, `DELETE FROM memberships WHERE (identity_id = $1 OR user_id = $1) AND org_id = $2 RETURNING coalesce(project_id, org_id)`,
		actorID, orgID)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(scopes, orgID) {
		return nil, sqldb.ErrNoRows
	}
	for _, scope := range scopes {
		Changed(tx, actorID, scope)
	}
	if err := EndInstanceAdmin(ctx, tx.Tx, actorID); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(scopes, func(scope string) bool { return scope == orgID }), nil
}

// leaveProject ends the membership of an identity or a user in a project, with the roles and privileges that hang on it;
// sqldb.ErrNoRows where there is none.
func leaveProject(ctx context.Context, tx *feed.Tx, projectID, actorID string) error {
	n, err := tx.Exec(ctx, `DELETE FROM memberships WHERE project_id = $1 AND (identity_id = $2 OR user_id = $2)`, projectID, actorID)
	if err == nil && n == 0 {
		return sqldb.ErrNoRows
	}
	Changed(tx, actorID, projectID)
	return err
}

// SetActive makes the membership of an identity or a user in an organization count, or not. Its roles stay. sqldb.ErrNoRows where
// it is not a member.
func SetActive(ctx context.Context, tx *feed.Tx, actorID, orgID string, active bool) error {
	n, err := tx.Exec(ctx, `UPDATE memberships SET active = $1, updated_at = $2
		WHERE (identity_id = $3 OR user_id = $3) AND scope = 'organization' AND org_id = $4`, active, tx.Now().UnixMilli(), actorID, orgID)
	if err == nil && n == 0 {
		return sqldb.ErrNoRows
	}
	Changed(tx, actorID, orgID)
	return err
}

// Empty deletes at most limit memberships of a project that is gone, and returns how many it deleted.
func Empty(ctx context.Context, tx *sqldb.Tx, projectID string, limit int64) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM memberships WHERE id IN (SELECT id FROM memberships WHERE project_id = $1 LIMIT $2)`, projectID, limit)
}

// Changed tells all replicas that the grants of an identity or a user in an organization, or in a project, changed.
func Changed(tx *feed.Tx, actorID, scope string) {
	tx.Append(feed.Grants, feed.Key(actorID, scope), feed.Evict)
}

// ChangedEverywhere tells all replicas that an identity or a user may do more or less, wherever it is a member.
func ChangedEverywhere(ctx context.Context, tx *feed.Tx, actorID string) error {
	var scopes []string
	err := tx.Select(ctx, &scopes, `SELECT DISTINCT coalesce(m.project_id, m.org_id) FROM memberships m
		WHERE m.identity_id = $1 OR m.user_id = $1`, actorID)
	for _, scope := range scopes {
		Changed(tx, actorID, scope)
	}
	return err
}

func addRoles(ctx context.Context, tx *sqldb.Tx, membership string, roles []Assignment) error {
	for _, a := range roles {
		slug, customID := a.Role.Slug, (*string)(nil)
		if !a.Role.BuiltIn {
			slug, customID = role.Custom, &a.Role.ID
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
			err = role.Unknown(a.Role.Slug)
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
