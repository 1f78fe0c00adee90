package member

import (
	"context"
	"fmt"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/feed"
)

// InProject returns the grants of an actor in a project: the rules of its roles there, in order, then those of its
// additional privileges, with templates filled in (docs/reference/secrets.md sections 4.1 and 4.3). From memory where
// they were read before. No membership is no error. Whether the project lives, and in which organization, is for the
// caller to know.
func (s *Service) InProject(ctx context.Context, actorType access.ActorType, actorID, projectID string) (*Grants, error) {
	vars, err := s.varsOf(ctx, actorType, actorID)
	if err != nil {
		return nil, err
	}
	key := feed.Key(actorID, projectID)
	read := func(ctx context.Context) (*Grants, error) {
		return s.readInProject(ctx, actorType, actorID, projectID, vars)
	}
	g, err := s.projects.Load(ctx, key, read)
	if err == nil && (g.vars != vars || g.staleAt(s.db.Now().UnixMilli())) {
		s.projects.Evict(key)
		g, err = s.projects.Load(ctx, key, read)
	}
	return g, err
}

func (s *Service) readInProject(ctx context.Context, actorType access.ActorType, actorID, projectID string, vars *variables) (*Grants, error) {
	stored, member, err := s.storedInProject(ctx, actorType, actorID, projectID)
	if err != nil {
		return nil, err
	}
	if shared, ok := s.project.of(stored); ok {
		return &Grants{Member: member, vars: vars, Rights: shared, shared: true}, nil
	}
	rights, err := s.rightsOf(ctx, stored, vars)
	return &Grants{Member: member, vars: vars, Rights: rights}, err
}

// rightsOf returns what roles and privileges of a project amount to now.
func (s *Service) rightsOf(ctx context.Context, stored []storedRole, vars *variables) (access.Rights, error) {
	held, err := s.grantsOf(ctx, stored, access.ProjectRole)
	if err != nil {
		return access.Rights{}, err
	}
	for i := range held {
		held[i].Rules = access.Expand(held[i].Rules, vars.values)
	}
	return access.ResolveProject(held, s.db.Now().UnixMilli())
}

// columnOf is where memberships keep the id of an actor of a type.
func columnOf(actorType access.ActorType) (string, error) {
	switch actorType {
	case access.ActorIdentity:
		return "identity_id", nil
	case access.ActorUser:
		return "user_id", nil
	}
	return "", fmt.Errorf("an actor of the type %q cannot be a member", actorType)
}

// storedInProject returns what a membership of a project holds, in the order in which it counts.
func (s *Service) storedInProject(ctx context.Context, actorType access.ActorType, actorID, projectID string) (roles []storedRole, member bool, err error) {
	column, err := columnOf(actorType)
	if err != nil {
		return nil, false, err
	}
	// One statement: roles of one moment and privileges of another could together allow what was never granted.
	const of = ` WHERE m.project_id = $1 AND m.active AND m.`
	err = s.db.Select(ctx, &roles, `SELECT role, permissions, temporary, access_start, access_end, privilege FROM (
		SELECT FALSE AS privilege, r.created_at, r.id, r.role, c.permissions, r.temporary, r.access_start, r.access_end
		FROM memberships m JOIN membership_roles r ON r.membership_id = m.id LEFT JOIN custom_roles c ON c.id = r.custom_role_id`+of+column+` = $2
		UNION ALL
		SELECT TRUE AS privilege, v.created_at, v.id, 'custom' AS role, v.permissions, v.temporary, v.access_start, v.access_end
		FROM memberships m JOIN privileges v ON v.membership_id = m.id`+of+column+` = $2) AS held
		ORDER BY privilege, created_at, id`, projectID, actorID)
	return roles, len(roles) > 0, err
}

// variables are what templates in rules stand for, for one actor. They are told apart by their address.
type variables struct{ values access.Vars }

func (s *Service) varsOf(ctx context.Context, actorType access.ActorType, actorID string) (*variables, error) {
	return s.vars.Load(ctx, actorID, func(ctx context.Context) (*variables, error) { return s.readVars(ctx, actorType, actorID) })
}

func (s *Service) readVars(ctx context.Context, actorType access.ActorType, actorID string) (*variables, error) {
	v := &variables{values: access.Vars{"identity.id": actorID}}
	if actorType != access.ActorIdentity {
		return v, nil
	}
	var pairs []struct {
		Name  string  `db:"name"`
		Key   *string `db:"key"`
		Value *string `db:"value"`
	}
	err := s.db.Select(ctx, &pairs, `SELECT i.name, d.key, d.value FROM identities i
		LEFT JOIN identity_metadata d ON d.identity_id = i.id WHERE i.id = $1 ORDER BY d.id`, actorID)
	for _, p := range pairs {
		v.values["identity.username"] = p.Name
		if p.Key != nil {
			v.values["identity.metadata."+*p.Key] = *p.Value
		}
	}
	return v, err
}
