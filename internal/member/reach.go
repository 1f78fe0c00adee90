package member

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/role"
)

// CoversProjects returns nil if the actor may do, in every project that an identity is a member of, all that the identity
// may do there; otherwise the error is a Boundary fault that begins with base. Who may let themselves into all projects
// of the organization (access-all-projects) holds everything in them.
func (s *Service) CoversProjects(ctx context.Context, actor *access.Actor, identityID, base string) error {
	return s.coversEach(ctx, actor, identityID, base, (*access.Actor).Covers, func(projectID string) (access.Reach, error) {
		g, err := s.InProject(ctx, access.ActorIdentity, identityID, projectID)
		if err != nil {
			return access.Reach{}, err
		}
		return g.Reach, nil
	})
}

// CoversTemplates is CoversProjects for those rules alone that hold a template: what they allow, and what they deny,
// hangs on the name and the metadata of the identity, so whoever changes these hands it out, and for good.
func (s *Service) CoversTemplates(ctx context.Context, actor *access.Actor, identityID, base string) error {
	return s.coversEach(ctx, actor, identityID, base, (*access.Actor).CoversForever, func(projectID string) (access.Reach, error) {
		stored, _, err := s.storedInProject(ctx, access.ActorIdentity, identityID, projectID)
		if err != nil {
			return access.Reach{}, err
		}
		return templated(stored)
	})
}

// MayReplaceRoles asks that an actor may take the roles of an identity in a project away, whatever comes in their place. The
// identity may do nothing there that the actor may not. What its roles deny is let through from then on where an additional
// privilege allows it: then the actor must hold, permanently, all that the privileges allow by themselves. BadRequest where
// the identity is not a member.
func (s *Service) MayReplaceRoles(ctx context.Context, sc Scope, identityID, base string) error {
	if err := s.coversMember(ctx, sc, identityID, base); err != nil {
		return err
	}
	stored, _, err := s.storedInProject(ctx, access.ActorIdentity, identityID, sc.ProjectID)
	if err != nil {
		return err
	}
	denying := slices.ContainsFunc(stored, func(r storedRole) bool { return !r.Privilege && r.denies() })
	privileges := slices.DeleteFunc(stored, func(r storedRole) bool { return !r.Privilege })
	if !denying || len(privileges) == 0 {
		return nil
	}
	vars, err := s.varsOf(ctx, access.ActorIdentity, identityID)
	if err != nil {
		return err
	}
	alone, err := s.rightsOf(ctx, privileges, vars)
	if err != nil {
		return err
	}
	return sc.CoversForever(alone.Reach, base)
}

// coversMember asks that an identity is a member of a project and may do nothing there that the actor may not.
func (s *Service) coversMember(ctx context.Context, sc Scope, identityID, base string) error {
	target, err := s.InProject(ctx, access.ActorIdentity, identityID, sc.ProjectID)
	if err != nil {
		return err
	}
	if !target.Member {
		return errNotInProject
	}
	return sc.Covers(target.Reach, base)
}

// denies reports whether a role denies anything. Built-in ones do not.
func (r storedRole) denies() bool {
	if r.Permissions == nil {
		return false
	}
	rules, err := role.ParseStored(*r.Permissions)
	return err != nil || slices.ContainsFunc(rules, func(rule access.Rule) bool { return rule.Inverted })
}

// templated returns what rules with templates may come to allow or to deny, those of roles that have ended too.
func templated(stored []storedRole) (access.Reach, error) {
	var found []access.Rule
	for _, r := range stored {
		if r.Permissions == nil { // a built-in role has none
			continue
		}
		rules, err := role.ParseStored(*r.Permissions)
		if err != nil {
			return access.Reach{}, err
		}
		for _, rule := range rules {
			text, err := json.Marshal(rule.Conditions)
			if err != nil {
				return access.Reach{}, err
			}
			if !strings.Contains(string(text), "{{") {
				continue
			}
			if rule.Inverted {
				rule = access.Undo([]access.Rule{rule})[0]
			}
			found = append(found, rule)
		}
	}
	return access.ReachOfProject(found)
}

// boundary is a way to compare: access.Actor.Covers or CoversForever.
type boundary func(actor *access.Actor, target access.Reach, base string) error

// coversEach asks in every project that an identity is a member of whether the actor holds what target tells.
func (s *Service) coversEach(ctx context.Context, actor *access.Actor, identityID, base string, ask boundary, target func(projectID string) (access.Reach, error)) error {
	everywhere, err := access.ReachOf([]access.Rule{{Subject: access.SubjectAdminConsole, Actions: access.Actions{access.AccessAllProjects}}})
	if err != nil || ask(actor, everywhere, base) == nil {
		return err
	}
	var projects []string
	err = s.db.Select(ctx, &projects, `SELECT m.project_id FROM memberships m JOIN projects p ON p.id = m.project_id
		WHERE m.identity_id = $1 AND m.scope = 'project' AND p.deleted_at IS NULL ORDER BY m.project_id`, identityID)
	for _, projectID := range projects {
		if err != nil {
			return err
		}
		err = s.coversIn(ctx, actor, projectID, base, ask, target)
	}
	return err
}

func (s *Service) coversIn(ctx context.Context, actor *access.Actor, projectID, base string, ask boundary, target func(projectID string) (access.Reach, error)) error {
	wanted, err := target(projectID)
	if err != nil {
		return err
	}
	own, err := s.InProject(ctx, actor.Type, actor.ID, projectID)
	if err == nil {
		err = actor.PayFor(own.Ability)
	}
	if err != nil {
		return err
	}
	inside := *actor
	inside.Rights = own.Rights
	return ask(&inside, wanted, base+" (it is a member of the project "+projectID+")")
}
