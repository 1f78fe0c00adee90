package project

import (
	"context"
	"errors"
	"regexp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// MaxTags is how many tags a project has at most.
const MaxTags = 1000

// Tag is a tag of a project, which secrets can bear. Times are milliseconds UTC.
type Tag struct {
	ID            string  `db:"id"`
	ProjectID     string  `db:"project_id"`
	Slug          string  `db:"slug"`
	Color         *string `db:"color"`
	CreatedBy     *string `db:"created_by"`
	CreatedByType string  `db:"created_by_type"`
	CreatedAt     int64   `db:"created_at"`
	UpdatedAt     int64   `db:"updated_at"`
}

const tagColumns = `t.id, t.project_id, t.slug, t.color, t.created_by, t.created_by_type, t.created_at, t.updated_at`

var tagSlug = regexp.MustCompile(`^[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*$`)

var errTagTaken = fault.New(fault.BadRequest, "The project has a tag with this slug already. Choose another slug.")

func unknownTag(ref string) error {
	return fault.New(fault.NotFound, "There is no tag %q in the project. List the tags to see their ids and slugs.", shortened(ref))
}

func (s *Service) enterTags(ctx context.Context, actor *access.Actor, projectID string, action access.Action) (*Access, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(action, access.SubjectTags, nil)
	}
	return a, err
}

// Tags returns the tags of a project, by slug. Errors: those of Enter, PermissionDenied.
func (s *Service) Tags(ctx context.Context, actor *access.Actor, projectID string) (tags []Tag, err error) {
	if _, err := s.enterTags(ctx, actor, projectID, access.Read); err != nil {
		return nil, err
	}
	return tags, s.db.Select(ctx, &tags, `SELECT `+tagColumns+` FROM tags t WHERE t.project_id = $1 ORDER BY t.slug`, projectID)
}

// ReadTag returns a tag by its id, or by its slug where bySlug is set. Errors: those of Enter, PermissionDenied, NotFound.
func (s *Service) ReadTag(ctx context.Context, actor *access.Actor, projectID, ref string, bySlug bool) (*Tag, error) {
	if _, err := s.enterTags(ctx, actor, projectID, access.Read); err != nil {
		return nil, err
	}
	column := "id"
	if bySlug {
		column = "slug"
	}
	t := &Tag{}
	err := s.db.Get(ctx, t, `SELECT `+tagColumns+` FROM tags t WHERE t.project_id = $1 AND t.`+column+` = $2`, projectID, ref)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = unknownTag(ref)
	}
	return t, err
}

func checkTag(slug *string) error {
	if slug != nil && (len(*slug) > maxSlug || !tagSlug.MatchString(*slug)) {
		return fault.Invalid("invalid_string", "A slug has 1 to 64 letters and digits, with single hyphens or underscores between.", "slug")
	}
	return nil
}

// AddTag makes a tag. Errors: those of Enter, PermissionDenied, Validation, BadRequest for a slug that is taken or one tag
// too many.
func (s *Service) AddTag(ctx context.Context, actor *access.Actor, projectID, slug string, color *string) (*Tag, error) {
	_, err := s.enterTags(ctx, actor, projectID, access.Create)
	if err == nil {
		err = checkTag(&slug)
	}
	if err != nil {
		return nil, err
	}
	var t *Tag
	return t, s.feed.Change(ctx, func(tx *feed.Tx) error {
		t = &Tag{ID: id.New(), ProjectID: projectID, Slug: slug, Color: color, CreatedBy: &actor.ID, CreatedByType: string(actor.Type),
			CreatedAt: tx.Now().UnixMilli(), UpdatedAt: tx.Now().UnixMilli()}
		err := Hold(ctx, tx, projectID)
		if err == nil {
			err = insertTag(ctx, tx.Tx, t)
		}
		if err != nil {
			return err
		}
		Changed(tx, projectID)
		return s.record(ctx, tx, actor, projectID, audit.CreateSecretTag, map[string]any{"tagId": t.ID, "slug": slug})
	})
}

// insertTag stores a new tag. The caller holds alive.
func insertTag(ctx context.Context, tx *sqldb.Tx, t *Tag) error {
	var n int64
	err := tx.Get(ctx, &n, `SELECT count(*) FROM tags WHERE project_id = $1`, t.ProjectID)
	if err == nil && n >= MaxTags {
		err = fault.New(fault.BadRequest, "The project already has the maximum of %d tags. Delete one that you do not need.", n)
	}
	if err != nil {
		return err
	}
	n, err = tx.Exec(ctx, `INSERT INTO tags (id, project_id, slug, color, created_by, created_by_type, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING`, t.ID, t.ProjectID, t.Slug, t.Color, t.CreatedBy, t.CreatedByType, t.CreatedAt)
	if err == nil && n == 0 {
		err = errTagTaken
	}
	return err
}

// UpdateTag changes a tag; nil leaves alone. Errors: those of Enter, PermissionDenied, NotFound, Validation, BadRequest for
// a slug that is taken.
func (s *Service) UpdateTag(ctx context.Context, actor *access.Actor, projectID, tagID string, slug, color *string) (*Tag, error) {
	a, err := s.enterTags(ctx, actor, projectID, access.Edit)
	if err == nil {
		err = checkTag(slug)
	}
	if err != nil {
		return nil, err
	}
	return s.changeTag(ctx, actor, projectID, tagID, audit.UpdateSecretTag, func(tx *feed.Tx, t *Tag) error {
		if slug != nil && *slug != t.Slug {
			if err := s.holdings.mayRetag(ctx, tx.Tx, a, t.ID, *slug); err != nil {
				return err
			}
		}
		set(map[string]any{}, "", &t.Slug, slug)
		if color != nil {
			t.Color = color
		}
		t.UpdatedAt = tx.Now().UnixMilli()
		_, err := tx.Exec(ctx, `UPDATE tags SET slug = $1, color = $2, updated_at = $3 WHERE id = $4`, t.Slug, t.Color, t.UpdatedAt, t.ID)
		if sqldb.IsUnique(err) {
			err = errTagTaken
		}
		return err
	})
}

// DeleteTag deletes a tag; secrets lose it. Errors: those of Enter, PermissionDenied, NotFound.
func (s *Service) DeleteTag(ctx context.Context, actor *access.Actor, projectID, tagID string) (*Tag, error) {
	a, err := s.enterTags(ctx, actor, projectID, access.Delete)
	if err != nil {
		return nil, err
	}
	return s.changeTag(ctx, actor, projectID, tagID, audit.DeleteSecretTag, func(tx *feed.Tx, t *Tag) error {
		if err := s.holdings.mayRetag(ctx, tx.Tx, a, t.ID, ""); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM tags WHERE id = $1`, t.ID)
		return err
	})
}

func (s *Service) changeTag(ctx context.Context, actor *access.Actor, projectID, tagID string, event audit.Type, change func(*feed.Tx, *Tag) error) (*Tag, error) {
	t := &Tag{}
	return t, s.feed.Change(ctx, func(tx *feed.Tx) error {
		err := Hold(ctx, tx, projectID)
		if err == nil {
			err = tx.Get(ctx, t, `SELECT `+tagColumns+` FROM tags t WHERE t.project_id = $1 AND t.id = $2`, projectID, tagID)
		}
		if errors.Is(err, sqldb.ErrNoRows) {
			err = unknownTag(tagID)
		}
		if err == nil {
			err = change(tx, t)
		}
		if err != nil {
			return err
		}
		Changed(tx, projectID)
		return s.record(ctx, tx, actor, projectID, event, map[string]any{"tagId": t.ID, "slug": t.Slug})
	})
}
