package secret

import (
	"context"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// HoldsAny reports whether a folder has secrets or imports.
func HoldsAny(ctx context.Context, tx *sqldb.Tx, folderID string) (bool, error) {
	var any bool
	return any, tx.Get(ctx, &any, `SELECT EXISTS (SELECT 1 FROM secrets WHERE folder_id = $1) OR EXISTS (SELECT 1 FROM secret_imports WHERE folder_id = $1)`, folderID)
}

// Empty deletes at most limit rows of what a folder holds and returns how many it deleted. Fewer than limit mean that
// nothing is left.
func Empty(ctx context.Context, tx *sqldb.Tx, folderID string, limit int64) (int64, error) {
	deleted := int64(0)
	for _, query := range []string{
		`DELETE FROM secret_versions WHERE (secret_id, version) IN
			(SELECT v.secret_id, v.version FROM secrets s JOIN secret_versions v ON v.secret_id = s.id WHERE s.folder_id = $1 LIMIT $2)`,
		`DELETE FROM secrets WHERE id IN (SELECT s.id FROM secrets s WHERE s.folder_id = $1 LIMIT $2)`,
		`DELETE FROM secret_imports WHERE id IN (SELECT i.id FROM secret_imports i WHERE i.folder_id = $1 LIMIT $2)`,
	} {
		n, err := tx.Exec(ctx, query, folderID, limit-deleted)
		if deleted += n; err != nil || deleted >= limit {
			return deleted, err
		}
	}
	return deleted, nil
}
