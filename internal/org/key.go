package org

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// SealingKey returns the root key that seals now, and its fingerprint for the row that is sealed. Which one it is stands
// in the database, so that all replicas seal with the same; a new database takes the first of those in root. The error
// says what to do where the server was not given that key.
func SealingKey(ctx context.Context, tx *sqldb.Tx, root *seal.Key) (key *seal.Key, keyID string, err error) {
	err = tx.Get(ctx, &keyID, activeRootKey)
	if errors.Is(err, sqldb.ErrNoRows) {
		if err = NameRoot(ctx, tx, root.IDs()[0]); err == nil {
			err = tx.Get(ctx, &keyID, activeRootKey)
		}
	}
	if err != nil {
		return nil, "", err
	}
	key, held := root.Sealing(keyID)
	if !held {
		return nil, "", fmt.Errorf("the database is sealed with the root key %s, and this server was given another one (%s): start it with that key",
			keyID, strings.Join(root.IDs(), ", "))
	}
	return key, keyID, nil
}

const activeRootKey = `SELECT id FROM root_keys WHERE state = 'active'`

// Key returns the key that the keys of an organization's projects are sealed with, and its id for the row that is sealed.
// It makes the key if there is none yet.
func (s *Service) Key(ctx context.Context, tx *sqldb.Tx, orgID string) (key *seal.Key, keyID string, err error) {
	var row struct {
		ID     string `db:"id"`
		Sealed []byte `db:"sealed"`
	}
	const active = `SELECT id, sealed FROM organization_keys WHERE org_id = $1 AND active`
	err = tx.Get(ctx, &row, active, orgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		if err = s.MakeKey(ctx, tx, orgID); err == nil {
			err = tx.Get(ctx, &row, active, orgID)
		}
	}
	if err == nil {
		key, err = s.OpenKey(orgID, row.Sealed)
	}
	return key, row.ID, err
}

// OpenKey opens a key of an organization as it is stored.
func (s *Service) OpenKey(orgID string, sealed []byte) (*seal.Key, error) {
	raw, err := s.root.Open(sealed, KeyPlace(orgID)...)
	if err != nil {
		return nil, err
	}
	return seal.NewKey(raw)
}

// MakeKey gives an organization without an active key a new one, unless someone else does so at the same time.
func (s *Service) MakeKey(ctx context.Context, tx *sqldb.Tx, orgID string) error {
	root, rootID, err := SealingKey(ctx, tx, s.root)
	if err != nil {
		return err
	}
	fresh := make([]byte, seal.KeySize)
	_, _ = rand.Read(fresh) // never fails
	_, err = tx.Exec(ctx, `INSERT INTO organization_keys (id, org_id, root_key_id, sealed, active, created_at)
		VALUES ($1, $2, $3, $4, TRUE, $5) ON CONFLICT DO NOTHING`,
		id.New(), orgID, rootID, root.Seal(fresh, KeyPlace(orgID)...), tx.Now().UnixMilli())
	return err
}

// KeyPlace is what a sealed key of an organization is bound to.
func KeyPlace(orgID string) []string { return []string{"organizations", orgID, "sealed_key"} }

// RetireKey makes the active key of an organization one that seals no more, unless another one is being retired. It reports
// whether it did.
func RetireKey(ctx context.Context, tx *feed.Tx, orgID string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE organization_keys SET active = FALSE WHERE org_id = $1 AND active
		AND NOT EXISTS (SELECT 1 FROM organization_keys o WHERE o.org_id = organization_keys.org_id AND NOT o.active)`, orgID)
	return n > 0, err
}

// DropKey deletes a retired key of an organization, which nothing refers to any more.
func DropKey(ctx context.Context, tx *feed.Tx, keyID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM organization_keys WHERE id = $1 AND NOT active`, keyID)
	return err
}
