package member

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// Scope is where memberships are managed and by whom: an organization, or a project of it.
type Scope struct {
	role.Scope
	Name string // of the project
	Type string // of the project
}

// Where says where memberships are: in the actor's organization, or in a project of it. The zero Where is the organization,
// and no id of a project makes one.
type Where struct {
	inProject bool
	projectID string
}

// InOrganization is the actor's organization.
var InOrganization = Where{}

// InProject is the project with an id. An empty id is one that no project has.
func InProject(projectID string) Where { return Where{inProject: true, projectID: projectID} }

// enter lets an actor into a project, or into its organization.
func (s *Service) enter(ctx context.Context, actor *access.Actor, in Where) (Scope, error) {
	if in.inProject {
		return s.enterProject(ctx, actor, in.projectID)
	}
	return OrganizationOf(actor), nil
}

// OrganizationOf is the organization of an actor.
func OrganizationOf(actor *access.Actor) Scope {
	return Scope{Scope: role.Scope{Actor: actor, Authority: actor}}
}

// enterProject lets an actor into a project.
func (s *Service) enterProject(ctx context.Context, actor *access.Actor, projectID string) (Scope, error) {
	return s.projectScopes.Enter(ctx, actor, projectID)
}

// holdProject refuses a change in a project that is gone, and keeps the project from being deleted before the change is done.
func (s *Service) holdProject(ctx context.Context, tx *feed.Tx, sc Scope) error {
	if sc.ProjectID == "" {
		return nil
	}
	return s.projectScopes.Hold(ctx, tx, sc.ProjectID)
}

// id is what grants in the scope are kept under.
func (sc Scope) id() string {
	if sc.ProjectID != "" {
		return sc.ProjectID
	}
	return sc.Actor.OrgID
}

// adding is the action that adding an identity takes: the organization has it already, and edits it.
func (sc Scope) adding() access.Action {
	if sc.ProjectID != "" {
		return access.Create
	}
	return access.Edit
}

// fields returns an identity, and roles that it gets, as conditions of rules see them; in an organization they see neither.
// What is longer than any id is cut off: no identity has it.
func (sc Scope) fields(identityID string, slugs ...string) access.Fields {
	if sc.ProjectID == "" {
		return nil
	}
	f := access.Fields{access.IdentityID(identityID[:min(len(identityID), 64)])}
	for _, slug := range slugs {
		f = append(f, access.AssignableRole(slug))
	}
	return f
}

// changeEvents are the types of the audit events of memberships.
type changeEvents struct{ created, updated, deleted audit.Type }

// events returns the types for identities.
func (sc Scope) events() changeEvents {
	if sc.ProjectID != "" {
		return changeEvents{audit.CreateIdentityProjectMembership, audit.UpdateIdentityProjectMembership, audit.DeleteIdentityProjectMembership}
	}
	return changeEvents{audit.CreateIdentityOrgMembership, audit.UpdateIdentityOrgMembership, audit.DeleteIdentityOrgMembership}
}

// facts is what an audit event tells.
type facts map[string]any

func (s *Service) record(ctx context.Context, tx *feed.Tx, sc Scope, event audit.Type, what facts) error {
	return s.audit.Record(ctx, tx.Tx, sc.Actor, audit.Event{Type: event, ProjectID: sc.ProjectID, Metadata: what})
}

func slugsOf(roles []Assignment) []string {
	slugs := make([]string, len(roles))
	for i, a := range roles {
		slugs[i] = a.Role.Slug
	}
	return slugs
}

// notMember is the BadRequest fault of an identity that is not a member.
func (sc Scope) notMember() error {
	if sc.ProjectID != "" {
		return errNotInProject
	}
	return errNotInOrg
}

// oneself is the BadRequest fault of an actor that wants to remove itself.
func (sc Scope) oneself() error {
	if sc.ProjectID != "" {
		return errSelfInProject
	}
	return errSelfInOrg
}

var (
	errNotInOrg      = fault.New(fault.BadRequest, "The identity is not a member of your organization. Add it with POST.")
	errNotInProject  = fault.New(fault.BadRequest, "The identity is not a member of the project. Add it first.")
	errSelfInOrg     = fault.New(fault.BadRequest, "You cannot remove yourself from the organization. Ask an administrator to do it.")
	errSelfInProject = fault.New(fault.BadRequest, "You cannot remove yourself from the project. Ask an administrator of the project to do it.")
)
