package identity

import (
	"cmp"
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/quota"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/role"
)

const columns = `id, org_id, project_id, name, delete_protection, created_at, updated_at`

func (s *Service) read(ctx context.Context, identityID string) (*Identity, error) {
	if !id.Valid(identityID) {
		return nil, Unknown(identityID)
	}
	i := &Identity{}
	err := s.db.Get(ctx, i, `SELECT `+columns+` FROM identities WHERE id = $1`, identityID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = Unknown(identityID)
	}
	return i, err
}

// Insert makes an identity with one role. The caller has checked that the role may be handed out.
func Insert(ctx context.Context, tx *sqldb.Tx, orgID, name string, r *role.Role) (Identity, error) {
	d, err := insert(ctx, tx, orgID, Changes{Name: &name}, member.Permanent(r), nil)
	return d.Identity, err
}

// create makes an identity for an actor, if the quotas allow one more.
func (s *Service) create(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, c Changes, roles []member.Assignment) (Detail, error) {
	if err := s.checkQuota(ctx, tx, actor); err != nil {
		return Detail{}, err
	}
	return insert(ctx, tx, actor.OrgID, c, roles, &actor.ID)
}

// DefaultQuota and DefaultMemberQuota are how many identities an organization has, and one member has created, at most, unless a
// setting says otherwise.
const (
	DefaultQuota       = 100_000
	DefaultMemberQuota = 10_000
)

// checkQuota refuses one more identity where the organization, or the actor, has as many as there may be.
func (s *Service) checkQuota(ctx context.Context, tx *sqldb.Tx, actor *access.Actor) error {
	err := org.Lock(ctx, tx, actor.OrgID)
	if err == nil {
		err = quota.Quota{Setting: "--quota-identities", Owner: "Your organization has", Things: "identities", Most: cmp.Or(s.quota, DefaultQuota)}.
			Check(ctx, tx, `identities WHERE org_id = $1`, actor.OrgID)
	}
	if err == nil {
		err = quota.Quota{Setting: "--quota-member-identities", Owner: "You have", Things: "identities that you created", Most: cmp.Or(s.memberQuota, DefaultMemberQuota)}.
			Check(ctx, tx, `identities WHERE org_id = $1 AND created_by = $2`, actor.OrgID, actor.ID)
	}
	return err
}

// insert stores an identity that somebody, or with nil the server itself, makes.
func insert(ctx context.Context, tx *sqldb.Tx, orgID string, c Changes, roles []member.Assignment, by *string) (Detail, error) {
	now := tx.Now().UnixMilli()
	d := Detail{Identity: Identity{ID: id.New(), OrgID: orgID, CreatedAt: now, UpdatedAt: now}, Methods: []string{}}
	if c.Name != nil {
		d.Name = *c.Name
	}
	if c.DeleteProtection != nil {
		d.DeleteProtection = *c.DeleteProtection
	}
	d.ProjectID = c.ProjectID
	_, err := tx.Exec(ctx, `INSERT INTO identities (id, org_id, project_id, name, delete_protection, created_at, updated_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`, d.ID, orgID, d.ProjectID, d.Name, d.DeleteProtection, now, by)
	if err == nil {
		_, err = member.Join(ctx, tx, member.Draft{OrgID: orgID, IdentityID: d.ID, Roles: roles})
	}
	if err == nil && c.Metadata != nil {
		d.Metadata, err = insertMetadata(ctx, tx, d.ID, *c.Metadata)
	}
	return d, err
}

func update(ctx context.Context, tx *feed.Tx, identityID string, c Changes) (Detail, error) {
	d := Detail{}
	err := tx.Get(ctx, &d.Identity, `UPDATE identities SET name = coalesce($1, name),
		delete_protection = coalesce($2, delete_protection), updated_at = $3 WHERE id = $4 RETURNING `+columns,
		c.Name, c.DeleteProtection, tx.Now().UnixMilli(), identityID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return d, Unknown(identityID)
	}
	if err != nil {
		return d, err
	}
	tx.Append(feed.IdentityRow, identityID, feed.Evict)
	return d, replaceMetadata(ctx, tx.Tx, &d, c.Metadata)
}

func replaceMetadata(ctx context.Context, tx *sqldb.Tx, d *Detail, metadata *[]Metadata) error {
	if metadata == nil {
		return tx.Select(ctx, &d.Metadata, metadataQuery, d.ID)
	}
	_, err := tx.Exec(ctx, `DELETE FROM identity_metadata WHERE identity_id = $1`, d.ID)
	if err == nil {
		d.Metadata, err = insertMetadata(ctx, tx, d.ID, *metadata)
	}
	return err
}

const metadataQuery = `SELECT id, key, value FROM identity_metadata WHERE identity_id = $1 ORDER BY id`

func insertMetadata(ctx context.Context, tx *sqldb.Tx, identityID string, metadata []Metadata) ([]Metadata, error) {
	made := make([]Metadata, len(metadata))
	for n, m := range metadata {
		made[n] = Metadata{ID: id.New(), Key: m.Key, Value: m.Value}
		_, err := tx.Exec(ctx, `INSERT INTO identity_metadata (id, identity_id, key, value) VALUES ($1, $2, $3, $4)`,
			made[n].ID, identityID, m.Key, m.Value)
		if err != nil {
			return nil, err
		}
	}
	return made, nil
}

// remove deletes the row, unless it is protected at this very moment. What hangs on it goes by foreign keys.
func remove(ctx context.Context, tx *feed.Tx, identityID string) error {
	n, err := tx.Exec(ctx, `DELETE FROM identities WHERE id = $1 AND delete_protection = FALSE`, identityID)
	if err != nil || n == 1 {
		return err
	}
	var there bool
	err = tx.Get(ctx, &there, `SELECT EXISTS (SELECT 1 FROM identities WHERE id = $1)`, identityID)
	if err == nil && !there {
		return Unknown(identityID)
	}
	if err == nil {
		err = fault.New(fault.BadRequest, "The identity has delete protection. Turn it off first (hasDeleteProtection: false).")
	}
	return err
}

func (s *Service) metadata(ctx context.Context, identityID string) (metadata []Metadata, err error) {
	return metadata, s.db.Select(ctx, &metadata, metadataQuery, identityID)
}

// lockOwned takes the delete protection off the identities that a project owns, and returns them.
func lockOwned(ctx context.Context, tx *feed.Tx, projectID string) (owned []Identity, err error) {
	if _, err := tx.Exec(ctx, `UPDATE identities SET delete_protection = FALSE WHERE project_id = $1`, projectID); err != nil {
		return nil, err
	}
	return owned, tx.Select(ctx, &owned, `SELECT `+columns+` FROM identities WHERE project_id = $1`, projectID)
}

// CountOwned returns how many identities a project owns.
func CountOwned(ctx context.Context, tx *feed.Tx, projectID string) (n int64, err error) {
	return n, tx.Get(ctx, &n, `SELECT count(*) FROM identities WHERE project_id = $1`, projectID)
}
