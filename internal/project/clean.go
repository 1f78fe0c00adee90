package project

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// Clean deletes for good what deleted projects held, and deleted environments whose grace is over, in transactions of
// some limit rows, so that other writers never wait long. It returns when nothing is left to do, and then always 0.
func (s *Service) Clean(ctx context.Context, limit int64) (int64, error) {
	for {
		did, err := s.cleanStep(ctx, limit)
		if err != nil || !did {
			return 0, err
		}
	}
}

// cleanStep does one transaction's worth, and reports whether there was anything to do.
func (s *Service) cleanStep(ctx context.Context, limit int64) (did bool, err error) {
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		did = true
		var environmentID, projectID string
		err := tx.Get(ctx, &environmentID, `SELECT e.id FROM environments e WHERE e.deleted_at IS NOT NULL AND e.delete_after <= $1 LIMIT 1`, tx.Now().UnixMilli())
		if errors.Is(err, sqldb.ErrNoRows) {
			err = tx.Get(ctx, &environmentID, `SELECT e.id FROM environments e JOIN projects p ON p.id = e.project_id WHERE p.deleted_at IS NOT NULL LIMIT 1`)
		}
		if !errors.Is(err, sqldb.ErrNoRows) {
			return orElse(err, func() error { return s.emptyEnvironment(ctx, tx, environmentID, limit) })
		}
		err = tx.Get(ctx, &projectID, `SELECT p.id FROM projects p WHERE p.deleted_at IS NOT NULL LIMIT 1`)
		if errors.Is(err, sqldb.ErrNoRows) {
			did = false
			return nil
		}
		return orElse(err, func() error { return emptyProject(ctx, tx, projectID, limit) })
	})
	return did, err
}

func orElse(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}

// emptyEnvironment deletes one folder's secrets, or the folder, or, once there is none, the environment.
func (s *Service) emptyEnvironment(ctx context.Context, tx *sqldb.Tx, environmentID string, limit int64) error {
	var folders []string
	err := tx.Select(ctx, &folders, `SELECT f.id FROM folders f WHERE f.environment_id = $1 LIMIT $2`, environmentID, min(limit, 50))
	if err != nil {
		return err
	}
	if len(folders) == 0 {
		_, err = tx.Exec(ctx, `DELETE FROM environments WHERE id = $1`, environmentID)
		return err
	}
	for _, folderID := range folders {
		if s.emptyFolder != nil {
			n, err := s.emptyFolder(ctx, tx, folderID, limit)
			if limit -= n; err != nil || limit <= 0 {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM folders WHERE id = $1`, folderID); err != nil {
			return err
		}
	}
	return nil
}

// emptyProject deletes some of what hangs on a project without environments, or, once there is nothing, the project.
func emptyProject(ctx context.Context, tx *sqldb.Tx, projectID string, limit int64) error {
	for _, empty := range []func(context.Context, *sqldb.Tx, string, int64) (int64, error){member.Empty, role.Empty} {
		if n, err := empty(ctx, tx, projectID, limit); err != nil || n > 0 {
			return err
		}
	}
	for _, query := range []string{
		`DELETE FROM project_keys WHERE id IN (SELECT id FROM project_keys WHERE project_id = $1 LIMIT $2)`,
		`DELETE FROM tags WHERE id IN (SELECT id FROM tags WHERE project_id = $1 LIMIT $2)`,
	} {
		if n, err := tx.Exec(ctx, query, projectID, limit); err != nil || n > 0 {
			return err
		}
	}
	_, err := tx.Exec(ctx, `DELETE FROM projects WHERE id = $1`, projectID)
	return err
}
