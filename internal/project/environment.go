package project

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// MaxEnvironments is how many environments a project has at most, deleted ones that can be restored included.
const MaxEnvironments = 500

// Environment is an environment of a project as it is stored. Times are milliseconds UTC.
type Environment struct {
	ID                string  `db:"id"`
	ProjectID         string  `db:"project_id"`
	Name              string  `db:"name"`
	Slug              string  `db:"slug"`
	Position          int64   `db:"position"` // from 1; what they are sorted by
	CreatedAt         int64   `db:"created_at"`
	UpdatedAt         int64   `db:"updated_at"`
	DeletedAt         *int64  `db:"deleted_at"`
	DeleteAfter       *int64  `db:"delete_after"`
	DeletedByUser     *string `db:"deleted_by_user"`
	DeletedByIdentity *string `db:"deleted_by_identity"`
}

// defaults are the environments of a new project, in their order.
var defaults = []Environment{{Name: "Development", Slug: "dev"}, {Name: "Staging", Slug: "staging"}, {Name: "Production", Slug: "prod"}}

func unknownEnvironment(environmentID string) error {
	return fault.New(fault.NotFound, "There is no environment with ID %q in the project. Read the project to see its environments.", shortened(environmentID))
}

var environmentSlug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// parseEnvironmentSlug returns a slug as it is stored: in lower case, without white space around it.
func parseEnvironmentSlug(text string) (string, error) {
	slug := strings.ToLower(strings.TrimSpace(text))
	if len(slug) > maxSlug || !environmentSlug.MatchString(slug) {
		return "", fault.Invalid("invalid_string", "A slug has 1 to 64 letters and digits, with single hyphens between.", "slug")
	}
	return slug, nil
}

// AddEnvironment makes an environment with an empty root folder. Position 0 means after all others; at the place of
// another one, that one and all behind it move on. Errors: those of Enter, PermissionDenied, Validation, BadRequest for
// a slug that is taken or one environment too many.
func (s *Service) AddEnvironment(ctx context.Context, actor *access.Actor, projectID, name, slug string, position int64) (*Environment, error) {
	_, slug, err := s.mayEdit(ctx, actor, projectID, access.Create, slug)
	if err != nil {
		return nil, err
	}
	var e *Environment
	return e, s.feed.Change(ctx, func(tx *feed.Tx) error {
		if _, err := lock(ctx, tx, projectID); err != nil {
			return err
		}
		e = &Environment{ProjectID: projectID, Name: name, Slug: slug, Position: position}
		if err := makeRoom(ctx, tx.Tx, e); err != nil {
			return err
		}
		if err := insertEnvironment(ctx, tx.Tx, e); err != nil {
			return named(err, "CreateEnvironment")
		}
		Changed(tx, projectID)
		return s.record(ctx, tx, actor, projectID, audit.CreateEnvironment, map[string]any{"name": e.Name, "slug": e.Slug})
	})
}

// mayEdit lets an actor into a project if it may do something to environments, and checks a slug for one.
func (s *Service) mayEdit(ctx context.Context, actor *access.Actor, projectID string, action access.Action, slug string) (*Access, string, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(action, access.SubjectEnvironments, nil)
	}
	if err == nil {
		slug, err = parseEnvironmentSlug(slug)
	}
	return a, slug, err
}

// named gives a BadRequest the name that clients know for it.
func named(err error, name string) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.BadRequest {
		return f.Named(name)
	}
	return err
}

// ReadEnvironment returns an environment in sight by its id. Errors: those of Enter, PermissionDenied, NotFound.
func (s *Service) ReadEnvironment(ctx context.Context, actor *access.Actor, projectID, environmentID string) (*Environment, error) {
	return s.readEnvironment(ctx, actor, projectID, func(p *Project) (*Environment, error) {
		for i := range p.Environments {
			if p.Environments[i].ID == environmentID {
				return &p.Environments[i], nil
			}
		}
		return nil, unknownEnvironment(environmentID)
	})
}

// ReadEnvironmentSlug is ReadEnvironment by the environment's slug.
func (s *Service) ReadEnvironmentSlug(ctx context.Context, actor *access.Actor, projectID, slug string) (*Environment, error) {
	return s.readEnvironment(ctx, actor, projectID, func(p *Project) (*Environment, error) { return p.Environment(slug) })
}

func (s *Service) readEnvironment(ctx context.Context, actor *access.Actor, projectID string, find func(*Project) (*Environment, error)) (*Environment, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Read, access.SubjectEnvironments, nil)
	}
	if err != nil {
		return nil, err
	}
	e, err := find(a.Project)
	if err != nil {
		return nil, err
	}
	return e, s.audit.Note(ctx, actor, audit.Event{Type: audit.GetEnvironment, ProjectID: projectID, Metadata: map[string]any{"id": e.ID}})
}

// ReadAnyEnvironment is ReadEnvironment for callers who do not name the project.
func (s *Service) ReadAnyEnvironment(ctx context.Context, actor *access.Actor, environmentID string) (*Environment, error) {
	var projectID string
	err := s.db.Get(ctx, &projectID, `SELECT e.project_id FROM environments e JOIN projects p ON p.id = e.project_id
		WHERE e.id = $1 AND p.org_id = $2 AND e.deleted_at IS NULL AND p.deleted_at IS NULL`, environmentID, actor.OrgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = unknownEnvironment(environmentID)
	}
	if err != nil {
		return nil, err
	}
	return s.ReadEnvironment(ctx, actor, projectID, environmentID)
}

