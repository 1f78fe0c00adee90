package project

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// DataKey is the key that the secrets of a project are sealed with. While it is rotated it opens what the old one sealed,
// too. It does not change.
type DataKey struct {
	*seal.Key
	ID  string   // of the one that seals: what is sealed refers to it
	ids []string // of all
}

// Opens reports whether it opens what the key of an id sealed.
func (k *DataKey) Opens(keyID string) bool { return keyID == k.ID || slices.Contains(k.ids, keyID) }

// Key returns the data key of a project, from memory where it can. NotFound for a project that is gone. The key is kept
// under the organization's, which is kept under the root key; each is bound to its row, so swapped rows cannot be read.
//
// A key from memory may be one that has been rotated since. Who finds that it does not open something, or that the
// database refuses what refers to it (sqldb.IsForeignKey), asks FreshKey.
func (s *Service) Key(ctx context.Context, projectID string) (*DataKey, error) {
	return s.keys.Load(ctx, projectID, func(ctx context.Context) (*DataKey, error) { return s.FreshKey(ctx, s.db, projectID) })
}

// FreshKey is Key from the database, or from inside a transaction.
func (s *Service) FreshKey(ctx context.Context, from Reader, projectID string) (*DataKey, error) {
	var rows []struct {
		ID     string `db:"id"`
		OrgID  string `db:"org_id"`
		Sealed []byte `db:"sealed"`
		Parent []byte `db:"parent"`
	}
	err := from.Select(ctx, &rows, `SELECT k.id, p.org_id, k.sealed, o.sealed AS parent FROM projects p JOIN project_keys k ON k.project_id = p.id
		JOIN organization_keys o ON o.id = k.organization_key_id WHERE p.id = $1 AND p.deleted_at IS NULL ORDER BY k.active DESC, k.id`, projectID)
	if err == nil && len(rows) == 0 {
		err = unknown(projectID)
	}
	if err != nil {
		return nil, err
	}
	raw, ids := make([][]byte, len(rows)), make([]string, len(rows))
	for i, row := range rows {
		parent, err := s.orgs.OpenKey(row.OrgID, row.Parent)
		if err != nil {
			return nil, err
		}
		if raw[i], err = parent.Open(row.Sealed, KeyPlace(projectID)...); err != nil {
			return nil, err
		}
		ids[i] = row.ID
	}
	key, err := seal.NewKey(raw...)
	return &DataKey{key, ids[0], ids}, err
}

// MakeKey gives a project without an active data key a new one.
func (s *Service) MakeKey(ctx context.Context, tx *sqldb.Tx, orgID, projectID string) error {
	parent, parentID, err := s.orgs.Key(ctx, tx, orgID)
	if err != nil {
		return err
	}
	fresh := make([]byte, seal.KeySize)
	_, _ = rand.Read(fresh) // never fails
	_, err = tx.Exec(ctx, `INSERT INTO project_keys (id, project_id, organization_key_id, sealed, active, created_at)
		VALUES ($1, $2, $3, $4, TRUE, $5)`, id.New(), projectID, parentID, parent.Seal(fresh, KeyPlace(projectID)...), tx.Now().UnixMilli())
	return err
}

// KeyPlace is what a sealed data key is bound to.
func KeyPlace(projectID string) []string { return []string{"projects", projectID, "sealed_key"} }

// RetireKey makes the active data key of a project one that seals no more, unless another one is being retired. It reports
// whether it did.
func RetireKey(ctx context.Context, tx *feed.Tx, projectID string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE project_keys SET active = FALSE WHERE project_id = $1 AND active
		AND NOT EXISTS (SELECT 1 FROM project_keys o WHERE o.project_id = project_keys.project_id AND NOT o.active)`, projectID)
	return n > 0, err
}

// DropKey deletes a retired data key of a project, which nothing refers to any more.
func DropKey(ctx context.Context, tx *feed.Tx, keyID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM project_keys WHERE id = $1 AND NOT active`, keyID)
	return err
}
