package org

import (
	"context"
	"crypto/rand"

	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// Key returns the key of an organisation, which the keys of its projects are sealed with. tx makes it where there is
// none yet. It is stored under the root key, bound to the organisation.
func (s *Service) Key(ctx context.Context, tx *sqldb.Tx, orgID string) (*seal.Key, error) {
	var sealed []byte
	err := tx.Get(ctx, &sealed, `SELECT sealed_key FROM organizations WHERE id = $1`, orgID)
	if err == nil && sealed == nil {
		sealed, err = s.makeKey(ctx, tx, orgID)
	}
	if err != nil {
		return nil, err
	}
	return s.OpenKey(orgID, sealed)
}

// OpenKey opens the key of an organisation as it is stored in organizations.sealed_key.
func (s *Service) OpenKey(orgID string, sealed []byte) (*seal.Key, error) {
	raw, err := s.Root.Open(sealed, "organizations", orgID, "sealed_key")
	if err != nil {
		return nil, err
	}
	return seal.NewKey(raw)
}

// makeKey gives the organisation a key, unless somebody else does so at the same time; then theirs is returned.
func (s *Service) makeKey(ctx context.Context, tx *sqldb.Tx, orgID string) (sealed []byte, err error) {
	fresh := make([]byte, seal.KeySize)
	_, _ = rand.Read(fresh) // never fails
	_, err = tx.Exec(ctx, `UPDATE organizations SET sealed_key = $1 WHERE id = $2 AND sealed_key IS NULL`,
		s.Root.Seal(fresh, "organizations", orgID, "sealed_key"), orgID)
	if err == nil {
		err = tx.Get(ctx, &sealed, `SELECT sealed_key FROM organizations WHERE id = $1`, orgID)
	}
	return sealed, err
}
