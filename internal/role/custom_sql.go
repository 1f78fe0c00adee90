package role

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// customRow is a custom role as it is stored.
type customRow struct {
	ID          string `db:"id"`
	OrgID       string `db:"org_id"`
	ProjectID   string `db:"project_id"`
	Slug        string `db:"slug"`
	Name        string `db:"name"`
	Description string `db:"description"`
	Permissions string `db:"permissions"`
	CreatedAt   int64  `db:"created_at"`
	UpdatedAt   int64  `db:"updated_at"`
}

const customColumns = `id, org_id, project_id, slug, name, description, permissions, created_at, updated_at`

func (r customRow) role() (*Role, error) {
	rules, err := ParseStored(r.Permissions)
	return &Role{ID: r.ID, OrgID: r.OrgID, ProjectID: r.ProjectID, Slug: r.Slug, Name: r.Name, Description: r.Description, Rules: rules,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}, err
}

// ParseStored reads rules as they are stored.
func ParseStored(text string) (rules []access.Rule, err error) {
	return rules, json.Unmarshal([]byte(text), &rules)
}

func (s *Service) readCustom(ctx context.Context, orgID, projectID, slugOrID string) (*Role, error) {
	var r customRow
	err := s.db.Get(ctx, &r, `SELECT `+customColumns+` FROM custom_roles WHERE org_id = $1 AND project_id = $2 AND (slug = $3 OR id = $3)
		ORDER BY CASE WHEN id = $3 THEN 0 ELSE 1 END LIMIT 1`, orgID, projectID, slugOrID)
	if err != nil {
		return nil, err
	}
	return r.role()
}

func (s *Service) customs(ctx context.Context, orgID, projectID string) ([]Role, error) {
	var rows []customRow
	err := s.db.Select(ctx, &rows, `SELECT `+customColumns+` FROM custom_roles WHERE org_id = $1 AND project_id = $2 ORDER BY slug`, orgID, projectID)
	roles := make([]Role, 0, len(rows))
	for _, row := range rows {
		if err == nil {
			err = limit.Use(ctx, RulesCost*int64(len(row.Permissions)))
		}
		if err == nil {
			var r *Role
			r, err = row.role()
			roles = append(roles, *r)
		}
	}
	return roles, err
}

// lockCustom reads a custom role for a change. Writing to the row first makes changes at the same time queue.
func (s *Service) lockCustom(ctx context.Context, tx *feed.Tx, sc Scope, roleID string) (*Role, error) {
	if b := builtInAt(sc.ProjectID, roleID); b != nil {
		return nil, fault.New(fault.BadRequest, "The role %q is built in and cannot be changed. Create a custom role instead.", b.Slug)
	}
	var r customRow
	err := tx.Get(ctx, &r, `UPDATE custom_roles SET updated_at = $1 WHERE org_id = $2 AND project_id = $3 AND id = $4 RETURNING `+customColumns,
		tx.Now().UnixMilli(), sc.orgID(), sc.ProjectID, roleID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no custom role with ID %q here. List the roles to see their ids.", roleID)
	}
	if err != nil {
		return nil, err
	}
	return r.role()
}

var errSlugTaken = fault.New(fault.BadRequest, "There is a role with this slug already. Choose another slug.")

func insertCustom(ctx context.Context, tx *sqldb.Tx, r *Role) error {
	rules, err := json.Marshal(r.Rules)
	if err == nil {
		err = countCustom(ctx, tx, r)
	}
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `INSERT INTO custom_roles (id, org_id, project_id, slug, name, description, permissions, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (org_id, project_id, slug) DO NOTHING`,
		r.ID, r.OrgID, r.ProjectID, r.Slug, r.Name, r.Description, string(rules), r.CreatedAt)
	if err == nil && n == 0 {
		err = errSlugTaken
	}
	return err
}

// countCustom refuses one more role where there are as many as there may be.
func countCustom(ctx context.Context, tx *sqldb.Tx, r *Role) error {
	var n int64
	err := tx.Get(ctx, &n, `SELECT count(*) FROM custom_roles WHERE org_id = $1 AND project_id = $2`, r.OrgID, r.ProjectID)
	if err == nil && n >= maxRoles {
		err = fault.New(fault.BadRequest, "There are already %d roles here, which is the maximum. Delete one that you do not need.", n)
	}
	return err
}

func storeCustom(ctx context.Context, tx *sqldb.Tx, r *Role) error {
	rules, err := json.Marshal(r.Rules)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE custom_roles SET slug = $1, name = $2, description = $3, permissions = $4 WHERE id = $5`,
		r.Slug, r.Name, r.Description, string(rules), r.ID)
	if sqldb.IsUnique(err) {
		err = errSlugTaken
	}
	return err
}

func deleteCustom(ctx context.Context, tx *sqldb.Tx, roleID string) error {
	var holders int64
	err := tx.Get(ctx, &holders, `SELECT count(*) FROM membership_roles WHERE custom_role_id = $1`, roleID)
	if err == nil && holders > 0 {
		err = fault.New(fault.BadRequest, "%d memberships have this role. Give them other roles first.", holders)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM custom_roles WHERE id = $1`, roleID)
	}
	if sqldb.IsForeignKey(err) { // someone was given it since it was counted
		err = fault.New(fault.BadRequest, "A membership was just given this role. Give it another role first.")
	}
	return err
}

// Empty deletes at most limit custom roles of a project that is gone, and returns how many it deleted.
func Empty(ctx context.Context, tx *sqldb.Tx, projectID string, limit int64) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM custom_roles WHERE id IN (SELECT id FROM custom_roles WHERE project_id = $1 LIMIT $2)`, projectID, limit)
}
