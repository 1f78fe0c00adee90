package audit

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
)

// Projects asks which projects an actor may read the audit events of, as the roles that it has there say.
type Projects struct {
	// Check returns nil if the actor may read those of a project of its organization. Errors: NotFound, Forbidden for an actor that is
	// no member, PermissionDenied.
	Check func(ctx context.Context, actor *access.Actor, projectID string) error
	// Readable returns the ids of all projects of the actor's organization for which Check returns nil.
	Readable func(ctx context.Context, actor *access.Actor) ([]string, error)
}

// choose checks that the actor may read what the filter asks for, and narrows the filter to it. Events of a project tell what is in
// the project, down to the names of its secrets: they take the right to read audit logs there, and with it no right in the
// organization. All others take that right in the organization. Who may enter all projects reads the events of all.
func (l *Log) choose(ctx context.Context, actor *access.Actor, f *Filter) error {
	inOrg := actor.Check(access.Read, access.SubjectAuditLogs, nil)
	everywhere := l.Projects.Check == nil || actor.Ability.AllowsSome(access.AccessAllProjects, access.SubjectAdminConsole)
	switch {
	case everywhere && inOrg == nil:
		return nil
	case f.ProjectID != "" && l.Projects.Check != nil:
		return l.Projects.Check(ctx, actor, f.ProjectID)
	case inOrg != nil:
		return inOrg
	}
	ids, err := l.Projects.Readable(ctx, actor)
	f.projects = &ids
	return err
}