// EnvironmentChanges is what UpdateEnvironment sets; nil leaves alone.
type EnvironmentChanges struct {
	Name, Slug *string
	Position   *int64
}

// UpdateEnvironment changes an environment in sight; those between its old and its new position make room. Errors: those
// of Enter, PermissionDenied, NotFound, Validation, BadRequest for a slug that is taken.
func (s *Service) UpdateEnvironment(ctx context.Context, actor *access.Actor, projectID, environmentID string, c EnvironmentChanges) (*Environment, error) {
	slug := "unchanged"
	if c.Slug != nil {
		slug = *c.Slug
	}
	a, slug, err := s.mayEdit(ctx, actor, projectID, access.Edit, slug)
	if err != nil {
		return nil, err
	}
	if c.Slug != nil {
		c.Slug = &slug
	}
	var e *Environment
	return e, s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if e, err = lockEnvironment(ctx, tx, projectID, environmentID, false); err != nil {
			return err
		}
		old := *e
		if err := e.change(ctx, tx.Tx, c); err != nil {
			return named(err, "UpdateEnvironment")
		}
		if err := s.holdings.mayRename(ctx, tx.Tx, a, Subtree{e.ID, old.Slug, "/"}, Subtree{e.ID, e.Slug, "/"}); err != nil {
			return err
		}
		Changed(tx, projectID)
		return s.record(ctx, tx, actor, projectID, audit.UpdateEnvironment, map[string]any{"oldName": old.Name, "newName": e.Name,
			"oldSlug": old.Slug, "newSlug": e.Slug, "oldPos": old.Position, "newPos": e.Position})
	})
}

// change sets what the changes name and stores it.
func (e *Environment) change(ctx context.Context, tx *sqldb.Tx, c EnvironmentChanges) error {
	set(map[string]any{}, "", &e.Name, c.Name)
	set(map[string]any{}, "", &e.Slug, c.Slug)
	if c.Position != nil && *c.Position != e.Position {
		if err := e.move(ctx, tx, *c.Position); err != nil {
			return err
		}
	}
	return storeEnvironment(ctx, tx, e)
}

// DeleteEnvironment takes an environment out of sight. Within the grace it can be restored, unless hard is set; then its
// secrets go in small steps. Errors: those of Enter, PermissionDenied, NotFound.
func (s *Service) DeleteEnvironment(ctx context.Context, actor *access.Actor, projectID, environmentID string, hard bool) (*Environment, error) {
	a, _, err := s.mayEdit(ctx, actor, projectID, access.Delete, "none")
	if err != nil {
		return nil, err
	}
	var e *Environment
	return e, s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if e, err = lockEnvironment(ctx, tx, projectID, environmentID, false); err != nil {
			return err
		}
		if err := s.holdings.mayDelete(ctx, tx.Tx, a, Subtree{e.ID, e.Slug, "/"}); err != nil {
			return err
		}
		now := tx.Now().UnixMilli()
		after := now + s.grace.Milliseconds()
		if hard {
			after = now
		}
		e.DeletedAt, e.DeleteAfter = &now, &after
		if actor.Type == access.ActorUser {
			e.DeletedByUser = &actor.ID
		} else {
			e.DeletedByIdentity = &actor.ID
		}
		if err := storeEnvironment(ctx, tx.Tx, e); err != nil {
			return err
		}
		Changed(tx, projectID)
		return s.record(ctx, tx, actor, projectID, audit.DeleteEnvironment, map[string]any{"name": e.Name, "slug": e.Slug})
	})
}

// RestoreEnvironment brings a deleted environment back with all that it held. Errors: those of Enter, PermissionDenied,
// NotFound for one that was not deleted or whose grace is over, BadRequest where another one has its slug now.
func (s *Service) RestoreEnvironment(ctx context.Context, actor *access.Actor, projectID, environmentID string) (*Environment, error) {
	if _, _, err := s.mayEdit(ctx, actor, projectID, access.Edit, "none"); err != nil {
		return nil, err
	}
	var e *Environment
	return e, s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if e, err = lockEnvironment(ctx, tx, projectID, environmentID, true); err != nil {
			return err
		}
		if *e.DeleteAfter <= tx.Now().UnixMilli() {
			return unknownEnvironment(environmentID)
		}
		e.DeletedAt, e.DeleteAfter, e.DeletedByUser, e.DeletedByIdentity = nil, nil, nil, nil
		if err := shift(ctx, tx.Tx, projectID, e.Position); err != nil {
			return err
		}
		if err := storeEnvironment(ctx, tx.Tx, e); err != nil {
			return named(err, "RestoreEnvironment")
		}
		Changed(tx, projectID)
		return s.record(ctx, tx, actor, projectID, audit.RestoreEnvironment, map[string]any{"name": e.Name, "slug": e.Slug})
	})
}

// insertEnvironment stores a new environment with its root folder. Name, slug, project and position are set.
func insertEnvironment(ctx context.Context, tx *sqldb.Tx, e *Environment) error {
	e.ID, e.CreatedAt = id.New(), tx.Now().UnixMilli()
	e.UpdatedAt = e.CreatedAt
	n, err := tx.Exec(ctx, `INSERT INTO environments (id, project_id, name, slug, position, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING`, e.ID, e.ProjectID, e.Name, e.Slug, e.Position, e.CreatedAt)
	if err == nil && n == 0 {
		err = errEnvironmentTaken(e.Slug)
	}
	if err == nil {
		err = insertRoot(ctx, tx, e.ID)
	}
	return err
}
