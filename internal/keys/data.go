package keys

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/project"
)

// OrganizationState tells how far the rotation of the actor's organization's key is. Errors: PermissionDenied.
func (s *Service) OrganizationState(ctx context.Context, actor *access.Actor) (State, error) {
	if err := actor.Check(access.Read, access.SubjectKMS, nil); err != nil {
		return State{}, err
	}
	return s.organization(actor).state(ctx)
}

// RotateOrganization gives the actor's organization a new key, or takes up a rotation that has begun, and does some of
// its steps: the keys of its projects are sealed with the new one. With resume it begins none. Call it until the state is
// done. Errors: PermissionDenied.
func (s *Service) RotateOrganization(ctx context.Context, actor *access.Actor, resume bool) (State, error) {
	if err := actor.Check(access.Edit, access.SubjectKMS, nil); err != nil {
		return State{}, err
	}
	return s.run(ctx, s.organization(actor), resume)
}

func (s *Service) organization(actor *access.Actor) rotation {
	return rotation{
		read: func(ctx context.Context) (State, error) {
			var rows []row
			err := s.db.Select(ctx, &rows, `SELECT id, active FROM organization_keys WHERE org_id = $1 ORDER BY created_at, id`, actor.OrgID)
			return stateOf(rows), err
		},
		begin: func(ctx context.Context) error { return s.beginOrganization(ctx, actor) },
		step: func(ctx context.Context, from string) (int64, error) {
			return s.stepOrganization(ctx, actor.OrgID, from)
		},
		drop: func(ctx context.Context, keyID string) error {
			return s.feed.Change(ctx, func(tx *feed.Tx) error {
				if err := org.DropKey(ctx, tx, keyID); err != nil {
					return err
				}
				return s.record(ctx, tx, actor, audit.DropOrganizationKey, "", keyID)
			})
		},
		count: func(ctx context.Context, keyID string) (int64, error) {
			return underOrganization.count(ctx, s.db, keyID)
		},
	}
}

// beginOrganization makes a new key the active one. No replica keeps such keys in memory, so none has to hear of it.
func (s *Service) beginOrganization(ctx context.Context, actor *access.Actor) error {
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		retired, err := org.RetireKey(ctx, tx, actor.OrgID)
		if err != nil || !retired { // it has none, or someone else rotates it at this moment
			return err
		}
		if err := s.orgs.MakeKey(ctx, tx.Tx, actor.OrgID); err != nil {
			return err
		}
		_, keyID, err := s.orgs.Key(ctx, tx.Tx, actor.OrgID)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, actor, audit.RotateOrganizationKey, "", keyID)
	})
}

func (s *Service) stepOrganization(ctx context.Context, orgID, from string) (int64, error) {
	var sealed []byte
	if err := s.db.Get(ctx, &sealed, `SELECT sealed FROM organization_keys WHERE id = $1`, from); err != nil {
		return 0, err
	}
	old, err := s.orgs.OpenKey(orgID, sealed)
	if err != nil {
		return 0, err
	}
	return underOrganization.reseal(ctx, s.db, from, old, func(ctx context.Context, tx *sqldb.Tx) (*seal.Key, string, error) {
		return s.orgs.Key(ctx, tx, orgID)
	})
}

// RotateProject gives a project of the actor's organization a new data key, or takes up a rotation that has begun, and
// does some of its steps: what its secrets say is sealed with the new key, version by version, and reads the same as
// before. With resume it begins none. Call it until the state is done. It takes no membership of the project, since it
// shows nothing of it. Errors: PermissionDenied; NotFound for a project that is unknown or of another organization.
func (s *Service) RotateProject(ctx context.Context, actor *access.Actor, projectID string, resume bool) (State, error) {
	if err := actor.Check(access.Edit, access.SubjectKMS, nil); err != nil {
		return State{}, err
	}
	if _, err := s.projects.Find(ctx, actor.OrgID, projectID); err != nil {
		return State{}, err
	}
	return s.run(ctx, s.project(actor, projectID), resume)
}

func (s *Service) project(actor *access.Actor, projectID string) rotation {
	return rotation{
		read: func(ctx context.Context) (State, error) {
			var rows []row
			err := s.db.Select(ctx, &rows, `SELECT id, active FROM project_keys WHERE project_id = $1 ORDER BY created_at, id`, projectID)
			return stateOf(rows), err
		},
		begin: func(ctx context.Context) error { return s.beginProject(ctx, actor, projectID) },
		step:  func(ctx context.Context, from string) (int64, error) { return s.secrets.Reseal(ctx, projectID, from) },
		drop: func(ctx context.Context, keyID string) error {
			return s.feed.Change(ctx, func(tx *feed.Tx) error {
				if err := project.DropKey(ctx, tx, keyID); err != nil {
					return err
				}
				tx.Append(feed.ProjectKey, projectID, feed.Evict)
				return s.record(ctx, tx, actor, audit.DropProjectKey, projectID, keyID)
			})
		},
		count: s.secrets.SealedWith,
	}
}

// beginProject makes a new data key the active one. A replica that has not heard of it goes on with the old one, which
// stays until nothing refers to it.
func (s *Service) beginProject(ctx context.Context, actor *access.Actor, projectID string) error {
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		// Holding the project keeps it from being deleted, with its keys, at the same time.
		if err := project.Hold(ctx, tx, projectID); err != nil {
			return err
		}
		retired, err := project.RetireKey(ctx, tx, projectID)
		if err != nil || !retired { // someone else rotates it at this moment
			return err
		}
		if err := s.projects.MakeKey(ctx, tx.Tx, actor.OrgID, projectID); err != nil {
			return err
		}
		tx.Append(feed.ProjectKey, projectID, feed.Evict)
		var keyID string
		if err := tx.Get(ctx, &keyID, `SELECT id FROM project_keys WHERE project_id = $1 AND active`, projectID); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, audit.RotateProjectKey, projectID, keyID)
	})
}

// ProjectState is the state of a project's data key.
type ProjectState struct {
	ProjectID string
	State
}

// ProjectStates tells how far the rotations of the data keys of the organization's projects are: a page of them, by id, after
// one with that id, or from the first on. Errors: PermissionDenied.
func (s *Service) ProjectStates(ctx context.Context, actor *access.Actor, after string, limit int) ([]ProjectState, error) {
	if err := actor.Check(access.Read, access.SubjectKMS, nil); err != nil {
		return nil, err
	}
	var rows []struct {
		ID  string `db:"id"`
		Old int64  `db:"old"`
		Key string `db:"key"`
	}
	err := s.db.Select(ctx, &rows, `SELECT p.id, k.id AS key, (SELECT count(*) FROM project_keys o WHERE o.project_id = p.id AND NOT o.active) AS old
		FROM projects p JOIN project_keys k ON k.project_id = p.id AND k.active
		WHERE p.org_id = $1 AND p.deleted_at IS NULL AND p.id > $2 ORDER BY p.id LIMIT $3`, actor.OrgID, after, limit)
	states := make([]ProjectState, len(rows))
	for i, r := range rows {
		states[i] = ProjectState{r.ID, State{Active: r.Key}}
		if err == nil && r.Old > 0 {
			states[i].State, err = s.project(actor, r.ID).state(ctx)
		}
	}
	return states, err
}
