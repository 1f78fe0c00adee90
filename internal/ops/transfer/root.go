package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// opens proves that the root key opens the signing keys of a database and the key of its client secrets.
func opens(ctx context.Context, db *sqldb.DB, root *seal.Key, side string) error {
	var keys []struct {
		ID     string `db:"id"`
		Sealed []byte `db:"sealed"`
	}
	if err := db.Select(ctx, &keys, `SELECT id, sealed FROM signing_keys ORDER BY id`); err != nil {
		return err
	}
	if len(keys) == 0 {
		return fmt.Errorf("the %s holds no signing key, so no server has ever run on it and there is nothing to move; name the database of your server", side)
	}
	var pepper []byte
	err := db.Get(ctx, &pepper, `SELECT pepper FROM instance`)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = nil // the comparison tells
	}
	for _, key := range keys {
		if _, failed := root.Open(key.Sealed, "signing_keys", key.ID); failed != nil {
			err = errors.Join(err, fmt.Errorf("signing key %s: %w", key.ID, failed))
		}
	}
	if pepper != nil {
		_, failed := root.Open(pepper, "instance", "pepper")
		err = errors.Join(err, failed)
	}
	if errors.Is(err, seal.ErrOpen) {
		return fmt.Errorf("the root key does not open what is sealed in the %s; name the root key of the server with --root-key-file: %w", side, err)
	}
	return err
}
