package project

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// Scope lets an actor into a project, for what is about its roles and members. Errors: those of Enter.
func (s *Service) Scope(ctx context.Context, actor *access.Actor, projectID string) (member.Scope, error) {
	return scope(s.Enter(ctx, actor, projectID))
}

// ScopeOf is Scope for a project that is named by its slug.
func (s *Service) ScopeOf(ctx context.Context, actor *access.Actor, slug string) (member.Scope, error) {
	return scope(s.EnterSlug(ctx, actor, slug))
}

func scope(a *Access, err error) (member.Scope, error) {
	if err != nil {
		return member.Scope{}, err
	}
	sc := role.Scope{Actor: a.Actor, ProjectID: a.Project.ID, Authority: a}
	return member.Scope{Scope: sc, Name: a.Project.Name, Type: a.Project.Type}, nil
}

// Ref names a project by its id, or, where that is empty, by its slug.
type Ref struct{ ID, Slug string }

// enterRef is Enter for a project that is named either way.
func (s *Service) enterRef(ctx context.Context, actor *access.Actor, ref Ref) (*Access, error) {
	if ref.ID == "" && ref.Slug != "" {
		return s.EnterSlug(ctx, actor, ref.Slug)
	}
	return s.Enter(ctx, actor, ref.ID)
}

// Hold keeps a project from being deleted until tx is done. NotFound for one that is gone.
func Hold(ctx context.Context, tx *feed.Tx, projectID string) error {
	n, err := tx.Exec(ctx, `UPDATE projects SET updated_at = updated_at WHERE id = $1 AND deleted_at IS NULL`, projectID)
	if err == nil && n == 0 {
		return unknown(projectID)
	}
	return err
}
