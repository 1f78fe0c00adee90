package project

import (
	"cmp"
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/quota"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
)

const projectColumns = `p.id, p.org_id, p.name, p.slug, p.description, p.type, p.auto_capital, p.delete_protection, p.secret_sharing,
	p.snapshots_legacy, p.sealed_metadata, p.version_limit, p.audit_days, p.ignored_values, p.created_at, p.updated_at`

// read returns a project with its environments; ErrNoRows if there is none.
func (s *Service) read(ctx context.Context, projectID string) (*Project, error) {
	p := &Project{}
	err := s.db.Get(ctx, p, `SELECT `+projectColumns+` FROM projects p WHERE p.id = $1 AND p.deleted_at IS NULL`, projectID)
	if err != nil {
		return nil, err
	}
	var all []Environment
	err = s.db.Select(ctx, &all, `SELECT `+environmentColumns+` FROM environments e WHERE e.project_id = $1 ORDER BY e.position, e.id`, projectID)
	p.add(all, s.db.Now().UnixMilli())
	return p, err
}

// add puts environments where they belong. One whose time to be restored is over belongs nowhere.
func (p *Project) add(environments []Environment, now int64) {
	for _, e := range environments {
		switch {
		case e.DeletedAt == nil:
			p.Environments = append(p.Environments, e)
		case *e.DeleteAfter > now:
			p.Deleted = append(p.Deleted, e)
		}
	}
}

// memberColumn is where memberships keep the id of an actor. No actor of another type gets this far.
func memberColumn(actor *access.Actor) string {
	if actor.Type == access.ActorUser {
		return "user_id"
	}
	return "identity_id"
}

// mine returns the projects that an actor is a member of, by name.
func (s *Service) mine(ctx context.Context, actor *access.Actor) ([]*Project, error) {
	const member = ` JOIN memberships m ON m.project_id = p.id AND m.active WHERE p.org_id = $1 AND p.deleted_at IS NULL AND m.`
	var projects []*Project
	err := s.db.Select(ctx, &projects, `SELECT `+projectColumns+` FROM projects p`+member+memberColumn(actor)+` = $2 ORDER BY p.name, p.id`,
		actor.OrgID, actor.ID)
	if err != nil {
		return nil, err
	}
	var all []Environment
	err = s.db.Select(ctx, &all, `SELECT `+environmentColumns+` FROM environments e JOIN projects p ON p.id = e.project_id`+member+
		memberColumn(actor)+` = $2 ORDER BY e.position, e.id`, actor.OrgID, actor.ID)
	byProject := map[string][]Environment{}
	for _, e := range all {
		byProject[e.ProjectID] = append(byProject[e.ProjectID], e)
	}
	for _, p := range projects {
		p.add(byProject[p.ID], s.db.Now().UnixMilli())
	}
	return projects, err
}

func errSlugTaken(slug string) error {
	return fault.New(fault.BadRequest, "Your organization has a project with the slug %q already. Choose another slug, or another name if you leave the slug out.", slug)
}

// insert stores a new project.
func insert(ctx context.Context, tx *sqldb.Tx, p *Project, by string) error {
	n, err := tx.Exec(ctx, `INSERT INTO projects (id, org_id, name, slug, description, type, auto_capital, delete_protection, secret_sharing,
		snapshots_legacy, version_limit, ignored_values, created_at, updated_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14) ON CONFLICT DO NOTHING`,
		p.ID, p.OrgID, p.Name, p.Slug, p.Description, p.Type, p.AutoCapital, p.DeleteProtection, p.SecretSharing,
		p.SnapshotsLegacy, p.VersionLimit, p.IgnoredValues, p.CreatedAt, by)
	if err == nil && n == 0 {
		err = errSlugTaken(p.Slug)
	}
	return err
}

// checkQuota refuses one more project where the organization, or the actor, has as many as there may be.
func (s *Service) checkQuota(ctx context.Context, tx *sqldb.Tx, actor *access.Actor) error {
	err := org.Lock(ctx, tx, actor.OrgID)
	if err == nil {
		err = quota.Quota{Setting: "--quota-projects", Owner: "Your organization has", Things: "projects", Most: cmp.Or(s.quota, DefaultProjects)}.
			Check(ctx, tx, `projects WHERE org_id = $1 AND deleted_at IS NULL`, actor.OrgID)
	}
	if err == nil {
		err = quota.Quota{Setting: "--quota-member-projects", Owner: "You have", Things: "projects that you created", Most: cmp.Or(s.memberQuota, DefaultMemberProjects)}.
			Check(ctx, tx, `projects WHERE org_id = $1 AND created_by = $2 AND deleted_at IS NULL`, actor.OrgID, actor.ID)
	}
	return err
}

// store writes what Update may change.
func store(ctx context.Context, tx *sqldb.Tx, p *Project) error {
	_, err := tx.Exec(ctx, `UPDATE projects SET name = $1, slug = $2, description = $3, auto_capital = $4, delete_protection = $5,
		secret_sharing = $6, snapshots_legacy = $7, sealed_metadata = $8, version_limit = $9, ignored_values = $10, updated_at = $11
		WHERE id = $12`, p.Name, p.Slug, p.Description, p.AutoCapital, p.DeleteProtection, p.SecretSharing, p.SnapshotsLegacy,
		p.SealedMetadata, p.VersionLimit, p.IgnoredValues, p.UpdatedAt, p.ID)
	if sqldb.IsUnique(err) {
		err = errSlugTaken(p.Slug)
	}
	return err
}

// lock reads the row of a project for a change. Writing to it first makes changes of one project queue.
func lock(ctx context.Context, tx *feed.Tx, projectID string) (*Project, error) {
	p := &Project{}
	_, err := tx.Exec(ctx, `UPDATE projects SET updated_at = $1 WHERE id = $2 AND deleted_at IS NULL`, tx.Now().UnixMilli(), projectID)
	if err == nil {
		err = tx.Get(ctx, p, `SELECT `+projectColumns+` FROM projects p WHERE p.id = $1 AND p.deleted_at IS NULL`, projectID)
	}
	if errors.Is(err, sqldb.ErrNoRows) {
		err = unknown(projectID)
	}
	return p, err
}

// erase takes a project out of sight and destroys its key, unless it is protected at this very moment.
func erase(ctx context.Context, tx *feed.Tx, p *Project) error {
	if p.DeleteProtection {
		return fault.New(fault.Forbidden, "The project has delete protection. Turn it off first (hasDeleteProtection: false).")
	}
	_, err := tx.Exec(ctx, `UPDATE projects SET deleted_at = $1 WHERE id = $2`, tx.Now().UnixMilli(), p.ID)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE project_keys SET sealed = $1 WHERE project_id = $2`, []byte{}, p.ID)
	}
	return err
}
