package member

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Origin is a role that someone has in an organization, with what it allows. Times are milliseconds UTC.
type Origin struct {
	storedRole
	CustomID *string `db:"custom_role_id"`
	Name     *string `db:"name"` // of a custom role
	Slug     *string `db:"slug"`
	IsUser   bool    `db:"is_user"`
	Rules    []access.Rule
}

// Own returns where the rights of the actor in its organization come from.
func (s *Service) Own(ctx context.Context, actor *access.Actor) ([]Origin, error) {
	return s.origins(ctx, actor.ID, actor.OrgID)
}

// Effective is Own for an identity or a user of the actor's organization. Errors: PermissionDenied, for users also without the
// right to read members; NotFound for an id that is not a member's.
func (s *Service) Effective(ctx context.Context, actor *access.Actor, memberID string) ([]Origin, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	found, err := s.origins(ctx, memberID, actor.OrgID)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "There is no identity or user with ID %q in your organization.", memberID)
	}
	if err == nil && found[0].IsUser {
		err = actor.Check(access.Read, access.SubjectMember, nil)
	}
	return found, err
}

func (s *Service) origins(ctx context.Context, memberID, orgID string) (found []Origin, err error) {
	err = s.db.Select(ctx, &found, `SELECT r.role, r.custom_role_id, c.name, c.slug, c.permissions, r.temporary, r.access_start, r.access_end, m.user_id IS NOT NULL AS is_user,
		EXISTS (SELECT 1 FROM instance_admins a WHERE a.identity_id = m.identity_id) OR
		EXISTS (SELECT 1 FROM users u WHERE u.id = m.user_id AND u.super_admin) AS instance_admin
		FROM (SELECT id, identity_id, user_id FROM memberships WHERE identity_id = $1 AND org_id = $2 AND scope = 'organization' AND active
			UNION ALL SELECT id, identity_id, user_id FROM memberships WHERE user_id = $1 AND org_id = $2 AND scope = 'organization' AND active) m
		JOIN membership_roles r ON r.membership_id = m.id
		LEFT JOIN custom_roles c ON c.id = r.custom_role_id ORDER BY r.created_at, r.id`, memberID, orgID)
	for i := range found {
		if err == nil {
			found[i].Rules, err = found[i].rules(access.OrgRole)
		}
	}
	return found, err
}

type wireOrigin struct {
	Role      string        `json:"role" doc:"Slug of the role"`
	Name      string        `json:"name"`
	CustomID  *string       `json:"customRoleId" doc:"Null for a built-in role"`
	Temporary bool          `json:"isTemporary"`
	Start     *httpapi.Time `json:"temporaryAccessStartTime"`
	End       *httpapi.Time `json:"temporaryAccessEndTime"`
	InForce   bool          `json:"inForce" doc:"Whether it counts at this moment"`
	Rules     []access.Rule `json:"permissions"`
}

type originsOutput struct {
	Body struct {
		ActorID       string       `json:"actorId"`
		InstanceAdmin bool         `json:"isInstanceAdmin"`
		Origins       []wireOrigin `json:"origins" doc:"Every role, also those that have ended or not begun"`
	}
}

// effectiveRoutes mounts what tells someone's rights, with where they come from. The reference API has none of it.
func (s *Service) effectiveRoutes(api *httpapi.API) {
	const tag = "Access"
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/access/permissions", ID: "list-own-permissions", Tag: tag,
		Summary: "List what you may do in your organization, by role", AnyActor: true}, s.ownRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/access/actors/{actorId}/permissions", ID: "list-actor-permissions", Tag: tag,
		Summary:     "List what an identity or a user may do in your organization, by role",
		Description: "A denial in one role counts against all others. For a user you also need the permission to read members.",
		Permission:  httpapi.Permission{Action: access.Read, Subject: access.SubjectIdentity}}, s.effectiveRoute)
}

func (s *Service) ownRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*originsOutput, error) {
	found, err := s.Own(ctx, actor)
	return s.showOrigins(actor.ID, found, err)
}

type effectiveInput struct {
	ActorID string `path:"actorId" doc:"Id of an identity or a user"`
}

func (s *Service) effectiveRoute(ctx context.Context, actor *access.Actor, in *effectiveInput) (*originsOutput, error) {
	found, err := s.Effective(ctx, actor, in.ActorID)
	return s.showOrigins(in.ActorID, found, err)
}

func (s *Service) showOrigins(actorID string, found []Origin, err error) (*originsOutput, error) {
	if err != nil {
		return nil, err
	}
	now, out := s.db.Now().UnixMilli(), &originsOutput{}
	out.Body.ActorID, out.Body.Origins = actorID, make([]wireOrigin, len(found))
	for i, o := range found {
		w := wireOrigin{Role: o.Role, Name: o.Role, CustomID: o.CustomID, Temporary: o.Temporary, InForce: true, Rules: append([]access.Rule{}, o.Rules...)}
		if o.Name != nil && o.Slug != nil {
			w.Role, w.Name = *o.Slug, *o.Name
		}
		if o.Temporary && o.AccessStart != nil && o.AccessEnd != nil {
			start, end := httpapi.Time(*o.AccessStart), httpapi.Time(*o.AccessEnd)
			w.Start, w.End, w.InForce = &start, &end, *o.AccessStart <= now && now < *o.AccessEnd
		}
		out.Body.Origins[i] = w
		out.Body.InstanceAdmin = out.Body.InstanceAdmin || o.InstanceAdmin
	}
	return out, nil
}
