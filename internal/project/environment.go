package project

import (
	"context"

	"github.com/sallyport/sallyport/internal/id"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// MaxEnvironments is how many environments a project has at most, deleted ones that can be restored included.
const MaxEnvironments = 500

// Environment is an environment of a project as it is stored. Times are milliseconds UTC.
type Environment struct {
	ID                string  `db:"id"`
	ProjectID         string  `db:"project_id"`
	Name              string  `db:"name"`
	Slug              string  `db:"slug"`
	Position          int64   `db:"position"` // from 1
	CreatedAt         int64   `db:"created_at"`
	UpdatedAt         int64   `db:"updated_at"`
	DeletedAt         *int64  `db:"deleted_at"`
	DeleteAfter       *int64  `db:"delete_after"`
	DeletedByUser     *string `db:"deleted_by_user"`
	DeletedByIdentity *string `db:"deleted_by_identity"`
}

const environmentColumns = `e.id, e.project_id, e.name, e.slug, e.position, e.created_at, e.updated_at, e.deleted_at, e.delete_after,
	e.deleted_by_user, e.deleted_by_identity`

// defaults are the environments of a new project, in their order.
var defaults = []Environment{{Name: "Development", Slug: "dev"}, {Name: "Staging", Slug: "staging"}, {Name: "Production", Slug: "prod"}}

// insertEnvironment stores a new environment with its root folder. Name, slug, project and position are set.
func insertEnvironment(ctx context.Context, tx *sqldb.Tx, e *Environment) error {
	e.ID, e.CreatedAt = id.New(), tx.Now().UnixMilli()
	e.UpdatedAt = e.CreatedAt
	_, err := tx.Exec(ctx, `INSERT INTO environments (id, project_id, name, slug, position, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6)`, e.ID, e.ProjectID, e.Name, e.Slug, e.Position, e.CreatedAt)
	if err == nil {
		err = insertRoot(ctx, tx, e.ID)
	}
	return err
}
