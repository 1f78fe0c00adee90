package role

import (
	"context"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// InstanceAdmins returns the ids of the identities that administer the instance, oldest first.
func InstanceAdmins(ctx context.Context, db *sqldb.DB) (ids []string, err error) {
	return ids, db.Select(ctx, &ids, `SELECT a.identity_id FROM instance_admins a JOIN identities i ON i.id = a.identity_id
		ORDER BY i.created_at, i.id`)
}
