package project

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// Key returns the data key of a project, from memory where it can. NotFound for a project that is gone. The key is kept
// under the organisation's, which is kept under the root key; each is bound to its row (design: at rest).
func (s *Service) Key(ctx context.Context, projectID string) (*seal.Key, error) {
	k, err := s.keys.Load(ctx, projectID, func(ctx context.Context) (k *seal.Key, err error) {
		return k, s.DB.Read(ctx, func(tx *sqldb.Tx) error {
			k, err = s.openKey(ctx, tx, projectID)
			return err
		})
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		err = unknown(projectID)
	}
	return k, err
}

func (s *Service) openKey(ctx context.Context, tx *sqldb.Tx, projectID string) (*seal.Key, error) {
	var row struct {
		OrgID  string `db:"org_id"`
		Sealed []byte `db:"sealed_key"`
	}
	err := tx.Get(ctx, &row, `SELECT org_id, sealed_key FROM projects WHERE id = $1 AND deleted_at IS NULL`, projectID)
	if err != nil {
		return nil, err
	}
	parent, err := s.Orgs.Key(ctx, tx, row.OrgID)
	if err != nil {
		return nil, err
	}
	raw, err := parent.Open(row.Sealed, keyPlace(projectID)...)
	if err != nil {
		return nil, err
	}
	return seal.NewKey(raw)
}

// newKey makes a data key for a project that is about to be stored, and returns it sealed.
func (s *Service) newKey(ctx context.Context, tx *sqldb.Tx, orgID, projectID string) ([]byte, error) {
	parent, err := s.Orgs.Key(ctx, tx, orgID)
	if err != nil {
		return nil, err
	}
	fresh := make([]byte, seal.KeySize)
	_, _ = rand.Read(fresh) // never fails
	return parent.Seal(fresh, keyPlace(projectID)...), nil
}

// keyPlace is what a sealed data key is bound to.
func keyPlace(projectID string) []string { return []string{"projects", projectID, "sealed_key"} }
