package org

import (
	"context"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// LockInstance lines up the changes of what there is once in an instance, such as its administrators.
func LockInstance(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE instance SET id = id`)
	return err
}

// KeepPepper keeps the sealed key of the HMACs of client secrets, unless there is one, and returns the one that there is.
func KeepPepper(ctx context.Context, tx *sqldb.Tx, sealed []byte, rootID string) (kept []byte, err error) {
	_, err = tx.Exec(ctx, `UPDATE instance SET pepper = $1, root_key_id = $2 WHERE pepper IS NULL`, sealed, rootID)
	if err != nil {
		return nil, err
	}
	return kept, tx.Get(ctx, &kept, `SELECT pepper FROM instance`)
}

// RaiseTokenAge notes that tokens may live for some seconds from now on.
func RaiseTokenAge(ctx context.Context, tx *sqldb.Tx, seconds int64) error {
	_, err := tx.Exec(ctx, `UPDATE instance SET token_age_ceiling = $1 WHERE token_age_ceiling < $1`, seconds)
	return err
}

// TokenAge returns the longest life of tokens in seconds that was ever noted.
func TokenAge(ctx context.Context, tx *sqldb.Tx) (seconds int64, err error) {
	return seconds, tx.Get(ctx, &seconds, `SELECT token_age_ceiling FROM instance`)
}
