package project

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

const environmentColumns = `e.id, e.project_id, e.name, e.slug, e.position, e.created_at, e.updated_at, e.deleted_at, e.delete_after,
	e.deleted_by_user, e.deleted_by_identity`

func errEnvironmentTaken(slug string) error {
	return fault.New(fault.BadRequest, "The project has an environment with the slug %q already. Choose another slug.", slug)
}

// lockEnvironment reads an environment for a change, one in sight or a deleted one. Writing to the project first makes
// changes of one project queue.
func lockEnvironment(ctx context.Context, tx *feed.Tx, projectID, environmentID string, deleted bool) (*Environment, error) {
	if _, err := lock(ctx, tx, projectID); err != nil {
		return nil, err
	}
	e := &Environment{}
	err := tx.Get(ctx, e, `SELECT `+environmentColumns+` FROM environments e WHERE e.project_id = $1 AND e.id = $2`, projectID, environmentID)
	if errors.Is(err, sqldb.ErrNoRows) || err == nil && (e.DeletedAt != nil) != deleted {
		err = unknownEnvironment(environmentID)
	}
	e.UpdatedAt = tx.Now().UnixMilli()
	return e, err
}

func storeEnvironment(ctx context.Context, tx *sqldb.Tx, e *Environment) error {
	_, err := tx.Exec(ctx, `UPDATE environments SET name = $1, slug = $2, position = $3, updated_at = $4, deleted_at = $5, delete_after = $6,
		deleted_by_user = $7, deleted_by_identity = $8 WHERE id = $9`,
		e.Name, e.Slug, e.Position, e.UpdatedAt, e.DeletedAt, e.DeleteAfter, e.DeletedByUser, e.DeletedByIdentity, e.ID)
	if sqldb.IsUnique(err) {
		err = errEnvironmentTaken(e.Slug)
	}
	return err
}

// makeRoom refuses one environment too many, and finds the place of a new one.
func makeRoom(ctx context.Context, tx *sqldb.Tx, e *Environment) error {
	var now struct {
		Count int64 `db:"n"`
		Last  int64 `db:"last"`
	}
	err := tx.Get(ctx, &now, `SELECT count(*) AS n, coalesce(max(CASE WHEN deleted_at IS NULL THEN position END), 0) AS last
		FROM environments WHERE project_id = $1`, e.ProjectID)
	switch {
	case err != nil:
		return err
	case now.Count >= MaxEnvironments:
		return fault.New(fault.BadRequest, "The project has %d environments, deleted ones included, which is the maximum. Delete one permanently (hardDelete=true).", now.Count)
	case e.Position == 0:
		e.Position = now.Last + 1
	}
	return shift(ctx, tx, e.ProjectID, e.Position)
}

// shift moves the environment at a position, and all behind it, one on; nothing if none is there.
func shift(ctx context.Context, tx *sqldb.Tx, projectID string, position int64) error {
	_, err := tx.Exec(ctx, `UPDATE environments SET position = position + 1 WHERE project_id = $1 AND position >= $2 AND deleted_at IS NULL
		AND EXISTS (SELECT 1 FROM environments x WHERE x.project_id = $1 AND x.position = $2 AND x.deleted_at IS NULL)`, projectID, position)
	return err
}

// move gives an environment another position; those between the old and the new one close up.
func (e *Environment) move(ctx context.Context, tx *sqldb.Tx, to int64) error {
	by, from, until := int64(1), to, e.Position-1
	if to > e.Position {
		by, from, until = -1, e.Position+1, to
	}
	_, err := tx.Exec(ctx, `UPDATE environments SET position = position + $1
		WHERE project_id = $2 AND position BETWEEN $3 AND $4 AND deleted_at IS NULL AND id <> $5`, by, e.ProjectID, from, until, e.ID)
	e.Position = to
	return err
}
