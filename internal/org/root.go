package org

import (
	"context"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// The database says which root keys there are, by their fingerprints: one that is coming seals nothing yet, the active one
// seals, and a retiring one opens what it sealed.

// NameRoot notes the root key that seals in a database which names none.
func NameRoot(ctx context.Context, tx *sqldb.Tx, keyID string) error {
	return insertRoot(ctx, tx, keyID, "active")
}

// AnnounceRoot notes that a root key is coming.
func AnnounceRoot(ctx context.Context, tx *sqldb.Tx, keyID string) error {
	return insertRoot(ctx, tx, keyID, "coming")
}

func insertRoot(ctx context.Context, tx *sqldb.Tx, keyID, state string) error {
	_, err := tx.Exec(ctx, `INSERT INTO root_keys (id, state, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		keyID, state, tx.Now().UnixMilli())
	return err
}

// ActivateRoot makes a root key the one that seals, and the one before a retiring one.
func ActivateRoot(ctx context.Context, tx *sqldb.Tx, keyID string) error {
	if _, err := tx.Exec(ctx, `UPDATE root_keys SET state = 'retiring' WHERE state = 'active' AND id <> $1`, keyID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE root_keys SET state = 'active' WHERE id = $1`, keyID)
	return err
}

// WithdrawRoot forgets a root key that was coming.
func WithdrawRoot(ctx context.Context, tx *sqldb.Tx, keyID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM root_keys WHERE id = $1 AND state = 'coming'`, keyID)
	return err
}

// DropRoot forgets a retiring root key, which nothing refers to any more.
func DropRoot(ctx context.Context, tx *sqldb.Tx, keyID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM root_keys WHERE id = $1 AND state = 'retiring'`, keyID)
	return err
}
