package role

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// maxRoles is how many custom roles an organization, or a project, has at most.
const maxRoles = 1000

// Authority is what someone may do in an organization or in a project. *access.Actor is one, for its organization.
type Authority interface {
	Check(action access.Action, subject access.Subject, f access.Fields) error
	Covers(target access.Reach, base string) error
	CoversUntil(target access.Reach, base string) (until int64, err error)
	CoversForever(target access.Reach, base string) error
}

// Scope is where roles are managed and by whom: an organization, or a project of it.
type Scope struct {
	Actor     *access.Actor // for the audit log
	ProjectID string        // empty for the actor's organization
	Authority               // of the actor, there
}

func ofOrganization(actor *access.Actor) Scope { return Scope{Actor: actor, Authority: actor} }

func (sc Scope) orgID() string { return sc.Actor.OrgID }

// changed is the key of the entry that tells replicas of changed rules.
func (sc Scope) changed() string {
	if sc.ProjectID != "" {
		return sc.ProjectID
	}
	return sc.orgID()
}

// ReachOf returns what rules of a project may let through, or of an organization where projectID is empty.
func ReachOf(projectID string, rules []access.Rule) (access.Reach, error) {
	if projectID != "" {
		return access.ReachOfProject(rules)
	}
	return access.ReachOf(rules)
}

// builtInAt returns a built-in role of projects, or of organizations where projectID is empty; nil if there is none.
func builtInAt(projectID, slugOrID string) *Role {
	if projectID != "" {
		return ProjectBuiltIn(slugOrID)
	}
	return BuiltIn(slugOrID)
}

// FindIn returns a role of a project, or of an organization where projectID is empty, by its slug or its id; NotFound if
// there is none.
func (s *Service) FindIn(ctx context.Context, orgID, projectID, slugOrID string) (*Role, error) {
	if r := builtInAt(projectID, slugOrID); r != nil {
		r.OrgID, r.ProjectID = orgID, projectID
		return r, nil
	}
	r, err := s.readCustom(ctx, orgID, projectID, slugOrID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = Unknown(slugOrID)
	}
	return r, err
}

// Unknown is the NotFound fault of a role that does not exist in a scope.
func Unknown(slugOrID string) error {
	return fault.New(fault.NotFound, "There is no role %q here. List the roles to see their slugs and ids.", slugOrID)
}

// ListIn returns the roles of a scope: the built-in ones, then its own by slug. Errors: PermissionDenied.
func (s *Service) ListIn(ctx context.Context, sc Scope) ([]Role, error) {
	if err := sc.Check(access.Read, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	of := builtIn
	if sc.ProjectID != "" {
		of = projectBuiltIn
	}
	var roles []Role
	for _, r := range of {
		found, err := s.FindIn(ctx, sc.orgID(), sc.ProjectID, r.Slug)
		if err != nil {
			return nil, err
		}
		roles = append(roles, *found)
	}
	own, err := s.customs(ctx, sc.orgID(), sc.ProjectID)
	return append(roles, own...), err
}

// ReadIn returns a role of a scope by its slug or id. Errors: PermissionDenied, NotFound.
func (s *Service) ReadIn(ctx context.Context, sc Scope, slugOrID string) (*Role, error) {
	if err := sc.Check(access.Read, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	return s.FindIn(ctx, sc.orgID(), sc.ProjectID, slugOrID)
}

// CreateIn is Create in a scope.
func (s *Service) CreateIn(ctx context.Context, sc Scope, c Changes) (*Role, error) {
	if err := sc.Check(access.Create, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	r := &Role{ID: id.New(), OrgID: sc.orgID(), ProjectID: sc.ProjectID}
	if err := r.apply(c); err != nil {
		return nil, err
	}
	if _, err := MayGrant(sc, sc.ProjectID, r.Rules, "The role was not created"); err != nil {
		return nil, err
	}
	return r, s.feed.Change(ctx, func(tx *feed.Tx) error {
		r.CreatedAt = tx.Now().UnixMilli()
		r.UpdatedAt = r.CreatedAt
		if err := insertCustom(ctx, tx.Tx, r); err != nil {
			return err
		}
		return s.record(ctx, tx.Tx, sc, audit.CreateOrgRole, audit.CreateProjectRole, r)
	})
}

// UpdateIn is Update in a scope.
func (s *Service) UpdateIn(ctx context.Context, sc Scope, roleID string, c Changes) (*Role, error) {
	if err := sc.Check(access.Edit, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	var r *Role
	err := s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if r, err = s.lockCustom(ctx, tx, sc, roleID); err != nil {
			return err
		}
		const base = "The role was not changed"
		if err := MayUndo(sc, sc.ProjectID, r.Rules, base); err != nil {
			return err
		}
		if err := r.apply(c); err != nil {
			return err
		}
		if err := mayGrantForever(sc, sc.ProjectID, r.Rules, base); err != nil {
			return err
		}
		if err := storeCustom(ctx, tx.Tx, r); err != nil {
			return err
		}
		tx.Append(feed.Roles, sc.changed(), feed.Evict)
		return s.record(ctx, tx.Tx, sc, audit.UpdateOrgRole, audit.UpdateProjectRole, r)
	})
	return r, err
}

// DeleteIn is Delete in a scope.
func (s *Service) DeleteIn(ctx context.Context, sc Scope, roleID string) (*Role, error) {
	if err := sc.Check(access.Delete, access.SubjectRole, nil); err != nil {
		return nil, err
	}
	var r *Role
	err := s.feed.Change(ctx, func(tx *feed.Tx) (err error) {
		if r, err = s.lockCustom(ctx, tx, sc, roleID); err != nil {
			return err
		}
		if _, err := MayGrant(sc, sc.ProjectID, r.Rules, "The role was not deleted"); err != nil {
			return err
		}
		if err := deleteCustom(ctx, tx.Tx, r.ID); err != nil {
			return err
		}
		return s.record(ctx, tx.Tx, sc, audit.DeleteOrgRole, audit.DeleteProjectRole, r)
	})
	return r, err
}

// record writes the event of a change of a role: one type for the organization, another for a project.
func (s *Service) record(ctx context.Context, tx *sqldb.Tx, sc Scope, inOrg, inProject audit.Type, r *Role) error {
	rules, err := json.Marshal(r.Rules)
	if err != nil {
		return err
	}
	event := inOrg
	if sc.ProjectID != "" {
		event = inProject
	}
	return s.audit.Record(ctx, tx, sc.Actor, audit.Event{Type: event, ProjectID: sc.ProjectID, Metadata: map[string]any{
		"roleId": r.ID, "slug": r.Slug, "name": r.Name, "description": r.Description, "permissions": string(rules),
	}})
}
