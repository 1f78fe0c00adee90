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
	k, err := s.keys.Load(ctx, projectID, func(ctx context.Context) (*seal.Key, error) { return s.readKey(ctx, projectID) })
	if errors.Is(err, sqldb.ErrNoRows) {
		err = unknown(projectID)
	}
	return k, err
}

func (s *Service) readKey(ctx context.Context, projectID string) (*seal.Key, error) {
	var row struct {
		OrgID  string `db:"org_id"`
		Sealed []byte `db:"sealed_key"`
		Parent []byte `db:"parent_key"`
	}
	err := s.DB.Get(ctx, &row, `SELECT p.org_id, p.sealed_key, o.sealed_key AS parent_key FROM projects p JOIN organizations o ON o.id = p.org_id
		WHERE p.id = $1 AND p.deleted_at IS NULL`, projectID)
	if err != nil {
		return nil, err
	}
	parent, err := s.Orgs.OpenKey(row.OrgID, row.Parent)
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
