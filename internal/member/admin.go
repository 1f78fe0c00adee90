package member

import (
	"context"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// InstanceAdmins returns the ids of the identities that administer the instance, oldest first.
func InstanceAdmins(ctx context.Context, db *sqldb.DB) (ids []string, err error) {
	return ids, db.Select(ctx, &ids, `SELECT a.identity_id FROM instance_admins a JOIN identities i ON i.id = a.identity_id
		ORDER BY i.created_at, i.id`)
}

// MakeInstanceAdmin makes an identity that tx has just created an administrator of the instance.
func MakeInstanceAdmin(ctx context.Context, tx *sqldb.Tx, identityID string) error {
	_, err := tx.Exec(ctx, `INSERT INTO instance_admins (identity_id) VALUES ($1)`, identityID)
	return err
}

// EndInstanceAdmin takes the administration of the instance from an identity. Nothing happens where it has none.
func EndInstanceAdmin(ctx context.Context, tx *sqldb.Tx, identityID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM instance_admins WHERE identity_id = $1`, identityID)
	return err
}
