package project

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/member"
)

// MayReadAudit returns nil if the actor may read the audit events of a project. Errors: those of Enter, PermissionDenied.
func (s *Service) MayReadAudit(ctx context.Context, actor *access.Actor, projectID string) error {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Read, access.SubjectAuditLogs, nil)
	}
	return err
}

// Audited returns the ids of the projects whose audit events the actor may read.
func (s *Service) Audited(ctx context.Context, actor *access.Actor) ([]string, error) {
	var mine []string
	err := s.db.Select(ctx, &mine, `SELECT p.id FROM projects p JOIN memberships m ON m.project_id = p.id AND m.active
		WHERE p.org_id = $1 AND p.deleted_at IS NULL AND m.`+memberColumn(actor)+` = $2 ORDER BY p.id`, actor.OrgID, actor.ID)
	readable := mine[:0]
	for _, projectID := range mine {
		if err != nil {
			return nil, err
		}
		var grants *member.Grants
		if grants, err = s.members.InProject(ctx, actor.Type, actor.ID, projectID); err != nil {
			continue
		}
		if grants.Member && grants.Ability.AllowsSome(access.Read, access.SubjectAuditLogs) {
			readable = append(readable, projectID)
		}
		err = actor.PayFor(grants.Ability)
	}
	return readable, err
}
